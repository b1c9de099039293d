"""Rows that were drawn before: everybody gets their own page, and every change shows at once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from console.models.tracker import TrackerItem
from tests.blueprints.tracker.board_support import OTHER, SITE


def tokens(text: str) -> list[str]:
    """Return the tokens of all forms of a page."""
    return re.findall(r'name="csrf_token" value="([^"]+)"', text)


@pytest.fixture
def change(session):
    """Change an item behind the console's back, as another process would."""

    def run(item_id, **values):
        item = session.get(TrackerItem, item_id)
        item.version += 1
        for name, value in values.items():
            setattr(item, name, value)
        session.commit()

    return run


@pytest.mark.parametrize("path", ["/board", "/board?view=table"])
def test_everybody_gets_a_page_of_their_own(browser_client, items, path):
    manager, second, auditor = browser_client("manager"), browser_client("manager"), browser_client("auditor")
    pages = [client.get(path).text for client in (manager, second, auditor)]

    assert len({tuple(tokens(page)) for page in pages}) == 3
    assert ["data-bulk-form" in page for page in pages] == [True, True, False]
    for client, page in zip((manager, second, auditor), pages, strict=True):
        form = {"csrf_token": tokens(page)[0], "theme": "dark", "next": path}
        client.csrf = ""
        assert client.post("/preferences", data=form).status_code == 302
    # The token of one session opens nothing in another.
    assert second.post("/preferences", data={"csrf_token": tokens(pages[0])[0], "theme": "dark"}).status_code == 400


def test_a_reader_of_one_site_sees_that_site(browser_client, items):
    everywhere, one = browser_client("manager"), browser_client("manager", (SITE,))

    assert OTHER in everywhere.get("/board?view=table").text
    assert OTHER not in one.get("/board?view=table").text


@pytest.mark.parametrize("path", ["/board", "/board?view=table", f"/board?view=table&site={SITE}"])
def test_what_somebody_else_changed_is_on_the_next_page(browser_client, items, change, path):
    client = browser_client("manager")
    client.get(path)
    change(items[0], item_name="다른 사람이 고친 일", texts={}, site=SITE, site_key=SITE)

    assert "다른 사람이 고친 일" in client.get(path).text


def test_language_and_look_are_those_of_the_reader(browser_client, items):
    client = browser_client("manager")
    korean = client.get("/board").text
    client.set_cookie("lang", "en")
    english = client.get("/board").text
    client.set_cookie("theme", "dark")
    dark = client.get("/board").text

    assert ("대기" in korean, "Waiting" in english) == (True, True)
    assert ('name="theme" value="dark" data-theme-toggle' in english, 'value="light" data-theme-toggle' in dark) == (
        True,
        True,
    )


def test_a_message_is_shown_once(browser_client, items):
    client = browser_client("manager")
    client.get("/board")
    with client.session_transaction() as session:
        session["toasts"] = [{"message": "한 번만", "kind": "success", "undo": None, "token": None}]

    assert ["한 번만" in client.get("/board").text for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("path", "sign"), [("/board?view=table&status=blocked", "nowrap strong late"), ("/board?status=blocked", "is-late")]
)
def test_an_item_becomes_late_after_its_deadline_within_the_same_minute(
    browser_client, items, change, clock, path, sign
):
    client = browser_client("manager")
    minute = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    deadline = minute + timedelta(seconds=20)
    change(items[5], due_at=deadline)

    def late(at):
        clock.set(at)
        return client.get(path).text.count(sign)

    before, still = late(minute), late(deadline)
    assert (still, late(deadline + timedelta(microseconds=1))) == (before, before + 1)


def test_every_reader_has_their_own_columns(browser_client, items):
    client = browser_client("manager")
    few = client.get("/board?view=table&columns=item_id,title").text
    usual = client.get("/board?view=table").text

    assert (few.count("<th "), usual.count("<th ")) == (3, 7)
