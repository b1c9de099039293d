"""The one policy behind autopilot, escalation, assignment and figures, and the kill switch.

Jobs and endpoints may say otherwise for one run; what they do not say comes from here (API contract, defect 20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from console.core.config import Config
from console.core.context import Context
from console.domain.automation.autopilot import AutopilotPolicy
from console.domain.errors import Invalid
from console.domain.text import T
from console.inputs.policies import AutopilotPolicyModel
from console.models.policies import PolicyRevision
from console.services.common.query_cache import cached_query
from console.services.identity.names import names_of
from console.services.policies import policies
from console.services.policies.kinds import PolicyKind, PolicyView

READ = ("admins:manage", "governance:read")
MANAGE = ("admins:manage", "governance:manage")
AUDIT = "ops_governance_remediation_tracker"
_SETTING = "GOVERNANCE_REMEDIATION_"
# Which variable gives the built-in value of which field (API contract, environment variables).
_VARIABLES = {
    "enabled": "AUTOPILOT_ENABLED",
    "notify_enabled": "AUTOPILOT_NOTIFY_ENABLED",
    "unassigned_trigger": "AUTOPILOT_UNASSIGNED_TRIGGER",
    "overdue_trigger": "AUTOPILOT_OVERDUE_TRIGGER",
    "cooldown_minutes": "AUTOPILOT_COOLDOWN_MINUTES",
    "kpi_window_days": "KPI_WINDOW_DAYS",
    "kpi_due_soon_hours": "KPI_DUE_SOON_HOURS",
    "escalation_due_soon_hours": "ESCALATION_DUE_SOON_HOURS",
    "auto_assign_max_items": "AUTO_ASSIGN_MAX_ITEMS",
}


def _defaults(config: Config) -> Mapping[str, Any]:
    return {field: config[_SETTING + variable] for field, variable in _VARIABLES.items()}


AUTOPILOT = PolicyKind(
    name="governance.remediation.autopilot",
    schema=AutopilotPolicyModel,
    key="ops_governance_remediation_autopilot_policy",
    scope="ops.governance.remediation.autopilot",
    read=READ,
    write=("admins:manage",),
    propose=MANAGE,
    approve=("admins:manage",),
    audit_action=f"{AUDIT}_autopilot_policy",
    audit_resource=AUDIT,
    defaults=_defaults,
)

SettingsSource = Literal["request", "policy", "environment"]


@dataclass(frozen=True)
class Effective:
    """The policy as it counts now, typed, with the row it comes from."""

    policy: AutopilotPolicy
    view: PolicyView

    def source(self, *given: object) -> SettingsSource:
        """Tell where the settings of a run come from: said for this run, the stored policy, or the environment."""
        if any(value is not None for value in given):
            return "request"
        return "environment" if self.view.source == "built_in" else "policy"


def effective(ctx: Context) -> Effective:
    """Return the policy that counts now; writes nothing."""
    return typed(policies.resolve(ctx, AUTOPILOT))


def typed(view: PolicyView) -> Effective:
    """Return a policy with its values as the domain reads them."""
    return Effective(AutopilotPolicy(**view.values), view)


def pause(ctx: Context, *, reason: str) -> PolicyView:
    """Stop everything that acts by itself, at once; whoever may manage the tracker may pull this switch.

    Raises Invalid without a reason.
    """
    ctx.actor.require(*MANAGE)
    return _switch(ctx, True, reason)


def resume(ctx: Context, *, reason: str) -> PolicyView:
    """Let the automation act again; needs the permission to change the policy, and a reason."""
    ctx.actor.require(*AUTOPILOT.write)
    return _switch(ctx, False, reason)


@dataclass(frozen=True)
class Stopped:
    """Who stopped the automation, when (aware UTC) and why; all None where no change of the policy did it."""

    at: datetime | None = None
    by: str | None = None
    reason: str | None = None


def stopped(ctx: Context) -> Stopped | None:
    """Return who stopped the automation, for everybody whose work it concerns; None while it acts."""
    found = cached_query(ctx, "automation_stopped", lambda: (_stopped(ctx),))
    return found[0]


def _stopped(ctx: Context) -> Stopped | None:
    if not effective(ctx).policy.paused:
        return None
    # Whoever turned it last: with the button, or with a change of the policy through the API.
    newest = (
        select(PolicyRevision.at, PolicyRevision.actor, PolicyRevision.reason, PolicyRevision.changes)
        .where(PolicyRevision.policy_key == AUTOPILOT.key)
        .order_by(PolicyRevision.revision.desc())
    )
    row = next((row for row in ctx.session.execute(newest) if "paused" in row.changes), None)
    if row is None:
        return Stopped()
    return Stopped(row.at, names_of(ctx, [row.actor]).get(row.actor, row.actor), row.reason)


def _switch(ctx: Context, paused: bool, reason: str) -> PolicyView:
    ctx.actor.require_all_sites()
    if not reason.strip():
        raise Invalid.field("reason", T("Stopping and resuming need a reason"))
    word = "pause" if paused else "resume"
    return policies.store(ctx, AUTOPILOT, {"paused": paused}, reason=reason, source=word)
