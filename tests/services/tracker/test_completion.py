import pytest

from console.domain.errors import GlobalScopeRequired, PermissionDenied
from console.domain.tracker.requests import ItemChange
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import summary as tracker
from console.services.tracker.completion import NotReady
from tests.factories.tracker import HOUR, add_item
from tests.services.tracker.tracker_support import audited, synced

DR, DAILY = "dr_restore_valid_recent", "daily_check_recent"


def finish(ctx, result):
    for item in result.items:
        tracker_items.change(ctx, item.id, ItemChange(assignee="Ops Owner", status="done", completion_checked=True))


def test_a_tracker_that_is_not_ready_is_not_closed(ctx, session):
    synced(ctx, DR, DAILY)

    with pytest.raises(NotReady) as caught:
        tracker_completion.complete(ctx, note="closed")
    assert list(caught.value.detail) == ["message", "blockers", "readiness_score_percent"]
    assert (len(caught.value.detail["blockers"]), caught.value.detail["readiness_score_percent"]) == (3, 57)
    assert tracker_completion.completion(ctx).status == "active"
    ctx.rollback()
    assert audited(session, "complete") == []


def test_a_ready_tracker_is_closed_and_force_leaves_no_mark_then(ctx, session):
    finish(ctx, synced(ctx, DR, DAILY))
    closed = tracker_completion.complete(ctx, note="  아침 회의에서 확인 ", force=True)
    ctx.commit()

    assert (closed.status, closed.completion_note, closed.force_used) == ("completed", "아침 회의에서 확인", False)
    assert (closed.completed_by, closed.completed_at) == (ctx.actor.username, ctx.now())
    assert closed.completed_readiness["ready"] is True
    assert closed.history_count == 1
    ((kind, resource, status, detail),) = audited(session, "complete")
    assert (kind, resource, status) == ("ops_governance_remediation_tracker", "global", "success")
    assert list(detail) == ["status", "force", "ready", "readiness_score_percent", "blockers"]


def test_a_forced_closing_leaves_a_mark(ctx, session):
    synced(ctx, DR)
    closed = tracker_completion.complete(ctx, force=True)
    ctx.commit()

    assert (closed.status, closed.force_used) == ("completed_with_exceptions", True)
    assert audited(session, "complete")[0][2] == "warning"


def test_every_closing_and_reopening_stays_readable(ctx, clock):
    result = synced(ctx, DR)
    tracker_completion.complete(ctx, force=True, note="first")
    clock.advance(HOUR)
    tracker_completion.complete(ctx, force=True, note="second")
    tracker_items.change(ctx, result.items[0].id, ItemChange(status="blocked"))
    entries, total = tracker_completion.history(ctx)

    assert [(entry.kind, entry.note) for entry in entries] == [
        ("reopened", ""),
        ("completed", "second"),
        ("completed", "first"),
    ]
    assert (total, tracker_completion.completion(ctx).history_count) == (3, 2)


def test_a_sync_that_only_refreshes_does_not_reopen_and_one_that_resolves_does(ctx, clock):
    synced(ctx, DR, DAILY)
    tracker_completion.complete(ctx, force=True)
    clock.advance(HOUR)
    synced(ctx, DR, DAILY)
    assert tracker_completion.completion(ctx).status == "completed_with_exceptions"

    synced(ctx, DR, passed=[DAILY])
    assert tracker_completion.completion(ctx).status == "active"


def test_reading_the_completion_does_not_move_it(ctx, clock):
    synced(ctx, DR)
    closed = tracker_completion.complete(ctx, force=True)
    clock.advance(HOUR)

    assert tracker_completion.completion(ctx).last_checked_at == closed.last_checked_at


def test_a_synced_empty_tracker_may_be_closed_and_one_that_was_never_synced_not(ctx):
    with pytest.raises(NotReady):
        tracker_completion.complete(ctx)
    synced(ctx, passed=[DR])

    assert tracker.readiness(ctx).never_synced is False
    assert tracker_completion.complete(ctx).status == "completed"


def test_closing_as_a_whole_needs_the_permission_and_all_sites(make_ctx, session, clock):
    add_item(session, clock.now(), 1)
    session.commit()
    for role in ("operator", "auditor"):
        with pytest.raises(PermissionDenied):
            tracker_completion.complete(make_ctx(role), force=True)
    with pytest.raises(GlobalScopeRequired):
        tracker_completion.complete(make_ctx("manager", ("한빛마을 3단지",)), force=True)

    assert tracker_completion.complete(make_ctx("manager"), force=True).force_used
