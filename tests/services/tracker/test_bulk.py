from datetime import timedelta

import pytest

from console.domain.errors import Conflict, Gone, Invalid, NotFound, PermissionDenied
from console.domain.tracker.requests import BulkChange, ItemChange, Selection
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker.bulk import apply, preview
from console.services.tracker.items import change
from console.services.tracker.undo import undo
from tests.factories.tracker import HOUR, add_item
from tests.services.tracker.tracker_support import audited

SITE, OTHER = "한빛마을 3단지", "푸른숲 타워"


@pytest.fixture
def items(ctx, session, clock):
    rows = [add_item(session, clock.now(), number, site=SITE if number % 2 else None) for number in range(1, 7)]
    rows.append(add_item(session, clock.now(), 7, status="done", is_active=False))
    rows.append(add_item(session, clock.now(), 8, site=OTHER, assignee="kim"))
    ctx.commit()
    return rows


def ids(rows):
    return tuple(row.id for row in rows)


def test_a_preview_tells_what_would_change_and_changes_nothing(ctx, items):
    told = preview(ctx, Selection(ids=(*ids(items), 9999)), BulkChange("assign", assignee="kim"))

    assert (told.total, told.will_change, told.unchanged, told.refused, told.missing) == (8, 7, 1, 0, 1)
    assert tracker_items.get(ctx, items[0].id).assignee is None


@pytest.mark.parametrize(
    "wanted",
    [
        BulkChange("assign", assignee="kim"),
        BulkChange("assign"),
        BulkChange("status", status="in_progress"),
        BulkChange("status", status="done"),
        BulkChange("due", reason="later"),
        BulkChange("close"),
    ],
)
def test_the_preview_and_the_action_agree(ctx, items, clock, wanted):
    from dataclasses import replace

    if wanted.action == "due":
        wanted = replace(wanted, due_at=clock.now() + 99 * HOUR)
    told = preview(ctx, Selection(ids=ids(items)), wanted)
    done = apply(ctx, Selection(ids=ids(items)), wanted)

    assert (done.changed, done.unchanged, done.refused) == (told.will_change, told.unchanged, told.refused)
    assert done.total == told.total == len(done.rows)


def test_a_closed_item_without_a_deadline_refuses_one(ctx, session, items, clock):
    items[6].due_at = None
    session.commit()
    wanted = BulkChange("due", due_at=clock.now() + HOUR, reason="later")

    told = preview(ctx, Selection(ids=(items[6].id,)), wanted)

    assert (told.will_change, told.refused) == (0, 1)
    assert apply(ctx, Selection(ids=(items[6].id,)), wanted).refused == 1


def test_all_that_match_a_filter_are_changed_and_nothing_else(ctx, session, items):
    result = apply(
        ctx, Selection(everything=True, filters={"site": (SITE,)}), BulkChange("status", status="in_progress")
    )
    ctx.commit()

    assert (result.total, result.changed) == (3, 3)
    assert [tracker_items.get(ctx, row.id).status for row in items[:4]] == ["in_progress", "pending"] * 2
    ((kind, resource, _status, detail),) = audited(session, "item_bulk_update")
    assert (kind, resource) == ("ops_governance_remediation_tracker_item", "status")
    assert detail == {"action": "status", "new": {"status": "in_progress"}, "changed_count": 3, "ids": detail["ids"]}
    assert sorted(detail["ids"]) == [items[0].id, items[2].id, items[4].id]


def test_other_sites_are_not_touched_whatever_ids_are_sent(make_ctx, items):
    scoped = make_ctx("operator", (SITE,))
    result = apply(scoped, Selection(ids=ids(items)), BulkChange("assign", assignee="lee"))

    assert (result.total, result.missing) == (7, 1)
    assert tracker_items.get(make_ctx(), items[7].id).assignee == "kim"


def test_what_refuses_is_told_with_its_reason(ctx, items):
    result = apply(ctx, Selection(ids=ids(items[5:7])), BulkChange("status", status="blocked"))

    assert [(row.outcome, str(row.message or "")) for row in result.rows] == [
        ("refused", "The item is closed; only its note can be changed"),
        ("changed", ""),
    ]


def test_a_bulk_action_reopens_the_completion_once(ctx, items):
    tracker_completion.complete(ctx, force=True)
    apply(ctx, Selection(ids=ids(items[:3])), BulkChange("assign", assignee="lee"))

    entries, total = tracker_completion.history(ctx)
    assert (total, [entry.kind for entry in entries]) == (2, ["reopened", "completed"])


def test_a_due_date_for_many_needs_a_reason(ctx, items, clock):
    for wanted in (BulkChange("due"), BulkChange("due", due_at=clock.now())):
        with pytest.raises(Invalid):
            apply(ctx, Selection(ids=ids(items)), wanted)


def test_a_status_for_many_must_be_one(ctx, items):
    for word in ("", "nonsense"):
        with pytest.raises(Invalid):
            apply(ctx, Selection(ids=ids(items)), BulkChange("status", status=word))


def test_too_many_at_once_are_refused(ctx, items, monkeypatch):
    monkeypatch.setattr(tracker_bulk, "MOST", 3)

    with pytest.raises(Invalid):
        apply(ctx, Selection(everything=True), BulkChange("assign", assignee="kim"))


def test_bulk_actions_want_the_permission(make_ctx, items):
    for act in (apply, preview):
        with pytest.raises(PermissionDenied):
            act(make_ctx("auditor"), Selection(ids=ids(items)), BulkChange("assign", assignee="kim"))


def test_undo_brings_every_field_back(ctx, items, clock):
    before = tracker_items.get(ctx, items[0].id)
    result = change(
        ctx,
        items[0].id,
        ItemChange(assignee="kim", status="done", completion_note="x", due_at=clock.now() + 90 * HOUR, reason="y"),
    )
    clock.advance(timedelta(seconds=30))
    undone = undo(ctx, result.undo)
    after = tracker_items.get(ctx, items[0].id)

    assert undone.restored == (items[0].id,)
    same = ("assignee", "assignee_user_id", "assigned_at", "status", "completion_checked", "completed_at", "due_at")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]
    assert (after.completion_note, after.due_changed_at, after.version) == ("", None, 3)


def test_undo_of_a_bulk_action_leaves_alone_what_was_changed_since(ctx, session, items):
    result = apply(ctx, Selection(ids=ids(items[:3])), BulkChange("status", status="blocked"))
    change(ctx, items[1].id, ItemChange(status="in_progress"))
    undone = undo(ctx, result.undo)
    ctx.commit()

    assert (undone.restored, undone.skipped) == ((items[0].id, items[2].id), (items[1].id,))
    assert [tracker_items.get(ctx, row.id).status for row in items[:3]] == ["pending", "in_progress", "pending"]
    assert audited(session, "item_undo")[0][3]["restored_count"] == 2


def test_undo_counts_for_once_and_not_for_ever(ctx, items, clock):
    first = change(ctx, items[0].id, ItemChange(status="blocked"))
    second = change(ctx, items[1].id, ItemChange(status="blocked"))
    undo(ctx, first.undo)

    with pytest.raises(Gone):
        undo(ctx, first.undo)
    clock.advance(timedelta(minutes=5))
    with pytest.raises(Gone):
        undo(ctx, second.undo)


def test_undo_is_only_for_whoever_did_it(ctx, make_ctx, items):
    result = change(ctx, items[0].id, ItemChange(status="blocked"))

    for token in (result.undo, "guess", ""):
        with pytest.raises(NotFound):
            undo(make_ctx("manager", username="somebody"), token)


def test_nothing_is_taken_back_when_all_was_changed_again(ctx, items):
    result = change(ctx, items[0].id, ItemChange(status="blocked"))
    change(ctx, items[0].id, ItemChange(status="in_progress"))

    with pytest.raises(Conflict):
        undo(ctx, result.undo)


def test_work_that_was_taken_back_does_not_count_as_finished(ctx, items):
    from console.services.tracker.summary import board_summary

    result = change(ctx, items[0].id, ItemChange(status="done"))
    assert sum(count for _day, count in board_summary(ctx).finished_by_day) == 1
    undo(ctx, result.undo)

    assert sum(count for _day, count in board_summary(ctx).finished_by_day) == 0
