"""No page speaks two languages: whoever asked first, the words are those of the reader."""

from __future__ import annotations

import re

import pytest

from console.core.i18n import text_in, translate
from console.ui.formats import tr
from tests.contract.routes import NOBODY
from tests.factories import make_site
from tests.factories.tracker import HOUR, add_item

HANGUL = re.compile("[ㄱ-ㆎ가-힣]+")
HEADER = re.compile("Project-Id-Version|Content-Transfer-Encoding|Generated-By")
# The names of the languages are written in the languages themselves.
OWN_NAMES = re.compile(r'<(\w+)[^>]*\blang="ko"[^>]*>.*?</\1>|한국어', re.DOTALL)
# Files for programs; and the gallery, which shows samples in both languages.
NOT_PAGES = ("/api/", "/static/", "/metrics", "/favicon", "/components")
MORE = (
    *("/board?view=table", "/search?q=GR", "/board/loads", "/programme/w02", "/programme/w07?view=table"),
    *("/autopilot/policy", "/autopilot/figures", "/no-such-page"),
)


@pytest.fixture
def english(session, clock, browser_client):
    """A company whose own words are all English, and its owner."""
    now = clock.now()
    make_site(session, "North", now=now)
    for number, status in enumerate(("pending", "in_progress", "blocked", "done"), start=1):
        add_item(
            session,
            now,
            number,
            status=status,
            site=(None, "North")[number % 2],
            item_name=f"Task {number}",
            due_at=now + (number - 3) * 6 * HOUR,
        )
    session.commit()
    return browser_client("owner")


def test_a_template_keeps_nothing_of_its_first_reader(app):
    """A filter of a constant could be asked when the template is compiled; it must be asked by every reader."""
    made = app.jinja_env.from_string("""{{ ("leave"|plan_action).label }} {{ "escalation"|plan_action }}""")
    with app.test_request_context(headers={"Cookie": "lang=ko"}):
        assert "처리 안 함" in made.render()
    with app.test_request_context(headers={"Cookie": "lang=en"}):
        assert not HANGUL.search(made.render())


def test_no_text_stays_no_text(app):
    """A catalogue answers the empty text with its own header."""
    with app.test_request_context(headers={"Cookie": "lang=ko"}):
        assert [tr(nothing) for nothing in (None, "", {}, {"msgid": ""})] == [""] * 4
        assert app.jinja_env.from_string("""{{ _("") }}{{ gettext("") }}""").render() == ""
    assert translate("ko", "") == text_in("ko", {}) == ""


def addresses(app):
    """Return every page without an argument in its address, and some with one."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments - set(NOBODY)]
    plain = {rule.rule for rule in rules if not rule.arguments and not rule.rule.startswith(NOT_PAGES)}
    return sorted(plain | set(MORE))


def test_no_page_speaks_two_languages(app, english):
    """Korean first, because what a template keeps from its first reader would then be Korean."""
    foreign, raw, seen = {}, [], 0
    for language in ("ko", "en"):
        english.set_cookie("lang", language)
        for address in addresses(app):
            answer = english.get(address)
            if answer.mimetype != "text/html" or answer.status_code in (302, 303):
                continue
            seen += 1
            text = OWN_NAMES.sub("", answer.text)
            if HEADER.search(text):
                raw.append(f"{language} {address}")
            if language == "en" and (words := HANGUL.findall(text)):
                foreign[address] = words[:8]

    assert seen > 60
    assert raw == []
    assert foreign == {}
