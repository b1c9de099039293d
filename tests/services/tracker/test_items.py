from datetime import timedelta

import pytest

from console.domain.errors import (
    Conflict,
    GlobalScopeRequired,
    Invalid,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    SiteDenied,
)
from console.domain.tracker.requests import ItemChange, NewItem
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import manual as tracker_manual
from console.services.tracker.items import change
from tests.factories import make_site, make_user
from tests.factories.tracker import HOUR, add_item
from tests.services.tracker.tracker_support import audited, synced


@pytest.fixture
def item(ctx, session, clock):
    row = add_item(session, clock.now(), 1)
    session.commit()
    return row.id


def test_a_change_is_stored_with_events_audit_and_version(ctx, session, item, clock):
    clock.advance(HOUR)
    result = change(ctx, item, ItemChange(assignee=" Ops Owner ", status="blocked", completion_checked=False))
    ctx.commit()

    assert (result.item.assignee, result.item.status, result.item.version) == ("Ops Owner", "blocked", 2)
    assert (result.item.assignee_state, result.item.assignment_source) == ("unknown", "manual")
    assert result.item.assigned_at == result.item.updated_at == clock.now()
    assert result.undo
    kinds = [event.kind for event in tracker_items.events_of(ctx, item)[0]]
    assert kinds == ["status", "assigned"]
    (row,) = audited(session, "item_update")
    assert row[:3] == ("ops_governance_remediation_tracker_item", str(item), "success")
    assert {key: row[3][key] for key in ("status", "assignee", "completion_checked", "is_active")} == {
        "status": "blocked",
        "assignee": "Ops Owner",
        "completion_checked": False,
        "is_active": True,
    }
    assert (row[3]["old"]["status"], row[3]["new"]["status"]) == ("pending", "blocked")


def test_an_empty_assignee_clears_it(ctx, item):
    change(ctx, item, ItemChange(assignee="Ops Owner"))

    assert change(ctx, item, ItemChange(assignee="  ")).item.assignee is None


@pytest.mark.parametrize(
    ("text", "state"), [("kim", "user"), ("KIM", "user"), ("gone", "inactive"), ("nobody", "unknown")]
)
def test_an_assignee_is_matched_with_the_users(ctx, session, clock, item, text, state):
    make_user(session, now=clock.now(), username="kim", display_name="김정비")
    make_user(session, now=clock.now(), username="gone", is_active=False)

    found = change(ctx, item, ItemChange(assignee=text)).item

    assert (found.assignee, found.assignee_state) == (text, state)


def test_done_is_stamped_once_and_a_later_note_does_not_move_it(ctx, item, clock):
    first = change(ctx, item, ItemChange(status="done")).item
    clock.advance(HOUR)
    second = change(ctx, item, ItemChange(completion_note="  done by hand ")).item

    assert first.completed_at == second.completed_at
    assert (second.completion_note, second.completion_checked, second.verified) == ("done by hand", True, False)


def test_a_contradicting_pair_is_put_right_and_said_so(ctx, item):
    result = change(ctx, item, ItemChange(status="blocked", completion_checked=True))

    assert (result.item.status, result.adjusted) == ("done", True)


def test_an_empty_change_stamps_who_and_when_but_is_no_new_version(ctx, item, clock):
    clock.advance(HOUR)
    result = change(ctx, item, ItemChange())

    assert (result.item.version, result.undo, result.item.updated_at) == (1, None, clock.now())
    assert result.item.updated_by == ctx.actor.username
    assert tracker_items.events_of(ctx, item)[1] == 0


@pytest.mark.parametrize(
    "wanted", [ItemChange(status="pending"), ItemChange(completion_checked=False), ItemChange(completion_note="x")]
)
def test_a_change_that_changes_no_state_does_not_reopen_the_completion(ctx, session, item, wanted):
    tracker_completion.complete(ctx, force=True)

    change(ctx, item, wanted)

    assert tracker_completion.completion(ctx).status == "completed_with_exceptions"


@pytest.mark.parametrize("wanted", [ItemChange(status="in_progress"), ItemChange(assignee="kim")])
def test_a_real_change_reopens_the_completion(ctx, item, wanted):
    tracker_completion.complete(ctx, force=True, note="closed")

    assert change(ctx, item, wanted).reopened_completion
    state = tracker_completion.completion(ctx)
    assert (state.status, state.completion_note, state.force_used, state.completed_by) == ("active", "", False, None)
    assert state.completed_readiness["reason"] == "tracker_item_updated"
    assert state.history_count == 1


@pytest.mark.parametrize(
    "wanted",
    [
        ItemChange(status="pending"),
        ItemChange(completion_checked=False),
        ItemChange(due_at="later", reason="x"),
    ],
)
def test_the_state_of_an_inactive_item_cannot_be_changed(ctx, session, clock, wanted):
    from dataclasses import replace

    row = add_item(session, clock.now(), 1, status="done", is_active=False)
    if wanted.due_at:
        wanted = replace(wanted, due_at=clock.now() + HOUR)

    with pytest.raises(Conflict) as caught:
        change(ctx, row.id, wanted)
    assert caught.value.code == "item_inactive"


def test_a_note_on_an_inactive_item_is_allowed(ctx, session, clock):
    row = add_item(session, clock.now(), 1, status="done", is_active=False)

    assert change(ctx, row.id, ItemChange(completion_note="afterthought")).item.completion_note == "afterthought"


def test_a_new_due_date_needs_a_reason_and_keeps_its_history(ctx, item, clock):
    later = clock.now() + 90 * HOUR

    with pytest.raises(Invalid):
        change(ctx, item, ItemChange(due_at=later))
    with pytest.raises(Invalid):
        change(ctx, item, ItemChange(due_at=later, reason="  "))
    with pytest.raises(Invalid):
        change(ctx, item, ItemChange(due_at=clock.now() + timedelta(days=9000), reason="some day"))
    found = change(ctx, item, ItemChange(due_at=later, reason="부품 대기")).item

    assert (found.due_at, found.due_changed_at) == (later, clock.now())
    (event,), _total = tracker_items.events_of(ctx, item)
    assert (event.kind, event.new["reason"]) == ("due", "부품 대기")


def test_a_stale_version_is_refused_by_body_and_by_header(ctx, item):
    change(ctx, item, ItemChange(status="in_progress"))

    with pytest.raises(Conflict) as body:
        change(ctx, item, ItemChange(status="blocked"), version=1)
    with pytest.raises(PreconditionFailed) as header:
        change(ctx, item, ItemChange(status="blocked"), if_match=1)
    assert body.value.detail["current_version"] == header.value.detail["current_version"] == 2
    assert change(ctx, item, ItemChange(status="blocked"), version=2, if_match=2).item.version == 3


@pytest.mark.parametrize("item_id", [0, -1, 999, 2**31, 2**70])
def test_an_unknown_item_is_not_found(ctx, item_id):
    with pytest.raises(NotFound) as caught:
        tracker_items.get(ctx, item_id)
    assert str(caught.value.detail) == "Remediation tracker item not found"


def test_an_item_of_another_site_is_out_of_reach(make_ctx, session, clock):
    mine = add_item(session, clock.now(), 1, site="한빛마을 3단지")
    other = add_item(session, clock.now(), 2, site="푸른숲 타워")
    platform = add_item(session, clock.now(), 3)
    session.commit()
    scoped = make_ctx("operator", ("한빛마을 3단지",))

    assert tracker_items.get(scoped, mine.id).id == mine.id
    assert tracker_items.get(scoped, platform.id).id == platform.id
    for attempt in (
        lambda: tracker_items.get(scoped, other.id),
        lambda: change(scoped, other.id, ItemChange(status="done")),
        lambda: tracker_items.claim(scoped, other.id),
        lambda: tracker_items.comment(scoped, other.id, "hello"),
        lambda: tracker_items.events_of(scoped, other.id),
    ):
        with pytest.raises(SiteDenied):
            attempt()


def test_an_auditor_reads_and_changes_nothing(make_ctx, item):
    auditor = make_ctx("auditor")

    assert tracker_items.get(auditor, item).id == item
    for attempt in (
        lambda: change(auditor, item, ItemChange(status="done")),
        lambda: tracker_items.claim(auditor, item),
        lambda: tracker_items.comment(auditor, item, "hello"),
        lambda: tracker_manual.create(auditor, NewItem("x")),
    ):
        with pytest.raises(PermissionDenied) as caught:
            attempt()
        assert str(caught.value.detail) == "Missing permission: admins:manage"


def test_an_assignee_without_the_write_permission_works_on_their_own_item_only(make_ctx, session, clock, item):
    user = make_user(session, now=clock.now(), username="lee", role="auditor")
    session.commit()
    lee = make_ctx("auditor", username="lee", user_id=user.id)
    change(make_ctx(), item, ItemChange(assignee="lee"))

    found = change(lee, item, ItemChange(status="done", completion_note="fixed")).item

    assert (found.status, found.accepted_at) == ("done", clock.now())
    tracker_items.comment(lee, item, "see photo")
    for wanted in (ItemChange(assignee="kim"), ItemChange(due_at=clock.now() + HOUR, reason="later")):
        with pytest.raises(PermissionDenied):
            change(lee, item, wanted)


def test_claiming_is_for_whoever_comes_first(make_ctx, item):
    first, second = make_ctx("operator", username="kim"), make_ctx("operator", username="lee")

    taken = tracker_items.claim(first, item)

    assert (taken.item.assignee, taken.item.accepted_at) == ("kim", taken.item.assigned_at)
    with pytest.raises(Conflict):
        tracker_items.claim(second, item)


def test_a_done_item_cannot_be_claimed(ctx, session, clock):
    row = add_item(session, clock.now(), 1, status="done")

    with pytest.raises(Conflict):
        tracker_items.claim(ctx, row.id)


def test_a_comment_is_an_event_and_no_new_version(ctx, session, item):
    made = tracker_items.comment(ctx, item, "  사진 올렸습니다 ")
    ctx.commit()

    assert (made.kind, made.new, made.actor) == ("comment", {"text": "사진 올렸습니다"}, ctx.actor.username)
    found = tracker_items.get(ctx, item)
    assert (found.comment_count, found.version) == (1, 1)
    assert len(audited(session, "item_comment")) == 1
    with pytest.raises(Invalid):
        tracker_items.comment(ctx, item, " ")


def test_an_item_added_by_hand_gets_the_next_number_and_outlives_every_sync(ctx, session, clock):
    synced(ctx, "dr_restore_valid_recent", "daily_check_recent")
    make_site(session, "한빛마을 3단지", now=clock.now())
    made = tracker_manual.create(ctx, NewItem("변전실 점검표 갱신", site="한빛마을 3단지", sla_hours=8, assignee="kim"))
    ctx.commit()

    assert (made.item_id, made.item_type, made.title) == ("GR-003", "manual", "변전실 점검표 갱신")
    assert made.due_at == clock.now() + 8 * HOUR
    clock.advance(HOUR)
    synced(ctx, passed=("dr_restore_valid_recent", "daily_check_recent", made.rule_id))
    assert tracker_items.get(ctx, made.id).is_open


@pytest.mark.parametrize("site", ["nowhere", "", "폐쇄"])
def test_an_item_needs_a_site_that_is_run(ctx, session, clock, site):
    make_site(session, "폐쇄", now=clock.now(), is_active=False)

    with pytest.raises(Invalid):
        tracker_manual.create(ctx, NewItem("x", site=site))


def test_an_item_of_the_platform_needs_a_caller_for_all_sites(make_ctx):
    with pytest.raises(GlobalScopeRequired):
        tracker_manual.create(make_ctx("manager", ("한빛마을 3단지",)), NewItem("x"))


def test_only_finished_items_added_by_hand_can_be_closed(ctx, session, item, clock):
    made = tracker_manual.create(ctx, NewItem("x"))
    for item_id in (item, made.id):
        with pytest.raises(Conflict):
            tracker_manual.close(ctx, item_id)
    change(ctx, made.id, ItemChange(status="done"))

    assert tracker_manual.close(ctx, made.id).item.is_active is False
