"""The autopilot: preview equals run, the guard with two anchors, skips, errors, the kill switch."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.config import Config
from console.core.context import start_writing
from console.domain.errors import GlobalScopeRequired, Invalid, PermissionDenied
from console.models.alerts import AlertDelivery
from console.models.automation import BacklogSample, ItemEscalation, RunFact
from console.models.jobs import JobRun
from console.models.policies import PolicyRevision
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.automation import assignment
from console.services.automation import preview as autopilot
from console.services.policies import automation as autopilot_policy
from console.services.remediation import sync as tracker_sync
from tests.services.automation.automation_support import (
    AUTO_ASSIGN,
    AUTOPILOT,
    ESCALATION,
    HOOK,
    events_of,
    item,
    items_of,
    people,
    run,
    set_policy,
)
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx, session, clock):
    people(session, clock)
    session.commit()
    made = make_ctx()
    made.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK)
    # The gate of an empty installation opens items of its own; most tests want only theirs.
    set_policy(made, sync_before_run=False)
    return made


@pytest.fixture
def tracker(session, clock):
    """Three items to give away, two of them to be told about, and one that is left alone."""
    item(session, clock, 1, -2, critical=True)
    item(session, clock, 2, 3)
    item(session, clock, 3, 20)
    item(session, clock, 4, 100, assignee="kim")
    session.commit()


def previewed(ctx, **values):
    ctx.rollback()
    made = autopilot.preview(ctx, **values)
    ctx.rollback()
    return made


def acted(session):
    """Return what happened to the items: who got what, who was told at which level."""
    rows = session.scalars(select(TrackerItem).order_by(TrackerItem.id)).all()
    told = {row.item_id: row.level for row in session.scalars(select(ItemEscalation))}
    given = {row.id: row.assignee for row in rows if row.assignment_source == "auto"}
    session.rollback()
    return given, told


def test_the_preview_names_every_item_with_action_rule_and_numbers(ctx, session, clock, tracker):
    plan = previewed(ctx).plan

    assert [(line.item_id, line.action, line.rule, line.level) for line in plan.lines] == [
        ("GR-001", "auto_assign", "least_loaded", 0),
        ("GR-002", "auto_assign", "least_loaded", 0),
        ("GR-003", "auto_assign", "least_loaded", 0),
        ("GR-001", "escalation", "step", 3),
        ("GR-002", "escalation", "step", 1),
        ("GR-004", "leave", "not_due", 0),
    ]
    first, told, left = plan.lines[0], plan.lines[3], plan.lines[5]
    assert first.numbers["candidates"] == 5
    assert first.numbers["load"] == {"tracker": 0, "work_orders": 0, "weighted": 0.0}
    assert told.numbers["minutes_until_due"] == -120
    assert str(left.reason) == "100 h until the deadline, no step"
    assert {(one.action, one.rule): one.count for one in plan.counts} == {
        ("auto_assign", "least_loaded"): 3,
        ("escalation", "step"): 2,
        ("leave", "not_due"): 2,
    }
    assert (plan.left_alone, plan.truncated) == (1, False)


def test_the_run_does_what_the_preview_promised(ctx, session, clock, tracker):
    plan = previewed(ctx).plan

    found = run(ctx, AUTOPILOT, {"fingerprint": plan.fingerprint})

    given, told = acted(session)
    assert given == {line.id: line.targets[0] for line in plan.lines if line.action == "auto_assign"}
    assert told == {line.id: line.level for line in plan.lines if line.action == "escalation"}
    detail = found.detail
    assert detail["fingerprint"] == plan.fingerprint
    assert (detail["planned_actions"], detail["actions"]) == (["auto_assign", "escalation"],) * 2
    assert (detail["skipped"], detail["skip_reason"], detail["errors"]) == (False, None, [])
    assert [(one["action"], one["status"], one["changed"]) for one in detail["action_results"]] == [
        ("auto_assign", "success", 3),
        ("escalation", "critical", 2),
    ]
    assert (detail["metrics"]["unassigned_open_count"], detail["metrics_after"]["unassigned_open_count"]) == (3, 0)
    assert found.run.status == "warning"


def test_a_dry_run_changes_nothing_but_the_history(ctx, session, clock, tracker):
    counted = [select(func.count()).select_from(model) for model in (TrackerEvent, ItemEscalation, AlertDelivery)]

    found = run(ctx, AUTOPILOT, dry_run=True)

    assert acted(session) == ({}, {})
    assert [session.scalar(statement) for statement in counted] == [0, 0, 0]
    facts = {row.job_name: row for row in session.scalars(select(RunFact))}
    assert set(facts) == {AUTOPILOT, AUTO_ASSIGN, ESCALATION}
    outer = facts[AUTOPILOT]
    assert (outer.dry_run, outer.acted, outer.assigned_count, outer.notified_count) == (True, True, 3, 2)
    assert outer.open_items_after is None
    assert {facts[AUTO_ASSIGN].parent_run_id, facts[ESCALATION].parent_run_id} == {found.run.id}
    nested = session.scalars(select(JobRun).where(JobRun.trigger == "autopilot")).all()
    assert all(row.dry_run and row.state == "finished" for row in nested)


def test_nested_runs_are_rows_of_their_own(ctx, session, clock, tracker):
    found = run(ctx, AUTOPILOT)

    rows = session.scalars(select(JobRun).where(JobRun.trigger == "autopilot").order_by(JobRun.id)).all()
    assert [(row.job_name, row.status) for row in rows] == [(AUTO_ASSIGN, "success"), (ESCALATION, "critical")]
    assert rows[0].detail_json["assigned_count"] == 3
    outer = session.scalars(select(RunFact).where(RunFact.run_id == found.run.id)).one()
    assert (outer.open_items, outer.open_items_after, outer.unassigned_open_count_after) == (4, 4, 0)


def test_a_plan_that_no_longer_holds_is_not_carried_out(ctx, session, clock, tracker):
    plan = previewed(ctx).plan
    item(session, clock, 5, -1)
    session.commit()

    found = run(ctx, AUTOPILOT, {"fingerprint": plan.fingerprint})

    assert (found.detail["skipped"], found.detail["skip_reason"]) == (True, "plan_changed")
    assert found.detail["fingerprint"] != plan.fingerprint
    assert (found.run.status, found.run.executed) == ("warning", False)
    assert acted(session) == ({}, {})


@pytest.mark.parametrize(
    "change",
    [
        lambda ctx, session, clock: set_policy(ctx, auto_assign_max_items=2),
        lambda ctx, session, clock: set_policy(ctx, cooldown_minutes=31),
        lambda ctx, session, clock: clock.advance(timedelta(hours=4)),
        lambda ctx, session, clock: setattr(items_of(session)[2], "assignee", "lee"),
    ],
    ids=["limit", "cooldown", "an item became late", "somebody took an item"],
)
def test_the_fingerprint_follows_what_would_be_done(ctx, session, clock, tracker, change):
    before = previewed(ctx).fingerprint
    change(ctx, session, clock)
    session.commit()

    assert previewed(ctx).fingerprint != before


def test_time_alone_does_not_change_the_plan(ctx, session, clock, tracker):
    before = previewed(ctx).fingerprint
    clock.advance(timedelta(minutes=5))

    assert previewed(ctx).fingerprint == before


def test_nothing_to_do_is_a_skip_unless_the_policy_says_otherwise(ctx, session, clock):
    item(session, clock, 1, 100, assignee="kim")
    session.commit()

    first = run(ctx, AUTOPILOT)
    set_policy(ctx, skip_if_no_action=False)
    second = run(ctx, AUTOPILOT)

    assert (first.detail["skip_reason"], first.run.executed) == ("no_triggered_actions", False)
    assert (second.detail["skipped"], second.detail["actions"], second.run.status) == (False, [], "success")
    # It ran, but did nothing that anybody has to wait for.
    assert autopilot.guard(ctx).guard.reason == "no_recent_run"


@pytest.mark.parametrize("values", [{"enabled": False}, {"paused": True}])
def test_switched_off_it_skips_without_an_alarm_even_when_forced(ctx, session, clock, tracker, values):
    set_policy(ctx, **values)

    found = run(ctx, AUTOPILOT, {"force": True})

    assert (found.detail["enabled"], found.detail["skip_reason"]) == (False, "policy_disabled")
    assert (found.run.status, found.detail["planned_actions"]) == ("success", [])
    assert acted(session) == ({}, {})


def test_the_pinned_story_of_the_cooldown(ctx, session, clock, tracker):
    set_policy(ctx, cooldown_minutes=1440)

    forced = run(ctx, AUTOPILOT, {"force": True}, dry_run=True)
    clock.advance(timedelta(minutes=1))
    dry = run(ctx, AUTOPILOT, dry_run=True)
    clock.advance(timedelta(minutes=1))
    real = run(ctx, AUTOPILOT)
    clock.advance(timedelta(minutes=1))
    held = run(ctx, AUTOPILOT)

    assert (forced.detail["skipped"], forced.detail["actions"]) == (False, ["auto_assign", "escalation"])
    # A dry run is held back by an earlier dry run, a real one is not.
    assert (dry.detail["skip_reason"], dry.detail["guard"]["blocked"]) == ("cooldown_active", True)
    assert (real.detail["skipped"], real.detail["guard"]["reason"]) == (False, "no_recent_run")
    guard = held.detail["guard"]
    assert (held.detail["skip_reason"], guard["minutes_until_ready"]) == ("cooldown_active", 1439)
    assert (guard["last_run_id"], guard["anchor_run_id"]) == (real.run.id, real.run.id)


def test_a_week_of_hourly_runs_with_a_cooldown_of_ninety_minutes(ctx, session, clock):
    set_policy(ctx, cooldown_minutes=90, skip_if_no_action=False, unassigned_trigger=0, overdue_trigger=100000)
    executed = []

    for hour in range(24 * 7):
        clock.advance(timedelta(hours=1, seconds=(hour % 5) - 2))
        if not run(ctx, AUTOPILOT).detail["skipped"]:
            executed.append(hour)

    assert executed == list(range(0, 24 * 7, 2))


def test_a_clock_that_jumped_ahead_and_back_does_not_stop_it_for_long(ctx, session, clock, tracker):
    set_policy(ctx, cooldown_minutes=60)
    clock.advance(timedelta(days=300))
    assert not run(ctx, AUTOPILOT).detail["skipped"]
    clock.advance(-timedelta(days=300))
    item(session, clock, 9, -1)
    session.commit()

    back = run(ctx, AUTOPILOT)
    clock.advance(timedelta(minutes=30))
    held = run(ctx, AUTOPILOT)

    assert (back.detail["skipped"], back.detail["guard"]["reason"]) == (False, "no_recent_run")
    assert (held.detail["skip_reason"], held.detail["guard"]["minutes_until_ready"]) == ("cooldown_active", 30)


def test_the_guard_tells_what_a_run_would_really_do(ctx, session, clock):
    empty = autopilot.guard(ctx).guard
    item(session, clock, 1, -1)
    session.commit()
    busy = autopilot.guard(ctx).guard

    assert (empty.ready, empty.would_run, empty.would_skip_reason) == (True, False, "no_triggered_actions")
    assert (busy.ready, busy.would_run, busy.would_skip_reason) == (True, True, None)
    assert (busy.last_synced_at, busy.stale) == (None, True)


def test_a_preview_of_another_policy_stores_nothing(ctx, session, clock, tracker):
    revisions = session.scalar(select(func.count()).select_from(PolicyRevision))
    made = previewed(
        ctx, force=True, override={"unassigned_trigger": 9999, "overdue_trigger": 9999, "auto_assign_max_items": 1}
    )

    assert (made.planned_actions, made.guard.reason) == (("auto_assign", "escalation"), "force_override")
    assert made.policy["unassigned_trigger"] == 9999
    assert [(one.rule, one.count) for one in made.plan.counts if one.rule == "over_limit"] == [("over_limit", 2)]
    assert session.scalar(select(func.count()).select_from(PolicyRevision)) == revisions
    with pytest.raises(Invalid):
        autopilot.preview(ctx, override={"cooldown_minutes": float("inf")})


def test_items_are_left_alone_for_a_reason(ctx, session, clock):
    item(session, clock, 1, 3, assignee="kim")
    item(session, clock, 2, None, assignee="kim")
    item(session, clock, 3, 200)
    session.commit()
    run(ctx, ESCALATION)
    set_policy(ctx, unassigned_trigger=5)

    plan = previewed(ctx, force=False).plan

    assert {(one.action, one.rule): one.count for one in plan.counts} == {
        ("leave", "auto_assign_not_triggered"): 1,
        ("leave", "told"): 1,
        ("leave", "no_deadline"): 1,
        ("leave", "not_due"): 1,
    }
    assert [(line.item_id, str(line.reason)) for line in plan.lines] == [
        ("GR-001", "Due soon, told already; repeated every 4 h"),
        ("GR-003", "200 h until the deadline, no step"),
    ]


def test_an_action_that_fails_is_told_and_the_next_one_still_runs(ctx, session, clock, tracker, monkeypatch):
    def broken(ctx, effective, limit, *, dry_run):
        session.add(BacklogSample(tracker="x", finished_at=clock.now(), source_job="x", status="x", open_items=1))
        session.flush()
        raise RuntimeError("SELECT secret FROM host db.internal")

    monkeypatch.setattr(assignment, "auto_assign", broken)
    found = run(ctx, AUTOPILOT)

    detail = found.detail
    assert (found.run.status, detail["actions"]) == ("critical", ["auto_assign", "escalation"])
    assert len(detail["errors"]) == 1
    assert detail["errors"][0].startswith("auto_assign failed: internal error ")
    assert "secret" not in str(detail)
    assert [(one["action"], one["error_code"]) for one in detail["action_results"]] == [
        ("auto_assign", "internal"),
        ("escalation", None),
    ]
    given, told = acted(session)
    assert (given, len(told)) == ({}, 2)
    # What the broken action wrote before it broke is gone.
    assert session.scalar(select(func.count()).select_from(BacklogSample)) == 0
    assert session.scalar(select(RunFact.errors_count).where(RunFact.run_id == found.run.id)) == 1


def test_the_kill_switch_works_between_two_actions(ctx, make_ctx, session, clock, tracker, monkeypatch):
    assign = assignment.auto_assign

    def then_stop(ctx, effective, limit, *, dry_run):
        made = assign(ctx, effective, limit, dry_run=dry_run)
        autopilot_policy.pause(ctx, reason="Too many assignments")
        return made

    monkeypatch.setattr(assignment, "auto_assign", then_stop)
    found = run(ctx, AUTOPILOT)

    assert found.detail["actions"] == ["auto_assign"]
    assert [(one["action"], one["status"], one["error_code"]) for one in found.detail["action_results"]] == [
        ("auto_assign", "success", None),
        ("escalation", "skipped", "policy_disabled"),
    ]
    assert session.scalar(select(func.count()).select_from(AlertDelivery)) == 1  # the assignment's own message


def test_stopping_is_for_managers_and_resuming_for_owners(make_ctx, ctx, session):
    def use(act, role, sites=("*",), reason="because"):
        session.rollback()
        start_writing(session)
        actor = make_ctx(role, sites)
        return act(actor, reason=reason)

    with pytest.raises(PermissionDenied):
        use(autopilot_policy.pause, "operator")
    with pytest.raises(GlobalScopeRequired):
        use(autopilot_policy.pause, "manager", ("본관",))
    with pytest.raises(Invalid):
        use(autopilot_policy.pause, "manager", reason=" ")
    assert use(autopilot_policy.pause, "manager").values["paused"]
    session.commit()
    with pytest.raises(PermissionDenied):
        use(autopilot_policy.resume, "manager")
    assert not use(autopilot_policy.resume, "owner").values["paused"]
    session.commit()
    sources = session.scalars(select(PolicyRevision.source).order_by(PolicyRevision.id)).all()
    assert sources[-2:] == ["pause", "resume"]


def test_it_syncs_with_the_gate_before_it_acts_and_never_in_a_dry_run(ctx, session, clock):
    set_policy(ctx, sync_before_run=True)

    dry = run(ctx, AUTOPILOT, dry_run=True)
    untouched = items_of(session)
    real = run(ctx, AUTOPILOT)

    assert untouched == {}
    assert "sync" not in [one["action"] for one in dry.detail["action_results"]]
    assert real.detail["action_results"][0]["action"] == "sync"
    assert real.detail["action_results"][0]["changed"] == len(items_of(session)) > 0
    # What the sync opened was given away in the same run, and "sync" is no planned action.
    assert real.detail["planned_actions"][0] == "auto_assign"
    assert len(events_of(session, "auto_assigned")) == len(items_of(session))


def test_a_gate_that_cannot_be_asked_does_not_stop_the_rest(ctx, session, clock, tracker, monkeypatch):
    set_policy(ctx, sync_before_run=True)

    def broken(ctx, **values):
        raise RuntimeError

    monkeypatch.setattr(tracker_sync, "sync", broken)
    found = run(ctx, AUTOPILOT)

    assert found.detail["action_results"][0]["error_code"] == "internal"
    assert (found.run.status, len(acted(session)[0])) == ("critical", 3)


def test_everything_of_the_autopilot_is_for_those_who_see_all_sites(make_ctx, session):
    scoped = make_ctx("manager", ("본관",))

    for use in (autopilot.guard, autopilot.preview):
        with pytest.raises(GlobalScopeRequired):
            use(scoped)
    with pytest.raises(GlobalScopeRequired):
        run(scoped, AUTOPILOT)
    with pytest.raises(PermissionDenied):
        run(make_ctx("operator"), AUTOPILOT)


def test_a_preview_takes_a_fixed_number_of_queries(ctx, session, clock, engine):
    def queries(count, start):
        for number in range(start, start + count):
            item(session, clock, number, number % 40 - 20, assignee="kim" if number % 2 else None)
        session.commit()
        with statements(engine) as seen:
            previewed(ctx)
        return len(seen)

    assert queries(5, 1) == queries(200, 100) <= 24
