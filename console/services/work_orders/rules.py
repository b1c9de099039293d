"""Completion rules on the policy engine: what a site demands before an order is completed, and whether it insists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.text import T
from console.domain.work_orders import completion, missing
from console.domain.work_orders.completion import ENFORCED, CompletionRules
from console.domain.work_orders.missing import MEASUREMENT, Need, Progress
from console.inputs.work_order_rules import CompletionRulesModel
from console.models.inspections import Inspection
from console.models.policies import Policy
from console.services.common.query_cache import cached_query
from console.services.identity import sites
from console.services.policies import policies
from console.services.policies.kinds import PolicyKind, PolicyView
from console.services.policies.policies import Revision
from console.services.work_orders.rows import WorkOrderView

MANAGE = "admins:manage"
KIND = PolicyKind(
    name="work_orders.completion",
    schema=CompletionRulesModel,
    key="work_order_completion:",
    read=(MANAGE,),
    write=(MANAGE,),
    audit_action="work_order_completion_policy",
    audit_resource="work_order_completion_policy",
    per_site=True,
)


@dataclass(frozen=True)
class SiteRules:
    """A site as the page lists it: whether it has rules of its own, and insists on them."""

    site: str
    own: bool
    enforced: bool


def in_force(ctx: Context, site: str) -> CompletionRules:
    """Return the rules that count at a site; only the site itself can insist. Permissions are the caller's business."""
    return cached_query(ctx, ("completion_rules", site), lambda: _in_force(ctx, site))


def _in_force(ctx: Context, site: str) -> CompletionRules:
    found = policies.resolve(ctx, KIND, site)
    insists = found.source == "site" and bool(found.values[ENFORCED])
    return completion.from_values(found.values, enforced=insists)


def progress(ctx: Context, order: WorkOrderView, rules: CompletionRules, notes: str = "") -> Progress:
    """Return how far an order is under the rules of its site; `notes` is what is written down just now."""
    demanded = rules.demands(order.trade, order.priority)
    measured = MEASUREMENT in demanded and order.is_open and _measured(ctx, order)
    noted = bool(notes or order.solution)
    return replace(order.progress, noted=noted, measured=measured, demanded=demanded)


def needs(ctx: Context, order: WorkOrderView) -> tuple[Need, ...]:
    """Return what an order needs from beginning to end, and what of that is there."""
    return missing.needs(progress(ctx, order, in_force(ctx, order.site)))


def check(ctx: Context, order: WorkOrderView, notes: str) -> None:
    """Raise Incomplete for an order that lacks what its site insists on; nothing where no site switched it on."""
    completion.refuse(lacking(ctx, order, notes, in_force(ctx, order.site)))


def lacking(ctx: Context, order: WorkOrderView, notes: str, rules: CompletionRules) -> tuple[str, ...]:
    """Return what an open order lacks of that which its site insists on."""
    return missing.lacking(progress(ctx, order, rules, notes)) if rules.enforced else ()


def _measured(ctx: Context, order: WorkOrderView) -> bool:
    """Return whether the place of an order was inspected after the order was made."""
    there = (Inspection.site == order.site, Inspection.location == order.location)
    later = select(Inspection.id).where(*there, Inspection.inspected_at > order.created_at).limit(1)
    return ctx.session.scalar(later) is not None


def view(ctx: Context, site: str | None = None) -> PolicyView:
    """Return the rules of a site, or those of all sites without their own; raises PermissionDenied, SiteDenied."""
    return policies.view(ctx, KIND, site)


def change(
    ctx: Context, sent: Mapping[str, Any], *, site: str | None, if_match: int | None = None, reason: str = ""
) -> PolicyView:
    """Change rules, from the next completion on; returns them with what was taken differently.

    Raises PermissionDenied, SiteDenied, GlobalScopeRequired, PreconditionFailed, and Invalid for insisting everywhere:
    a site switches that on for itself.
    """
    if site is None and sent.get(ENFORCED):
        raise Invalid.field(ENFORCED, T("A site switches this on for itself"))
    named = None if site is None else sites.named(ctx, site)
    return policies.update_policy(ctx, KIND, sent, site=named, if_match=if_match, reason=reason)


def revisions(ctx: Context, site: str | None = None, *, limit: int = 50) -> tuple[Revision, ...]:
    """Return who changed what of the rules of a site, newest first."""
    return policies.revisions(ctx, KIND, site, limit=limit)


def by_site(ctx: Context) -> tuple[SiteRules, ...]:
    """Return the sites that the caller may see with what they demand: one query beside that of the names."""
    ctx.actor.require(MANAGE)
    names = [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    keys = {KIND.key_of(name): name for name in names}
    rows = ctx.session.execute(select(Policy.policy_key, Policy.policy_json).where(Policy.policy_key.in_(keys)))
    stored = {keys[key]: values for key, values in rows}
    return tuple(SiteRules(name, name in stored, bool(stored.get(name, {}).get(ENFORCED))) for name in names)
