"""Handovers past their deadline are told about once, and only while lines are left."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.errors import GlobalScopeRequired, PermissionDenied
from console.models.alerts import AlertDelivery
from console.models.audit import AuditLog
from console.services.handover import changes, escalate, shifts
from console.services.jobs import engine, registry
from tests.factories.work_orders import add_order

SITE = "본관"
HOOK = {"ALERT_WEBHOOK_URLS": "https://hooks.example/a"}


@pytest.fixture
def given(ctx, make_ctx, session, clock):
    ctx.config = ctx.config.replaced(**HOOK)
    add_order(session, clock.now(), due_at=clock.now() - timedelta(hours=1))
    return changes.give(make_ctx("operator", (SITE,), username="kang"), SITE, 0)


def test_an_unconfirmed_handover_is_told_about_once(ctx, given, session, clock):
    assert escalate.escalate(ctx).late_count == 0
    clock.advance(timedelta(minutes=121))
    assert escalate.escalate(ctx, dry_run=True).escalated_count == 0
    made = escalate.escalate(ctx)
    again = escalate.escalate(ctx)

    assert (made.late_count, made.handover_ids, made.alert_error, again.late_count) == (1, (given.id,), None, 0)
    alert = session.scalars(select(AlertDelivery)).one()
    assert (alert.event_type, alert.site) == ("handover_unconfirmed", SITE)
    assert alert.payload_json["unconfirmed_count"] == given.line_count
    session.commit()
    entry = session.scalars(select(AuditLog).where(AuditLog.action == "handover_escalate")).one()
    assert (entry.resource_id, entry.status) == (str(given.id), "success")
    assert shifts.load(ctx, given.id).escalated_at == clock.now()


def test_what_is_confirmed_in_time_is_not_told(ctx, make_ctx, given, clock):
    taker = make_ctx("operator", (SITE,), username="lee")
    for line in shifts.lines_of(taker, given.id):
        changes.confirm(taker, given.id, line.id)
    clock.advance(timedelta(days=1))

    assert escalate.escalate(ctx).late_count == 0


def test_without_a_channel_the_run_warns(ctx, given, clock):
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URLS="")
    clock.advance(timedelta(days=1))
    run = engine.execute(ctx, registry.get("handover_escalation"), trigger="cron").run

    assert (run.status, run.detail["escalated_count"], run.detail["alert_error"]) == ("warning", 1, "no_targets")


def test_a_run_without_anything_late_is_skipped(ctx):
    run = engine.execute(ctx, registry.get("handover_escalation"), trigger="cron").run

    assert (run.status, run.executed) == ("success", False)


def test_it_looks_at_all_sites_and_needs_them(make_ctx):
    with pytest.raises(GlobalScopeRequired):
        escalate.escalate(make_ctx("manager", (SITE,)))
    with pytest.raises(PermissionDenied):
        escalate.escalate(make_ctx("auditor"))
