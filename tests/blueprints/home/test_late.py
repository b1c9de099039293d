"""One number says what is late, and one list stands behind it."""

from __future__ import annotations

import re

import pytest

from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item

SITE, OTHER = "North", "South"


@pytest.fixture
def late(session, clock):
    """Three late items on the board, two in weeks of the one site and one in a week of the other, and some in time."""
    now = clock.now()
    for name in (SITE, OTHER):
        make_site(session, name, now=now)
    for number, (tracker, site, hours) in enumerate(
        (
            *(("remediation", None, -30), ("remediation", SITE, -1), ("remediation", OTHER, -2)),
            *(("w07", SITE, -3), ("w09", SITE, -50), ("w07", OTHER, -4)),
            *(("remediation", SITE, 5), ("w07", SITE, 5)),
        ),
        start=1,
    ):
        add_item(
            session, now, number, tracker=tracker, site=site, due_at=now + hours * HOUR, item_name=f"Task {number}"
        )
    session.commit()


def rows_of(text):
    return [int(number) for number in re.findall(r">Task (\d)</a>", text)]


@pytest.mark.parametrize(
    ("query", "sites", "board", "weeks"),
    [
        ("", ("*",), [1, 3, 2], [5, 6, 4]),
        ("site=North", ("*",), [2], [5, 4]),
        ("", (OTHER,), [1, 3], [6]),
    ],
)
def test_every_page_tells_the_same_number_and_its_rows(browser_client, late, query, sites, board, weeks):
    reader = browser_client("manager", sites, language="en")
    overview = reader.get(f"/overview?{query}").text
    programme = reader.get(f"/programme?{query}").text
    total = len(board) + len(weeks)

    assert all(f"<title>({total}) " in page for page in (overview, programme))
    assert f"{total} late</a>" in overview
    assert f'data-figure="late_board" data-count="{len(board)}">board {len(board)}</a>' in overview
    assert f'data-figure="late_weeks" data-count="{len(weeks)}">weeks {len(weeks)}</a>' in overview
    assert f"{len(weeks)} late</a>" in programme
    at = f"&{query}" if query else ""
    assert sorted(rows_of(reader.get(f"/late?{query}").text)) == sorted(board + weeks)
    assert rows_of(reader.get(f"/late?of=board{at}").text) == board
    assert rows_of(reader.get(f"/late?of=weeks{at}").text) == weeks
    # Every part of the number is a link to its rows.
    links = set(re.findall(r'href="(/late[^"]*)"', overview))
    assert {link.replace("&amp;", "&") for link in links} >= {
        "/late" + (f"?{query}" if query else ""), f"/late?of=board{at}", f"/late?of=weeks{at}"
    }  # fmt: skip


def test_the_list_is_for_those_who_read_a_tracker_and_for_their_sites(browser_client, late):
    assert browser_client("manager", (SITE,)).get("/late?site=South").status_code == 403
    assert "Task 6" not in browser_client("operator", (SITE,)).get("/late").text
    assert browser_client("owner").get("/late/csv").text.count("\n") == 7
