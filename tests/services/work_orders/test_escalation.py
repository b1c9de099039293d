"""Escalation of late orders: once, exactly by each site's grace, told in the same transaction, remembered."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.context import SYSTEM, start_writing
from console.core.listing import ListQuery
from console.domain.errors import PermissionDenied, SiteDenied
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.models.work_orders import SlaPass, WorkOrder, WorkOrderEvent
from console.services.alerts import channels, lists, outbox
from console.services.alerts.channels import Wish
from console.services.facility_sla import policies
from console.services.jobs import engine, registry
from console.services.work_orders import actions, escalation
from tests.factories.work_orders import add_order
from tests.support.statements import statements

MINUTE = timedelta(minutes=1)
HOOK = {"ALERT_WEBHOOK_URLS": "https://hooks.example/a"}


@pytest.fixture
def late(session, clock):
    """Return `late(minutes, **fields)`: an order that was due so long ago."""

    def add(minutes, **fields):
        return add_order(session, clock.now(), due_at=clock.now() - minutes * MINUTE, **fields).id

    return add


@pytest.fixture
def told(ctx):
    """A context whose alerts have somewhere to go."""
    ctx.config = ctx.config.replaced(**HOOK)
    return ctx


def count(ctx, model):
    return ctx.session.scalar(select(func.count()).select_from(model))


def test_grace_is_that_of_the_site_and_nothing_escalates_twice(told, late):
    policies.put(told, SlaPolicy(HOURS, 30))
    policies.put(told, SlaPolicy(HOURS, 60), site="별관")
    inside, outside = late(10), late(40)
    far, further = late(40, site="별관"), late(61, site="별관")
    late(90, status="completed", completed_at=told.now())
    made = escalation.escalate(told)

    assert made.work_order_ids == (further, outside)
    assert (made.candidate_count, made.escalated_count, made.alert_dispatched, made.alert_error) == (2, 2, True, None)
    assert made.grace_minutes_by_site == {"별관": 60, "본관": 30}
    flagged = told.session.scalars(select(WorkOrder.id).where(WorkOrder.is_escalated)).all()
    assert set(flagged) == {further, outside}
    assert not {inside, far} & set(flagged)
    assert escalation.escalate(told).candidate_count == 0


def test_event_alert_audit_and_pass_are_one_transaction(told, late, session):
    number = late(90, title="Pump leaks", assignee="kim")
    escalation.escalate(told)
    session.rollback()
    for model in (AlertDelivery, SlaPass, AuditLog):
        assert count(told, model) == 0
    session.rollback()
    start_writing(session)
    number = late(90, title="Pump leaks", assignee="kim")
    escalation.escalate(told)
    told.commit()

    row = session.scalars(select(WorkOrderEvent)).one()
    assert (row.event_type, row.from_status, row.to_status, row.is_escalated) == ("escalated", "open", "open", True)
    assert (row.detail_json["grace_minutes"], row.detail_json["policy_source"]) == (0, "default")
    alert = session.scalars(select(AlertDelivery)).one()
    assert (alert.event_type, alert.site) == ("sla_escalation", "본관")
    assert {name: alert.payload_json[name] for name in ("event", "site", "escalated_count", "work_order_ids")} == {
        "event": "sla_escalation",
        "site": "ALL",
        "escalated_count": 1,
        "work_order_ids": [number],
    }
    line = alert.payload_json["orders"][0]
    assert (line["title"], line["site"], line["hours_late"]) == ("Pump leaks", "본관", 1.5)
    entry = session.scalars(select(AuditLog)).one()
    assert (entry.action, entry.actor_username, entry.resource_id) == ("sla_escalation_batch", "system", "batch")
    remembered = session.scalars(select(SlaPass)).one()
    assert (remembered.at, remembered.sites, remembered.escalated_count) == (told.now(), None, 1)


def test_a_message_about_several_sites_tells_each_reader_and_channel_of_its_own_alone(told, late, make_ctx):
    wish = Wish("별관 당직", "webhook", "https://far.example/b", sites=("별관",))
    made = channels.create(told, wish, look_up=lambda _host, _port: ["93.184.216.34"])
    near = [late(200 + minutes, title="Here", assignee="kim") for minutes in range(30)]
    far = [late(100 - minutes, title="There", site="별관", assignee="lee") for minutes in range(25)]
    assert escalation.escalate(told).escalated_count == 55
    told.commit()

    rows = {row.channel: row for row in told.session.scalars(select(AlertDelivery))}
    own = rows.pop(made.key).payload_json
    # All twenty-five, though the thirty of the other site are later.
    assert (own["escalated_count"], own["work_order_ids"], own["sites"]) == (25, far, ["별관"])
    assert [line["id"] for line in own["orders"]] == far[: escalation.ALERT_ORDERS_MOST]
    (every,) = rows.values()
    assert (every.payload_json["escalated_count"], len(every.payload_json["orders"])) == (55, 20)
    assert set(every.payload_json["work_order_ids"]) == {*near, *far}

    for reader, ids in ((make_ctx("manager", ("별관",)), far), (make_ctx("manager", ("본관",)), near)):
        for shown in (outbox.get(reader, every.id), *lists.listed(reader, ListQuery()).items):
            seen = shown.payload
            assert {line["site"] for line in seen["orders"]} <= set(reader.actor.site_scope)
            assert set(seen["work_order_ids"]) <= set(ids)
            assert set(seen["sites"]) <= set(reader.actor.site_scope)


def test_many_orders_inside_a_long_grace_starve_nobody(told, late):
    policies.put(told, SlaPolicy(HOURS, 1440), site="별관")
    for minutes in range(60):
        late(200 + minutes, site="별관")
    number = late(10)

    assert escalation.escalate(told, limit=5).work_order_ids == (number,)


def test_what_waits_escalates_unless_the_policy_pauses_the_clock(told, late):
    more = {"status": "acked", "acknowledged_at": told.now(), "waiting_reason": "parts", "waiting_since": told.now()}
    policies.put(told, SlaPolicy(HOURS, 0, pause_on_hold=True), site="별관")
    here, far = late(10, **more), late(10, site="별관", **more)

    assert escalation.escalate(told).work_order_ids == (here,)
    assert far


def test_a_dry_run_says_the_same_and_writes_nothing(told, late):
    number = late(10)
    told.commit()
    made = escalation.escalate(told, dry_run=True)

    assert (made.work_order_ids, made.candidate_count, made.escalated_count) == ((number,), 1, 0)
    assert (count(told, WorkOrderEvent), count(told, AlertDelivery), count(told, SlaPass)) == (0, 0, 0)


def test_only_the_sites_of_the_caller_and_only_who_may(told, late, make_ctx):
    here = late(10)
    late(20, site="별관")
    manager = make_ctx("manager", ("본관",))
    with pytest.raises(SiteDenied):
        escalation.escalate(manager, site="별관")
    made = escalation.escalate(manager)
    assert (made.work_order_ids, made.allowed_sites) == ((here,), ("본관",))
    assert made.alert_error == "no_targets"
    for role in ("operator", "auditor"):
        with pytest.raises(PermissionDenied):
            escalation.escalate(make_ctx(role))
    nobody = make_ctx("manager", ())
    assert escalation.escalate(nobody).candidate_count == 0


def test_a_reopened_order_may_escalate_once_more(told, late, clock):
    number = late(10)
    escalation.escalate(told)
    actions.complete(told, number, "done")
    actions.reopen(told, number, "leaks")
    assert escalation.escalate(told).candidate_count == 0
    clock.advance(timedelta(hours=25))
    assert escalation.escalate(told).work_order_ids == (number,)


def test_the_number_of_queries_does_not_grow_with_the_orders(told, late, engine):
    for minutes in range(300):
        late(10 + minutes, site=f"site {minutes % 20}")
    told.session.flush()
    with statements(engine) as seen:
        assert escalation.escalate(told, limit=1000).escalated_count == 300
    assert 0 < len(seen) <= 20


def test_the_job_keeps_the_published_detail(make_ctx, late, session):
    ctx = make_ctx()
    ctx.actor = SYSTEM
    start_writing(session)
    number = late(10)
    session.commit()
    found = engine_run(ctx)

    assert (found.run.status, found.run.detail["escalated_count"]) == ("warning", 1)
    assert found.run.detail["alert_error"] == "no_targets"
    published = ("site", "dry_run", "limit", "allowed_sites", "candidate_count", "grace_minutes_by_site")
    assert all(name in found.run.detail for name in published)
    assert found.run.detail["work_order_ids"] == [number]
    assert engine_run(ctx).run.status == "success"


def engine_run(ctx):
    return engine.execute(ctx, registry.get("sla_escalation"), trigger="cron")
