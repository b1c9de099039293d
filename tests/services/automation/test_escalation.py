"""Escalation: one message per step, remembered only when somebody was told, the same in dry runs and real ones."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.config import Config
from console.domain.errors import GlobalScopeRequired, PermissionDenied
from console.models.alerts import AlertDelivery
from console.models.automation import ItemEscalation, RunFact
from console.models.tracker import TrackerEvent
from console.services.alerts import channels
from console.services.alerts.channels import Wish
from console.services.automation import preview as autopilot
from console.services.tracker import items as tracker_items
from console.services.tracker import snooze
from tests.factories import make_user
from tests.services.automation.automation_support import (
    ESCALATION,
    HOOK,
    HOUR,
    events_of,
    item,
    items_of,
    run,
    set_policy,
)
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx):
    made = make_ctx()
    made.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK, PUBLIC_URL="https://ops.example/")
    return made


@pytest.fixture
def tracker(session, clock):
    """Items: critical and late, late, due soon, not due for a day, in the first half of a short SLA, no deadline."""
    item(session, clock, 1, -2, critical=True, assignee="kim", reason="No rehearsal", owner_role="DR Owner")
    item(session, clock, 2, -1, assignee="lee")
    item(session, clock, 3, 3, assignee="lee")
    item(session, clock, 4, 20)
    item(session, clock, 5, 4, sla_hours=4, critical=True)
    item(session, clock, 6, None)
    item(session, clock, 7, -9, status="done")
    item(session, clock, 8, -9, is_active=False)
    session.commit()
    return {row.number: row.id for row in items_of(session).values()}


def told(session):
    """Return number and level of what the memory holds."""
    numbers = {row.id: row.number for row in items_of(session).values()}
    return {numbers[row.item_id]: row.level for row in session.scalars(select(ItemEscalation))}


def payloads(session):
    return [row.payload_json for row in session.scalars(select(AlertDelivery).order_by(AlertDelivery.id))]


def test_each_item_is_told_at_its_step(ctx, session, clock, tracker):
    found = run(ctx, ESCALATION)

    made = found.result.detail
    assert (made.candidate_count, made.critical_count) == (3, 1)
    assert (made.notified_count, made.suppressed_count) == (3, 0)
    assert (made.notify_attempted, made.notify_dispatched, made.notify_error) == (True, True, None)
    assert [(one.target, one.success) for one in made.notify_channels] == [("https://hooks.example/…", True)]
    assert [(one.item_id, one.escalation_level, one.escalation_rule) for one in made.items] == [
        ("GR-001", 3, "step"),
        ("GR-002", 2, "step"),
        ("GR-003", 1, "step"),
    ]
    assert found.run.status == "critical"
    assert told(session) == {1: 3, 2: 2, 3: 1}
    assert [(event.item_id, event.new, event.run_id) for event in events_of(session, "escalated")] == [
        (tracker[1], {"level": 3}, found.run.id),
        (tracker[2], {"level": 2}, found.run.id),
        (tracker[3], {"level": 1}, found.run.id),
    ]


def test_the_message_says_what_why_and_where(ctx, session, clock, tracker):
    run(ctx, ESCALATION)

    payload = payloads(session)[0]
    assert payload["event"] == payload["job_name"] == ESCALATION
    assert (payload["dry_run"], payload["due_soon_hours"]) == (False, 12)
    assert (payload["candidate_count"], payload["critical_count"], payload["notified_count"]) == (3, 1, 3)
    assert payload["checked_at"] == clock.now().isoformat(timespec="microseconds")
    assert payload["items"][0] == {
        "id": tracker[1],
        "item_id": "GR-001",
        "rule_id": "rule_1",
        "title": "Repair rule 1",
        "priority": 4,
        "due_at": (clock.now() - timedelta(hours=2)).isoformat(timespec="microseconds"),
        "assignee": "kim",
        "assignee_name": "kim",
        "status": "pending",
        "rule_status": "fail",
        "owner_role": "DR Owner",
        "reason": "No rehearsal",
        "site": None,
        "escalation_level": 3,
        "url": f"https://ops.example/board/items/{tracker[1]}",
        "warning": "“kim” 계정이 없습니다",
    }
    assert payload["assignees"] == [
        {"assignee": "lee", "notified_count": 2},
        {"assignee": "kim", "notified_count": 1},
    ]


def test_the_dry_run_promises_what_the_real_run_keeps(ctx, session, clock, tracker):
    dry = run(ctx, ESCALATION, dry_run=True)
    nothing = (told(session), payloads(session), events_of(session, "escalated"))
    real = run(ctx, ESCALATION)

    assert nothing == ({}, [], [])
    before, after = dry.result.detail, real.result.detail
    assert (before.notify_attempted, before.notify_dispatched) == (False, False)
    for name in ("candidate_count", "critical_count", "notified_count", "suppressed_count", "items", "status"):
        assert getattr(before, name) == getattr(after, name)
    assert dry.run.status == real.run.status == "critical"


def test_nobody_hears_the_same_thing_twice(ctx, session, clock, tracker):
    run(ctx, ESCALATION)
    clock.advance(timedelta(minutes=35))
    again = run(ctx, ESCALATION).result.detail

    assert (again.candidate_count, again.notified_count, again.suppressed_count) == (3, 0, 3)
    assert (again.notify_attempted, again.notify_error) == (False, None)
    assert len(payloads(session)) == 1


def test_a_day_of_hourly_runs_names_an_item_seven_times(ctx, session, clock):
    item(session, clock, 1, 6)
    session.commit()

    for _hour in range(24):
        clock.advance(timedelta(minutes=20))
        run(ctx, ESCALATION)
        clock.advance(timedelta(minutes=40))

    # Due soon at once and four hours later, late after six hours, then every four hours.
    levels = [payload["items"][0]["escalation_level"] for payload in payloads(session)]
    assert levels == [1, 1, 2, 2, 2, 2, 2]
    memory = session.scalars(select(ItemEscalation)).one()
    assert (memory.level, memory.count) == (2, 7)


def test_becoming_late_is_told_whatever_the_interval(ctx, session, clock, tracker):
    run(ctx, ESCALATION)
    clock.advance(timedelta(hours=3, seconds=1))
    made = run(ctx, ESCALATION).result.detail

    assert [(one["item_id"], one["escalation_level"]) for one in payloads(session)[1]["items"]] == [
        ("GR-003", 2),
        ("GR-005", 1),
    ]
    assert (made.notified_count, made.suppressed_count) == (2, 2)


def test_without_a_channel_the_run_says_so_and_tries_again(make_ctx, session, clock, tracker):
    first = run(make_ctx(), ESCALATION)

    made = first.result.detail
    assert (made.notify_attempted, made.notify_dispatched, made.notify_error) == (True, False, "no_targets")
    assert (made.notified_count, made.notify_channels, made.notify_state) == (0, (), "failed")
    assert (told(session), events_of(session, "escalated")) == ({}, [])

    ctx = make_ctx()
    ctx.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK)
    assert run(ctx, ESCALATION).result.detail.notified_count == 3


def test_a_silent_escalation_is_at_least_a_warning(make_ctx, session, clock):
    item(session, clock, 1, 3)
    session.commit()

    assert run(make_ctx(), ESCALATION).run.status == "warning"


@pytest.mark.parametrize(
    ("policy", "settings", "options", "attempted"),
    [
        ({}, {}, {}, True),
        ({"notify_enabled": False}, {}, {}, False),
        ({"notify_enabled": False}, {}, {"notify": True}, True),
        ({}, {}, {"notify": False}, False),
        ({}, {"GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED": False}, {}, False),
        ({}, {"GOVERNANCE_REMEDIATION_ESCALATION_NOTIFY_ENABLED": False}, {"notify": True}, True),
    ],
)
def test_policy_settings_and_request_decide_whether_anybody_is_told(
    ctx, session, clock, tracker, policy, settings, options, attempted
):
    ctx.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK, **settings)
    set_policy(ctx, **policy)

    made = run(ctx, ESCALATION, options).result.detail

    assert (made.notify_enabled, made.notify_attempted) == (attempted, attempted)
    assert bool(payloads(session)) == bool(told(session)) == attempted


def test_zero_hours_are_overdue_items_only(ctx, session, clock, tracker):
    made = run(ctx, ESCALATION, {"include_due_soon_hours": 0}).result.detail

    assert (made.due_soon_hours, [one.item_id for one in made.items]) == (0, ["GR-001", "GR-002"])


def test_the_window_of_a_short_sla_can_be_widened_by_the_policy(ctx, session, clock, tracker):
    set_policy(ctx, escalation_half_sla=False)

    made = run(ctx, ESCALATION).result.detail

    assert "GR-005" in [one.item_id for one in made.items]
    assert {one.item_id: one.due_soon_effective_minutes for one in made.items}["GR-005"] == 720


@pytest.mark.parametrize(
    ("settings", "policy", "enabled"),
    [({"GOVERNANCE_REMEDIATION_ESCALATION_ENABLED": False}, {}, False), ({}, {"paused": True}, True)],
)
def test_switched_off_it_is_skipped_without_an_alarm(ctx, session, clock, tracker, settings, policy, enabled):
    ctx.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK, **settings)
    set_policy(ctx, **policy)

    found = run(ctx, ESCALATION)

    made = found.result.detail
    assert (found.run.status, found.run.executed) == ("success", False)
    assert (made.enabled, made.skipped, made.skip_reason) == (enabled, True, "disabled")
    assert (made.candidate_count, payloads(session)) == (3, [])


def test_a_moved_deadline_starts_afresh(ctx, session, clock, tracker):
    run(ctx, ESCALATION)
    rows = items_of(session)
    rows[2].due_at = clock.now() - timedelta(minutes=30)
    session.commit()

    assert run(ctx, ESCALATION).result.detail.notified_count == 1


def test_the_item_says_what_people_were_told_of_it(ctx, session, clock, tracker):
    run(ctx, ESCALATION)
    clock.advance(5 * HOUR)
    run(ctx, ESCALATION)
    items_of(session)[2].due_at = clock.now() - timedelta(minutes=30)
    session.commit()

    def said(number):
        found = tracker_items.get(ctx, tracker[number])
        return found.escalation_level, found.escalation_count, found.last_escalated_at

    # Due soon and then late; late twice, and nothing yet of the deadline that was moved since; never.
    assert [said(number) for number in (3, 1, 2, 4)] == [
        (2, 2, clock.now()),
        (3, 2, clock.now()),
        (0, 2, clock.now()),
        (0, 0, None),
    ]


def test_a_clock_that_was_set_back_neither_silences_nor_floods(ctx, session, clock, tracker):
    run(ctx, ESCALATION)
    clock.advance(-timedelta(days=2))

    assert run(ctx, ESCALATION).result.detail.notified_count == 0
    clock.advance(timedelta(days=2, hours=5))
    assert run(ctx, ESCALATION).result.detail.notified_count == 4


def test_runs_leave_their_facts(ctx, session, clock, tracker):
    dry = run(ctx, ESCALATION, dry_run=True).run.id
    real = run(ctx, ESCALATION).run.id

    facts = {row.run_id: row for row in session.scalars(select(RunFact))}
    assert (facts[dry].dry_run, facts[real].dry_run) == (True, False)
    for fact in facts.values():
        assert (fact.acted, fact.notified_count, fact.overdue_count, fact.open_items) == (True, 3, 2, 6)


def test_only_those_who_manage_all_sites_may_escalate(make_ctx, session, clock, tracker):
    for actor, refusal in (
        (make_ctx("operator"), PermissionDenied),
        (make_ctx("manager", ("본관",)), GlobalScopeRequired),
    ):
        with pytest.raises(refusal):
            run(actor, ESCALATION)
    assert session.scalar(select(func.count()).select_from(TrackerEvent)) == 0


def test_a_long_message_lists_the_worst_twenty(ctx, session, clock):
    for number in range(1, 31):
        item(session, clock, number, -number, critical=number == 30, priority=9)
    session.commit()

    made = run(ctx, ESCALATION).result.detail

    payload = payloads(session)[0]
    assert (made.notified_count, payload["notified_count"], len(payload["items"])) == (30, 30, 20)
    assert payload["items"][0]["item_id"] == "GR-030"


def test_a_channel_of_one_site_hears_of_its_item_behind_those_that_are_more_urgent(ctx, session, clock):
    wish = Wish("별관 당직", "webhook", "https://b.example/hook", sites=("별관",))
    annex = channels.create(ctx, wish, look_up=lambda *_: [])
    for number in range(1, 31):
        item(session, clock, number, -number - 1, site="본관")
    item(session, clock, 31, -1, site="별관")
    session.commit()

    run(ctx, ESCALATION)

    told = {row.channel: row.payload_json for row in session.scalars(select(AlertDelivery))}
    own = told.pop(annex.key)
    assert ([line["item_id"] for line in own["items"]], own["notified_count"]) == (["GR-031"], 1)
    assert [(len(other["items"]), other["notified_count"]) for other in told.values()] == [(20, 31)]


def test_the_number_of_queries_does_not_depend_on_the_number_of_items(ctx, session, clock, engine):
    for number in range(1, 301):
        item(session, clock, number, -1 - number % 7, assignee=f"user{number % 40}")
    session.commit()

    with statements(engine) as seen:
        assert run(ctx, ESCALATION).result.detail.notified_count == 300

    assert len(seen) <= 20 + 8  # the engine claims, reads and closes the run, keeps its facts and raises the tokens


def test_nobody_is_promised_who_never_sees_the_item(ctx, session, clock):
    """Plan and message say of an assignee who cannot work on the item that it is so, instead of naming a receiver."""
    here = make_user(session, now=clock.now(), username="here", display_name="이정비", site_scope=("A동",))
    mine = {"assignee": "here", "assignee_user_id": here.id}
    item(session, clock, 1, -2, site="B동", **mine)
    item(session, clock, 2, -2, site="A동", **mine)
    session.commit()

    lines = {line.item_id: line for line in autopilot.preview(ctx, force=True).plan.lines}
    run(ctx, ESCALATION)
    sent = {line["item_id"]: line["warning"] for line in payloads(session)[0]["items"]}

    assert {number: line.targets for number, line in lines.items()} == {"GR-001": (), "GR-002": ("here",)}
    assert "이정비 does not see B동" in str(lines["GR-001"].reason)
    assert sent == {"GR-001": "이정비 님은 이 사업장을 볼 수 없습니다: B동", "GR-002": None}


def test_a_snoozed_item_is_not_repeated_and_the_next_step_is_told_and_ends_it(ctx, session, clock):
    row = item(session, clock, 1, 3, sla_hours=48)
    number = row.id
    session.commit()
    run(ctx, ESCALATION)
    ctx.begin_write()
    snooze.begin(ctx, number, clock.now() + timedelta(hours=30), "the vendor comes")
    ctx.commit()
    set_policy(ctx, escalation_repeat_hours=1)

    clock.advance(timedelta(hours=2))
    quiet = run(ctx, ESCALATION).result.detail
    clock.advance(timedelta(hours=2))
    late = run(ctx, ESCALATION).result.detail

    assert (quiet.candidate_count, quiet.notified_count, quiet.suppressed_count) == (1, 0, 1)
    assert (late.candidate_count, late.notified_count) == (1, 1)
    ctx.rollback()
    assert [one.ended_why for one in snooze.listed(ctx, number)] == ["escalated"]
    assert len(events_of(session, "snooze_ended")) == 1
    clock.advance(timedelta(hours=1))
    assert run(ctx, ESCALATION).result.detail.notified_count == 1
