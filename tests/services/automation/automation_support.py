"""People, items and runs for tests of the automation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.core.clock import Clock
from console.core.context import Context
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs.engine import RunResult
from console.services.policies import policies
from console.services.policies.automation import AUTOPILOT as AUTOPILOT_POLICY
from console.services.policies.kinds import PolicyView
from tests.factories import make_user
from tests.factories.tracker import add_item

ESCALATION = "ops_governance_remediation_escalation"
AUTO_ASSIGN = "ops_governance_remediation_auto_assign"
KPI = "ops_governance_remediation_kpi"
AUTOPILOT = "ops_governance_remediation_autopilot"
HOUR = timedelta(hours=1)
HOOK = "https://hooks.example/ops"


def run(ctx: Context, name: str, options: dict[str, Any] | None = None, **values: Any) -> RunResult:
    """Run a job now, as a command does; the context is ready for the next use case afterwards."""
    ctx.rollback()
    return run_engine.execute(ctx, registry.get(name), options or {}, trigger="cron", **values)


def set_policy(ctx: Context, **values: Any) -> PolicyView:
    """Change the policy of the automation."""
    ctx.begin_write()
    made = policies.update_policy(ctx, AUTOPILOT_POLICY, values)
    ctx.commit()
    return made


def people(session: Session, clock: Clock) -> dict[str, int]:
    """Add an owner, two managers, two operators and an auditor; give their ids by user name."""
    roles = {
        "anna": "owner",
        "bora": "manager",
        "chul": "manager",
        "dong": "operator",
        "eun": "operator",
        "fay": "auditor",
    }
    return {name: make_user(session, now=clock.now(), username=name, role=role).id for name, role in roles.items()}


def item(session: Session, clock: Clock, number: int, due_in: float | None = 24, **values: Any) -> TrackerItem:
    """Add an open item due in so many hours; `critical` makes it a required failure."""
    critical = values.pop("critical", False)
    kind = {"required": True, "rule_status": "fail"} if critical else {}
    due_at = None if due_in is None else clock.now() + due_in * HOUR
    return add_item(session, clock.now(), number, due_at=due_at, **kind, **values)


def items_of(session: Session) -> dict[int, TrackerItem]:
    """Return all items by number, fresh from the database."""
    session.rollback()
    rows = session.scalars(select(TrackerItem).execution_options(populate_existing=True))
    return {row.number: row for row in rows}


def events_of(session: Session, kind: str) -> list[TrackerEvent]:
    """Return the events of a kind in their order."""
    return list(session.scalars(select(TrackerEvent).where(TrackerEvent.kind == kind).order_by(TrackerEvent.id)))
