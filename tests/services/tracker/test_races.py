"""Several processes at the tracker at once: nothing is lost, nothing happens twice."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from console.domain.errors import Conflict, NotFound
from console.domain.tracker.requests import ItemChange
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerEvent, TrackerItem, TrackerRun
from console.services.remediation import apply as tracker_apply
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import store as tracker_store
from tests.factories.remediation import make_plan, plan_item
from tests.factories.tracker import HOUR, add_item
from tests.services.tracker.tracker_support import synced

RULES = ("dr_restore_valid_recent", "daily_check_recent", "weekly_streak_target_met")


def test_two_first_syncs_at_once_open_each_item_once(at_once, session, clock):
    now = clock.now()

    def sync(ctx):
        plan = make_plan(now, [plan_item(rule, now) for rule in RULES])
        return tracker_apply.apply(ctx, plan, now)

    results = at_once(*[sync] * 4)

    assert sorted(result.created_count for result in results) == [0, 0, 0, 3]
    assert session.scalar(select(func.count()).select_from(TrackerItem)) == 3
    assert session.scalar(select(func.count()).select_from(TrackerEvent)) == 3
    assert session.scalar(select(func.count()).select_from(TrackerRun)) == 1


def test_a_change_by_a_person_survives_syncs_at_the_same_moment(at_once, ctx, session, clock):
    item = synced(ctx, *RULES).items[0]
    clock.advance(HOUR)
    now = clock.now()

    def sync(other):
        return tracker_apply.apply(other, make_plan(now, [plan_item(rule, now) for rule in RULES]), now)

    def person(other):
        return tracker_items.change(other, item.id, ItemChange(assignee="kim", status="blocked"))

    results = at_once(sync, person, sync, person)

    assert not [result for result in results if isinstance(result, Exception)]
    session.rollback()
    row = session.get(TrackerItem, item.id)
    assert (row.assignee, row.status, row.gate_generated_at) == ("kim", "blocked", now)


def test_two_people_move_the_same_card_and_one_of_them_is_told(at_once, session, clock):
    item_id = add_item(session, clock.now(), 1).id
    session.commit()
    moves = [
        lambda ctx, status=status: tracker_items.change(ctx, item_id, ItemChange(status=status), version=1)
        for status in ("in_progress", "blocked")
    ]
    results = at_once(*moves)
    refused = [result for result in results if isinstance(result, Conflict)]

    assert len(refused) == 1
    assert refused[0].detail["current_version"] == 2
    assert session.scalar(select(func.count()).select_from(TrackerEvent)) == 1


def test_without_a_version_both_moves_are_kept_in_the_history(at_once, session, clock):
    item_id = add_item(session, clock.now(), 1).id
    session.commit()
    moves = [
        lambda ctx, status=status: tracker_items.change(ctx, item_id, ItemChange(status=status))
        for status in ("in_progress", "blocked", "done")
    ]
    results = at_once(*moves)

    assert not [result for result in results if isinstance(result, Exception)]
    session.rollback()
    events = session.scalars(select(TrackerEvent).order_by(TrackerEvent.id)).all()
    assert [event.version for event in events] == [2, 3, 4]
    assert [event.from_status for event in events[1:]] == [event.to_status for event in events[:-1]]


def test_an_item_is_claimed_once(at_once, session, clock):
    item_id = add_item(session, clock.now(), 1).id
    session.commit()

    results = at_once(*[lambda ctx: tracker_items.claim(ctx, item_id)] * 4)

    assert sum(isinstance(result, Conflict) for result in results) == 3


def test_a_tracker_is_never_closed_over_a_change_that_it_did_not_see(at_once, ctx, session, clock):
    for _round in range(5):
        clock.advance(HOUR)
        item = synced(ctx, RULES[0]).items[0]
        tracker_items.change(ctx, item.id, ItemChange(assignee="kim", status="done"))
        ctx.commit()
        outcomes = at_once(
            tracker_completion.complete,
            lambda other, item_id=item.id: tracker_items.change(other, item_id, ItemChange(status="blocked")),
        )
        changed = outcomes[1]
        assert not isinstance(changed, Exception)
        ctx.rollback()
        # Either the closing came first and was reopened, or it saw the change and refused.
        assert tracker_completion.completion(ctx).status == "active"


def test_an_item_that_moved_on_is_not_overwritten(ctx, session, clock):
    row = add_item(session, clock.now(), 1)
    seen = tracker_items.get(ctx, row.id)
    tracker_items.change(ctx, row.id, ItemChange(status="blocked"))

    with pytest.raises(Conflict):
        tracker_items.store(ctx, REMEDIATION, seen, {"status": "in_progress"}, (), clock.now())
    assert tracker_store.update_item(ctx, row.id, replace(seen, version=2).version, {"owner_role": "x"}, clock.now())


def test_a_row_that_is_gone_is_not_found(ctx):
    with pytest.raises(NotFound):
        tracker_items.change(ctx, 1, ItemChange(status="done"))
