"""Every page writes a count the same way: 1,234."""

from __future__ import annotations

import re

import pytest

from benchmarks.data import fill
from console.core.i18n import counted, text_in
from console.domain.text import T

PAGES = (
    *("/overview", "/board", "/board?view=table", "/my-work", "/late", "/programme", "/programme/w02", "/autopilot"),
    *("/autopilot/figures", "/gate", "/jobs", "/alerts", "/audit", "/admin/users", "/board/loads"),
)
# Four digits and more in front of what is counted; addresses, dates, ids and attributes of scripts are none.
BARE = re.compile(
    r"(?<![\d.,:#/=\"_-])\d{4,}(?= ?(?:건|개|명|회|시간|items?\b|late\b|rows?\b|more\b|open\b|without|of ))"
)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_writes_a_count_without_its_separators(browser_client, session, config, clock, language):
    fill(session.get_bind(), config, now=clock.now(), scale=0.05)
    reader = browser_client("owner", language=language)
    seen = 0

    for address in PAGES:
        page = reader.get(address, follow_redirects=True).text
        text = re.sub(r"<script.*?</script>|<[^>]+>", " ", page, flags=re.DOTALL)
        seen += len(re.findall(r"\b\d,\d{3}\b", text))
        assert not BARE.search(text), (address, BARE.search(text))
    assert seen > 5


def test_a_sentence_writes_its_counts_and_leaves_other_numbers():
    assert text_in("en", T("%(count)s of #%(id)s", count=3011, id=3005)) == "3,011 of #3005"
    assert counted({"count": 999, "num": 1_000_000, "on": True, "seq": 12345, "text": "3011"}) == {
        "count": "999", "num": "1,000,000", "on": True, "seq": 12345, "text": "3011"
    }  # fmt: skip
