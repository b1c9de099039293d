"""The jobs of governance: found under their published names, run as the schedule runs them."""

from datetime import timedelta

from sqlalchemy import func, select

from console.core.context import SYSTEM
from console.models.audit import AuditLog
from console.models.reliability import LatencySample
from console.services.gate import gate
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.reliability import latency
from workers.schedule import ENTRIES


def _as_system(make_ctx):
    made = make_ctx()
    made.actor = SYSTEM
    return made


def test_the_gate_runs_by_schedule_and_leaves_no_audit_entry(make_ctx):
    ctx = _as_system(make_ctx)

    found = run_engine.execute(ctx, registry.get("ops_governance_gate"), trigger="cron")

    assert (found.run.status, found.run.trigger) == ("critical", "cron")
    assert found.run.detail["decision"] == "no_go"
    assert found.run.detail["failure_count"] == 0
    assert gate.latest(make_ctx()).run_id == found.run.id
    assert ctx.session.scalar(select(func.count()).select_from(AuditLog)) == 0


def test_a_run_of_a_person_is_put_on_record_with_its_run(make_ctx):
    ctx = make_ctx("manager")

    found = run_engine.execute(ctx, registry.get("ops_governance_gate"))

    row = ctx.session.scalars(select(AuditLog)).one()
    assert (row.action, row.resource_id, row.status) == ("ops_governance_gate_run", str(found.run.id), "warning")


def test_a_dry_run_stores_no_verdict(make_ctx):
    ctx = make_ctx()

    found = run_engine.execute(ctx, registry.get("ops_governance_gate"), dry_run=True)

    assert found.run.detail["decision"] == "no_go"
    assert gate.history(ctx).total == 0
    assert ctx.session.scalar(select(func.count()).select_from(AuditLog)) == 0


def test_old_response_times_are_removed_by_the_job(make_ctx):
    ctx = _as_system(make_ctx)
    for days in (1, 40):
        at = ctx.now() - timedelta(days=days)
        latency.store(ctx, [latency.Sample("GET /health", "GET", "/health", 1.0, 200, False, at)])

    found = run_engine.execute(ctx, registry.get("api_latency_retention"), {"keep_days": 30}, trigger="cron")

    assert found.run.detail["deleted_count"] == 1
    assert ctx.session.scalar(select(func.count()).select_from(LatencySample)) == 1


def test_both_stand_in_the_schedule():
    lines = {line.job: line.cron for line in ENTRIES}

    assert lines["ops_governance_gate"] == "45 0 * * *"
    assert "api_latency_retention" in lines
