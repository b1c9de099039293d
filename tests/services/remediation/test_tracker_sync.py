import pytest
from sqlalchemy import select

from console.core.i18n import text_in
from console.domain.tracker.requests import ItemChange
from console.models.alerts import AlertDelivery
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker.items import change
from tests.factories.tracker import HOUR, add_item
from tests.services.automation.automation_support import HOOK, set_policy
from tests.services.tracker.tracker_support import audited, synced

DR, DAILY, STREAK = "dr_restore_valid_recent", "daily_check_recent", "weekly_streak_target_met"


def by_rule(result):
    return {item.rule_id: item for item in result.items}


def test_a_first_sync_opens_numbered_items_with_history(ctx, session):
    result = synced(ctx, DR, DAILY)

    assert (result.created_count, result.active_count, result.synced_count) == (2, 2, 2)
    assert [item.item_id for item in result.items] == ["GR-001", "GR-002"]
    first = by_rule(result)[DR]
    assert (first.status, first.assignee, first.created_by) == ("pending", None, ctx.actor.username)
    assert first.due_at == ctx.now() + 24 * HOUR
    assert first.action == text_in("ko", first.texts["action"])
    assert first.reason == first.texts["reason"]["msgid"]
    (event,), _total = tracker_items.events_of(ctx, first.id)
    assert (event.kind, event.new["status"]) == ("opened", "pending")
    assert audited(session, "sync") == [
        (
            "ops_governance_remediation_tracker",
            "global",
            "success",
            {
                "include_warnings": True,
                "max_items": 30,
                "active_count": 2,
                "created_count": 2,
                "reopened_count": 0,
                "resolved_count": 0,
            },
        )
    ]


def test_repeating_a_sync_changes_nothing_but_the_stamp(ctx, clock):
    before = by_rule(synced(ctx, DR))[DR]
    clock.advance(5 * HOUR)
    result = synced(ctx, DR)
    after = by_rule(result)[DR]

    assert (result.created_count, result.reopened_count, result.resolved_count, result.raised_count) == (0, 0, 0, 0)
    assert (after.due_at, after.opened_at, after.version) == (before.due_at, before.opened_at, before.version)
    assert after.gate_generated_at == after.updated_at == clock.now()


def test_numbers_are_kept_while_the_rank_of_the_plan_moves(ctx, clock):
    synced(ctx, DR)
    clock.advance(HOUR)
    items = by_rule(synced(ctx, DAILY, DR))

    assert (items[DR].item_id, items[DR].plan_rank) == ("GR-001", 2)
    assert (items[DAILY].item_id, items[DAILY].plan_rank) == ("GR-002", 1)


def test_what_a_person_did_survives_a_sync(ctx, clock):
    item = by_rule(synced(ctx, DR))[DR]
    change(ctx, item.id, ItemChange(assignee="kim", status="blocked", completion_note="waiting"))
    change(ctx, item.id, ItemChange(due_at=clock.now() + 90 * HOUR, reason="부품 대기"))
    clock.advance(HOUR)
    after = by_rule(synced(ctx, DR))[DR]

    assert (after.assignee, after.status, after.completion_note) == ("kim", "blocked", "waiting")
    assert after.due_at == clock.now() + 89 * HOUR


def test_a_filtered_sync_closes_nothing(ctx, clock):
    synced(ctx, DR, DAILY, STREAK)
    clock.advance(HOUR)
    result = synced(ctx, DAILY)

    assert (result.active_count, result.resolved_count, result.untouched_count) == (3, 0, 2)


def test_a_rule_that_passes_resolves_its_item_and_counts_as_finished_work(ctx, clock):
    item = by_rule(synced(ctx, DR))[DR]
    clock.advance(HOUR)
    result = synced(ctx, passed=[DR])
    after = tracker_items.get(ctx, item.id)

    assert (result.resolved_count, result.active_count, result.items) == (1, 0, ())
    assert (after.status, after.is_active, after.verified, after.completed_at) == ("done", False, True, clock.now())
    assert after.completion_note == ""
    assert tracker_items.events_of(ctx, item.id)[0][0].kind == "resolved"


def test_a_claimed_done_is_reopened_by_the_second_snapshot_that_contradicts_it(ctx, clock):
    item = by_rule(synced(ctx, DR))[DR]
    change(ctx, item.id, ItemChange(assignee="kim", status="done"))
    clock.advance(HOUR)
    first = synced(ctx, DR)
    clock.advance(HOUR)
    second = synced(ctx, DR)
    after = by_rule(second)[DR]

    assert (first.reopened_count, first.unproven_count) == (0, 1)
    assert (second.reopened_count, after.status, after.assignee, after.reopened_count) == (1, "pending", "kim", 1)
    assert after.due_at == item.due_at
    kinds = [event.kind for event in tracker_items.events_of(ctx, item.id)[0]]
    assert kinds == ["reopened", "unproven", "status", "assigned", "opened"]


def test_a_rule_that_comes_back_opens_a_new_episode_of_the_same_item(ctx, clock):
    item = by_rule(synced(ctx, DR))[DR]
    clock.advance(HOUR)
    synced(ctx, passed=[DR])
    clock.advance(HOUR)
    result = synced(ctx, DR)
    after = by_rule(result)[DR]

    assert (result.created_count, result.reopened_count) == (0, 1)
    assert (after.id, after.item_id, after.status, after.is_active) == (item.id, item.item_id, "pending", True)
    assert (after.first_seen_at, after.opened_at) == (item.first_seen_at, clock.now())
    assert after.due_at == clock.now() + 24 * HOUR


def test_a_rule_that_got_worse_reopens_the_completion(ctx, clock):
    item = by_rule(synced(ctx, DR))[DR]
    change(ctx, item.id, ItemChange(assignee="kim"))
    tracker_completion.complete(ctx, force=True)
    clock.advance(HOUR)

    assert synced(ctx, DR).completion_reopened is False
    result = synced(ctx, DR, rule_status="fail", required=True, priority=1)

    assert (result.raised_count, result.completion_reopened) == (1, True)
    assert tracker_completion.completion(ctx).completed_readiness["reason"] == "tracker_synced"
    raised = tracker_items.events_of(ctx, item.id)[0][0]
    assert (raised.kind, raised.old["rule_status"], raised.new["rule_status"]) == ("raised", "warning", "fail")


@pytest.mark.parametrize("quiet", [None, {"notify_enabled": False}, {"paused": True}])
def test_a_rule_that_got_worse_is_told_once(ctx, session, clock, quiet):
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URL=HOOK)
    item = by_rule(synced(ctx, DR))[DR]
    ctx.commit()
    if quiet:
        set_policy(ctx, **quiet)
    ctx.begin_write()
    for _sync in range(2):
        clock.advance(HOUR)
        synced(ctx, DR, rule_status="fail", required=True, priority=1)

    sent = session.scalars(select(AlertDelivery)).all()
    assert len(sent) == (0 if quiet else 1)
    for one in sent:
        line = one.payload_json["items"][0]
        assert (one.event_type, one.payload_json["raised_count"]) == ("ops_governance_remediation_raised", 1)
        assert (line["id"], line["rule_id"], line["rule_status"], line["assignee"]) == (item.id, DR, "fail", None)
        assert line["title"] == "복구 리허설 재실행(복원 확인까지)"


def test_other_items_of_the_same_rule_are_not_the_syncs_business(ctx, session, clock):
    by_site = add_item(session, clock.now(), 7, item_key=DR, site="한빛마을 3단지")
    by_hand = add_item(session, clock.now(), 8, item_key=DR, item_type="manual")
    session.commit()
    synced(ctx, passed=[DR])

    assert tracker_items.get(ctx, by_site.id).is_open
    assert tracker_items.get(ctx, by_hand.id).is_open
