"""How a site closes its months: on which day by itself, and which offices sign the paper."""

from __future__ import annotations

from console.core.context import Context
from console.inputs.monthly import MonthlyPolicyModel
from console.services.policies import policies
from console.services.policies.kinds import PolicyKind, PolicyView

READ, FREEZE = "reports:read", "reports:freeze"
KIND = PolicyKind(
    name="reports.monthly",
    schema=MonthlyPolicyModel,
    key="monthly_report_policy:",
    read=(READ, FREEZE),
    write=(FREEZE,),
    audit_action="report_monthly_policy",
    audit_resource="report_policy",
    per_site=True,
)


def of(ctx: Context, site: str) -> PolicyView:
    """Return the policy that counts for a site; permissions are the caller's business."""
    return policies.resolve(ctx, KIND, site)


def change(
    ctx: Context, site: str, *, freeze_day: int, offices: tuple[str, ...], if_match: int | None = None
) -> PolicyView:
    """Set the day and the offices of a site; day 0 leaves closing to people.

    Raises PermissionDenied, SiteDenied, and PreconditionFailed when the policy is no longer at revision `if_match`.
    """
    sent = {"freeze_day": freeze_day, **{f"office_{place}": name for place, name in enumerate(offices, start=1)}}
    return policies.update_policy(ctx, KIND, sent, site=site, if_match=if_match)
