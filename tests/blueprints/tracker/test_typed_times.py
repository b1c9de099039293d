"""Due dates as people type them, in a row, in the drawer and for many: the same sentence everywhere."""

from __future__ import annotations

import pytest

from console.models.tracker import TrackerItem
from tests.factories import make_site

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
NEW_YORK = "뉴욕"
CASES = [
    ("0001-01-01T08:00", "10년 이내"),
    ("9999-12-31T23:59", "10년 이내"),
    ("2026-03-08T02:30", "그날 없는 시각입니다: 02:30"),
    ("2026-11-01T01:30", "그날 두 번 있는 시각입니다: 01:30"),
]


@pytest.fixture
def person(browser_client, session, clock):
    client = browser_client("manager")
    session.rollback()
    make_site(session, NEW_YORK, now=clock.now(), zone="America/New_York")
    session.commit()
    return client


@pytest.mark.parametrize(("typed", "words"), CASES)
@pytest.mark.parametrize("place", ["", "drawer"])
def test_one_item(person, session, items, typed, words, place):
    before = session.get(TrackerItem, items[0]).due_at
    sent = {"from": place, "version": "1", "due_was": "", "due_at": typed, "reason": "x"}
    sent["zone"] = "America/New_York"  # a form is read in the zone in which it was drawn
    address = f"/board/items/{items[0]}"

    for refused in (person.post(address, data=sent, headers=PARTIAL), person.post(address, data=sent)):
        assert refused.status_code == 422
        assert words in refused.text + refused.headers.get("HX-Trigger", "").encode().decode("unicode_escape")
        assert "Internal Server Error" not in refused.text
    session.rollback()
    assert session.get(TrackerItem, items[0]).due_at == before


@pytest.mark.parametrize(("typed", "words"), CASES)
def test_many_items(person, items, typed, words):
    sent = {"action": "due", "ids": items[0], "value": typed, "reason": "x"}
    for door in ("apply", "count"):
        refused = person.post(f"/board/bulk/{door}?site={NEW_YORK}", data=sent, headers=PARTIAL)
        assert refused.status_code == 422
        assert words in refused.text
