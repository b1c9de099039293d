"""Messages that wait are dropped once they are handled, and wait for a snooze; neither is a failure anywhere."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.core.listing import ListQuery
from console.domain.alerts.alerts import answered
from console.domain.errors import Conflict, Invalid, PermissionDenied, SiteDenied
from console.models.alerts import AlertDelivery, AlertMark
from console.models.audit import AuditLog
from console.models.handover import Handover
from console.models.jobs import JobRun
from console.models.reliability import BurnAlert
from console.models.tracker import TrackerEvent, TrackerItem
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.alerts import accuracy_rows, figures, lists, marks
from console.services.alerts import outbox as alerts
from console.services.common import snoozes
from console.services.tracker import items as tracker_items
from console.services.tracker import snooze as item_snooze
from console.services.tracker.change import ItemChange
from console.services.work_orders import actions, edit, escalation
from console.services.work_orders import snooze as order_snooze
from console.services.work_orders.rows import load
from tests.conftest import actor_of
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_order
from tests.services.alerts.test_guard import GOOD, Receivers, run
from tests.services.alerts.test_outbox import Outbox

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def places():
    return Receivers()


@pytest.fixture
def box(engine, clock, config):
    return Outbox(engine, clock, config.replaced(ALERT_WEBHOOK_URLS=GOOD))


def late(box, **values):
    with box.work() as ctx:
        return add_order(ctx.session, ctx.now() - DAY, due_at=ctx.now() - HOUR, **values).id


def escalated(box, **values):
    number = late(box, **values)
    with box.work() as ctx:
        assert escalation.escalate(ctx).escalated_count == 1
    return number


def do(box, act, *given, role="owner", sites=("*",), **more):
    with box.work() as ctx:
        ctx.actor = actor_of(role, sites)
        return act(ctx, *given, **more)


def only(box):
    with box.work() as ctx:
        row = ctx.session.scalars(select(AlertDelivery)).one()
        return row.status, row.error, row.attempt_count, row.next_attempt_at


@pytest.mark.parametrize(
    "handle",
    [
        lambda ctx, number: actions.complete(ctx, number, "valve changed"),
        lambda ctx, number: actions.cancel(ctx, number, "double"),
        actions.acknowledge,
        lambda ctx, number: ctx.session.execute(update(WorkOrder).values(due_at=ctx.now() + DAY)),
    ],
    ids=["completed", "canceled", "begun", "postponed"],
)
def test_an_escalation_that_was_answered_before_it_left_is_dropped_with_its_reason(box, places, handle):
    number = escalated(box)
    do(box, handle, number)

    assert run(box, places).processed_count == 0
    assert places.seen == []
    assert only(box) == ("dropped", "orders_handled", 0, None)


def test_an_escalation_of_an_order_that_was_begun_before_it_is_sent(box, places):
    with box.work() as ctx:
        begun = {"status": "acked", "acknowledged_at": ctx.now() - HOUR}
    escalated(box, **begun)

    assert run(box, places).success_count == 1


def test_a_message_about_two_orders_leaves_as_long_as_one_of_them_waits(box, places):
    first = late(box)
    with box.work() as ctx:
        add_order(ctx.session, ctx.now() - DAY, due_at=ctx.now() - HOUR)
        escalation.escalate(ctx)
    do(box, actions.complete, first, "done")

    assert run(box, places).success_count == 1


def raised(box, event_type, **payload):
    with box.work() as ctx:
        alerts.raise_alert(ctx, event_type, {"event": event_type, **payload})


def board_item(box, **values):
    with box.work() as ctx:
        return add_item(ctx.session, ctx.now(), 1, due_at=ctx.now() - HOUR, **values).id


@pytest.mark.parametrize(
    ("event_type", "counted", "values", "status"),
    [
        ("ops_governance_remediation_escalation", "notified_count", {"status": "done"}, "dropped"),
        ("ops_governance_remediation_escalation", "notified_count", {"is_active": False}, "dropped"),
        ("ops_governance_remediation_escalation", "notified_count", {"assignee": "kim"}, "success"),
        ("ops_governance_remediation_assigned", "assigned_count", {"assignee": "lee"}, "dropped"),
        ("ops_governance_remediation_assigned", "assigned_count", {"accepted_at": "now"}, "dropped"),
        ("ops_governance_remediation_assigned", "assigned_count", {}, "success"),
        ("ops_governance_remediation_raised", "raised_count", {"status": "done"}, "dropped"),
        ("ops_governance_remediation_raised", "raised_count", {}, "success"),
    ],
)
def test_what_ends_a_message_about_an_item_depends_on_what_it_says(box, places, event_type, counted, values, status):
    number = board_item(box, assignee="kim")
    line = {"id": number, "assignee": "kim", "due_at": (box.clock.now() - HOUR).isoformat()}
    raised(box, event_type, items=[line], **{counted: 1})
    with box.work() as ctx:
        done = {"completion_checked": True, "completed_at": ctx.now()} if values.get("status") == "done" else {}
        given = {key: ctx.now() if value == "now" else value for key, value in values.items()}
        ctx.session.execute(update(TrackerItem).values(**given, **done, updated_at=ctx.now()))

    run(box, places)

    assert only(box)[0] == status


def test_a_message_that_names_only_some_of_its_items_is_sent(box, places):
    number = board_item(box, status="done", completion_checked=True, completed_at=box.clock.now())
    raised(box, "ops_governance_remediation_escalation", items=[{"id": number}], notified_count=21)

    assert run(box, places).success_count == 1


def test_a_handover_a_burn_and_a_check_that_are_over_are_not_told_any_more(box, places, clock):
    now = clock.now()
    with box.work() as ctx:
        done = Handover(
            site="본관", since_at=now, given_by="kim", given_at=now, deadline_at=now, line_count=2, confirmed_count=2
        )
        burn = BurnAlert(
            endpoint_key="GET /x", rule="fast", started_at=now, ended_at=now, short_burn=9, long_burn=9, told_json=[]
        )
        ctx.session.add_all([done, burn])
        ctx.session.flush()
        number = done.id
        told = {"event": "ops_api_burn_rate", "endpoint": "GET /x", "rule": "fast", "since": now}
        begun = alerts.raise_alert(ctx, "ops_api_burn_rate", {**told, "state": "begun"})
        burn.told_json = [{"target": "x", "delivery_id": begun.delivery_ids[0]}]
    raised(box, "handover_unconfirmed", handover_id=number)
    raised(box, "ops_daily_check", overall_status="warning")
    clock.advance(HOUR)
    add_run(box, "ops_daily_check")
    run(box, places)
    with box.work() as ctx:
        alerts.raise_alert(ctx, "ops_api_burn_rate", {**told, "state": "ended"})
    run(box, places)

    assert places.seen == []
    with box.work() as ctx:
        found = ctx.session.scalars(select(AlertDelivery.error).order_by(AlertDelivery.id)).all()
    assert found == ["burn_over", "handover_confirmed", "recovered", "burn_over"]


def test_behind_many_that_nobody_needs_the_next_one_leaves_in_the_same_pass(box, places):
    number = escalated(box)
    do(box, actions.complete, number, "done")
    for _number in range(45):
        raised(box, "sla_escalation", work_order_ids=[number])
    raised(box, "test_event", text="still wanted")

    assert run(box, places).success_count == 1
    assert [payload["event"] for _address, _id, payload in places.seen] == ["test_event"]


def test_begin_and_end_of_a_burn_that_wait_together_are_both_dropped(box, places, clock):
    now = clock.now()
    told = {"endpoint": "GET /x", "rule": "fast", "since": now}
    with box.work() as ctx:
        begun = alerts.raise_alert(ctx, "ops_api_burn_rate", {"event": "ops_api_burn_rate", **told, "state": "begun"})
        ids = [{"target": "x", "delivery_id": begun.delivery_ids[0]}]
        times = {"started_at": now, "ended_at": now}
        ctx.session.add(
            BurnAlert(endpoint_key="GET /x", rule="fast", short_burn=9, long_burn=9, told_json=ids, **times)
        )
        alerts.raise_alert(ctx, "ops_api_burn_rate", {"event": "ops_api_burn_rate", **told, "state": "ended"})
    run(box, places)

    assert places.seen == []


@pytest.mark.parametrize(("seen", "status"), [("본관", "dropped"), ("별관", "success"), (None, "success")])
def test_a_weekly_warning_ends_with_a_good_week_of_the_same_site(box, places, clock, seen, status):
    with box.work() as ctx:
        payload = {"event": "adoption_w07_quality_degradation", "site": "본관"}
        alerts.raise_alert(ctx, "adoption_w07_quality_degradation", payload, site="본관")
    clock.advance(HOUR)
    add_run(box, "adoption_w07_sla_quality_weekly", site=seen)
    run(box, places)

    assert only(box)[0] == status


def add_run(box, job_name, **detail):
    with box.work() as ctx:
        values = {"state": "finished", "executed": True, "status": "success", "detail_json": detail, "options_json": {}}
        times = dict.fromkeys(("requested_at", "started_at", "finished_at"), ctx.now())
        ctx.session.add(JobRun(job_name=job_name, trigger="cron", requested_by="system", **values, **times))


def test_what_was_dropped_has_its_own_word_and_counts_in_no_figure(box, places):
    places.behave[GOOD] = answered(500)
    number = escalated(box)
    run(box, places)
    do(box, actions.complete, number, "done")
    with box.work() as ctx:
        ctx.session.execute(update(AlertDelivery).values(next_attempt_at=ctx.now()))
    run(box, places)

    with box.work() as ctx:
        window = figures.counted(ctx, event_type=None, windows=(7,)).windows[0]
        assert (window.total_deliveries, window.failed_count, window.success_rate_percent) == (0, 0, 0.0)
        assert lists.listed(ctx, ListQuery(filters={"status": ("dropped",)})).total == 1
        assert alerts.outbox(ctx)["dropped"] == 1
        messages = [one for _kind, found in accuracy_rows.messages(ctx, ctx.now() - DAY) for one in found]
        assert [(one.reached, one.spared) for one in messages] == [(False, True)]


def test_one_that_was_dropped_late_was_not_told_in_time(box, places, clock):
    number = escalated(box)
    clock.advance(3 * HOUR)
    do(box, actions.complete, number, "done")
    run(box, places)

    with box.work() as ctx:
        (message,) = (one for _kind, found in accuracy_rows.messages(ctx, ctx.now() - DAY) for one in found)
        assert not message.spared


def test_a_person_may_send_a_dropped_one_and_a_batch_may_not(box, places):
    number = escalated(box)
    do(box, actions.complete, number, "done")
    run(box, places)
    with box.work() as ctx:
        row = ctx.session.scalars(select(AlertDelivery.id)).one()
        wanted = {"event_type": None, "statuses": ("dropped", "failed"), "limit": 10, "max_attempt_count": 9}
        assert alerts.due_for_retry(ctx, **wanted, min_age=timedelta(0)) == ()
        assert alerts.retry(ctx, row).status == "failed"

    assert run(box, places, sifted=False).success_count == 1


# Snooze --------------------------------------------------------------------------------------------------------------
def test_a_snoozed_order_keeps_its_clock_and_figures_and_its_messages_wait(box, places, clock):
    number = escalated(box)
    before = do(box, lambda ctx: load(ctx, number, ctx.now()))
    until = clock.now() + 3 * HOUR
    do(box, order_snooze.begin, number, until, "  parts arrive at noon ")
    run(box, places)

    after = do(box, lambda ctx: load(ctx, number, ctx.now()))
    assert (after.snoozed_until, before.snoozed_until) == (until, None)
    for name in ("status", "version", "updated_at", "due_at", "is_escalated", "is_overdue"):
        assert getattr(after, name) == getattr(before, name)
    assert only(box) == ("queued", f"reminders are put off until {until.isoformat()}", 0, until)
    with box.work() as ctx:
        (message,) = (one for _kind, found in accuracy_rows.messages(ctx, ctx.now() - DAY) for one in found)
        event = WorkOrderEvent.event_type == "snoozed"
        note, told = ctx.session.execute(select(WorkOrderEvent.note, WorkOrderEvent.detail_json).where(event)).one()
        entry = ctx.session.scalars(select(AuditLog.detail_json).where(AuditLog.action == "work_order_snooze")).one()
    assert message.spared
    assert (note, told["until"]) == ("parts arrive at noon", until.isoformat())
    assert json.loads(entry)["reason"] == "parts arrive at noon"

    clock.advance(3 * HOUR)
    assert run(box, places).success_count == 1
    assert do(box, lambda ctx: load(ctx, number, ctx.now())).snoozed_until is None


def test_ending_it_early_lets_the_message_out_and_leaves_who_did_it(box, places, clock):
    number = escalated(box)
    do(box, order_snooze.begin, number, clock.now() + DAY, "later")
    run(box, places)
    do(box, order_snooze.finish, number)

    assert run(box, places).success_count == 1
    (seen,) = do(box, order_snooze.listed, number)
    assert (seen.ended_why, seen.ended_at, seen.reason) == ("ended", clock.now(), "later")
    with pytest.raises(Conflict, match="No reminders"):
        do(box, order_snooze.finish, number)


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda ctx, number: escalation.escalate(ctx), "escalated"),
        (lambda ctx, number: edit.change(ctx, number, edit.OrderChange(priority="critical", reason="water")), "worse"),
        (lambda ctx, number: actions.complete(ctx, number, "done"), "handled"),
    ],
    ids=["escalated", "worse", "handled"],
)
def test_what_gets_worse_or_is_handled_ends_it(box, places, clock, happens, why):
    number = late(box)
    do(box, order_snooze.begin, number, clock.now() + DAY, "later")
    do(box, happens, number)

    (seen,) = do(box, order_snooze.listed, number)
    assert (seen.ended_why, seen.ended_at) == (why, clock.now())
    if why == "escalated":
        assert run(box, places).success_count == 1


def test_a_lower_priority_does_not_end_it(box, clock):
    number = late(box, priority="high")
    do(box, order_snooze.begin, number, clock.now() + DAY, "later")
    do(box, edit.change, number, edit.OrderChange(priority="low", reason="dry again"))

    assert do(box, order_snooze.listed, number)[0].ended_at is None


@pytest.mark.parametrize(
    ("until", "reason"), [(HOUR, " "), (-HOUR, "x"), (timedelta(0), "x"), (timedelta(days=7, seconds=1), "x")]
)
def test_it_needs_a_reason_and_lasts_a_week_at_most(box, clock, until, reason):
    number = late(box)
    with pytest.raises(Invalid):
        do(box, order_snooze.begin, number, clock.now() + until, reason)


def test_it_needs_the_right_and_the_site_and_an_open_thing(box, clock):
    number, closed = late(box), late(box, status="completed", completed_at=clock.now())
    until = clock.now() + HOUR
    for role, sites, refusal in (("auditor", ("*",), PermissionDenied), ("operator", ("별관",), SiteDenied)):
        with pytest.raises(refusal):
            do(box, order_snooze.begin, number, until, "x", role=role, sites=sites)
    with pytest.raises(Conflict):
        do(box, order_snooze.begin, closed, until, "x")
    here = board_item(box, site="본관")
    for role, sites, refusal in (("auditor", ("*",), PermissionDenied), ("operator", ("별관",), SiteDenied)):
        with pytest.raises(refusal):
            do(box, item_snooze.begin, here, until, "x", role=role, sites=sites)


def test_of_two_snoozes_at_once_one_stands_and_the_next_may_follow_when_it_is_over(box, at_once, clock):
    number, until = late(box), clock.now() + HOUR
    found = at_once(*[lambda ctx, who=who: order_snooze.begin(ctx, number, until, who) for who in "ab"])

    assert sorted(type(one).__name__ for one in found) == ["Conflict", "SnoozeView"]
    clock.advance(HOUR)
    do(box, order_snooze.begin, number, clock.now() + HOUR, "again")
    assert [one.ended_why for one in do(box, order_snooze.listed, number)] == [None, "over"]


def test_a_snooze_beside_a_dispatch_is_heard_or_comes_too_late_and_nothing_is_sent_twice(box, places, at_once, clock):
    number = escalated(box)
    at_once(
        lambda ctx: order_snooze.begin(ctx, number, clock.now() + HOUR, "x"),
        lambda ctx: (ctx.rollback(), run(box, places))[1],
    )

    status, _error, count, due = only(box)
    assert (status, count, due, len(places.seen)) in [
        ("success", 1, None, 1),
        ("queued", 0, clock.now() + HOUR, 0),
    ]


def test_an_item_is_snoozed_with_event_and_entry_and_done_ends_it(box, clock):
    number = board_item(box)
    do(box, item_snooze.begin, number, clock.now() + DAY, "vendor comes tomorrow")
    shown = do(box, tracker_items.get, number)
    assert (shown.snoozed_until, shown.version) == (clock.now() + DAY, 1)
    with pytest.raises(Conflict):
        do(box, item_snooze.begin, number, clock.now() + HOUR, "x")

    do(box, tracker_items.change, number, ItemChange(status="done", completion_checked=True))

    with box.work() as ctx:
        kinds = ctx.session.scalars(select(TrackerEvent.kind).order_by(TrackerEvent.id)).all()
        actions_of = ctx.session.scalars(select(AuditLog.action).order_by(AuditLog.id)).all()
        assert snoozes.listed(ctx, "tracker_item", number)[0].ended_why == "handled"
    assert kinds == ["snoozed", "status", "snooze_ended"]
    assert [one.rpartition("_item_")[2] for one in actions_of] == ["snooze", "snooze_end", "update"]


# Marks ---------------------------------------------------------------------------------------------------------------
def test_two_alerts_of_one_instant_are_marked_and_judged_by_themselves(box):
    told = {"endpoint": "GET /x", "since": "2026-03-02T00:00:00+00:00", "state": "begun"}
    raised(box, "ops_api_burn_rate", rule="fast", **told)
    raised(box, "ops_api_burn_rate", rule="slow", **told)
    with box.work() as ctx:
        first, second = ctx.session.scalars(select(AlertDelivery.id).order_by(AlertDelivery.id)).all()
        mark = marks.mark_false(ctx, first, "a rehearsal")
        assert marks.of_delivery(ctx, second) is None
        marks.mark_false(ctx, second, "the same rehearsal")
        with pytest.raises(Conflict):
            marks.mark_false(ctx, first, "again")
        assert marks.marked_false(ctx, [first, second]) == {first, second}
        found = marks.of_delivery(ctx, first)
        assert found is not None
        assert found.id == mark.id
        assert len(ctx.session.scalars(select(AlertMark)).all()) == 2
        messages = [one for _kind, seen in accuracy_rows.messages(ctx, ctx.now() - DAY) for one in seen]
    assert len(messages) == 2
