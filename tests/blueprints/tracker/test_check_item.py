"""The drawer of an item that a runbook check asks for."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.tracker.requests import ItemChange
from console.models.tracker import TrackerItem
from console.services.tracker.items import change
from tests.services.remediation.test_check_items import follow, keep_up


def drawer(api, item_id, role="owner"):
    answer = api(role).get(f"/board/items/{item_id}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    text = answer.text[answer.text.index("data-drawer") :]
    return text, re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture
def item_id(ctx):
    follow(ctx, queue_age="critical")
    return ctx.session.scalars(select(TrackerItem.id)).one()


def test_it_says_why_and_leads_to_the_check_and_not_to_the_gate(api, item_id):
    text, words = drawer(api, item_id)

    assert "See what keeps runs waiting" in words
    assert "It is so." in words
    assert 'href="/ops/daily-check#check-queue_age"' in text
    assert "Waiting runs" in words
    assert "To the gate" not in words
    assert "Last seen by the gate" not in words


def test_what_was_called_done_waits_for_the_runbook(api, ctx, clock, item_id):
    change(ctx, item_id, ItemChange(assignee="kim", status="done"))
    ctx.commit()
    assert "The next look at the runbook confirms it." in drawer(api, item_id)[1]
    clock.advance(timedelta(hours=1))
    keep_up(ctx, queue_age="critical")
    assert "the runbook" in drawer(api, item_id)[1]
    assert "still saw the check fail" in drawer(api, item_id)[1]
    clock.advance(timedelta(hours=1))
    keep_up(ctx, queue_age="ok")
    assert "Confirmed by the runbook" in drawer(api, item_id)[1]


def test_its_history_is_told_in_words(api, ctx, clock):
    follow(ctx, queue_age="warning", dr_rehearsal_recent="warning")
    clock.advance(timedelta(hours=1))
    follow(ctx, queue_age="critical")
    item_id = ctx.session.scalars(select(TrackerItem.id).where(TrackerItem.item_key == "runbook:queue_age")).one()
    words = drawer(api, item_id)[1]

    assert "saw the check get worse" in words
    assert "opened the item" in words
