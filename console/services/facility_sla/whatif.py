"""What-if: which of the open orders would escalate now under another policy (API contract, SLA what-if).

Counted by the database, exactly for every site; nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from console.core.context import Context
from console.core.records import JsonObject
from console.domain.facility_sla.policy import SlaPolicy
from console.domain.text import N_
from console.models.work_orders import WorkOrder
from console.services.audit import record as audit
from console.services.facility_sla import moment
from console.services.facility_sla.policies import MANAGE, Policies, all_in_force

READ_ONLY = N_("Simulation is read-only; no work order is changed.")
FUTURE = N_("Due hours mainly affect future work orders; existing due dates are kept unless recomputed.")
NO_SITE = N_("No site is accessible.")


@dataclass(frozen=True)
class Wish:
    """What a caller asks of a what-if; `limit` orders are looked at, the earliest due first."""

    site: str | None = None
    limit: int = 3000
    include_work_order_ids: bool = True
    sample_size: int = 200
    recompute_due_from_policy: bool = False


@dataclass(frozen=True)
class WhatIf:
    """What another policy would do now (API contract, SlaWhatIfResponse); the last three fields are additions.

    `checked_at` is aware UTC. `total` orders stand there in all; `truncated`: more than `limit`. Sites with a policy of
    their own are left as they are by another default policy: `skipped_sites`.
    """

    checked_at: datetime
    site: str | None
    limit: int
    total_candidates: int
    baseline_escalate_count: int
    simulated_escalate_count: int
    delta_escalate_count: int
    baseline_by_site: JsonObject
    simulated_by_site: JsonObject
    newly_escalated_ids: tuple[int, ...]
    no_longer_escalated_ids: tuple[int, ...]
    notes: tuple[str, ...]
    total: int
    truncated: bool
    skipped_sites: tuple[str, ...]


def simulate(ctx: Context, policy: SlaPolicy, wish: Wish) -> WhatIf:
    """Return what `policy` would do now; raises PermissionDenied, SiteDenied."""
    ctx.actor.require(MANAGE)
    if wish.site is not None:
        ctx.actor.require_site(wish.site)
    made = measured(ctx, policy, wish)
    audit.viewed(
        ctx,
        "sla_policy_simulation_run",
        "sla_policy",
        wish.site or "global",
        total_candidates=made.total_candidates,
        delta=made.delta_escalate_count,
    )
    return made


def measured(ctx: Context, policy: SlaPolicy, wish: Wish) -> WhatIf:
    """Return the same to somebody whose permission was checked: four queries."""
    now, force = ctx.now(), all_in_force(ctx)
    scope = [] if ctx.actor.all_sites else [WorkOrder.site.in_(ctx.actor.site_scope)]
    seen = [WorkOrder.site == wish.site] if wish.site is not None else scope
    fresh = (moment.OPEN, WorkOrder.is_escalated.is_(False), *seen)
    total = ctx.session.scalar(select(func.count()).select_from(WorkOrder).where(*fresh)) or 0
    names = ("id", "site", "due_at", "created_at", "priority", "waiting_reason")
    first = select(*(getattr(WorkOrder, name) for name in names)).where(*fresh)
    looked = first.order_by(WorkOrder.due_at, WorkOrder.id).limit(wish.limit).subquery().c
    before = moment.late(force, now, looked)
    after = _simulated(policy, wish, force, now, looked, before)
    counts = [func.sum(case((condition, 1), else_=0)) for condition in (before, after)]
    by_site = ctx.session.execute(
        select(looked.site, func.count(), *counts).group_by(looked.site).order_by(looked.site)
    )
    rows = [(str(site), int(number), int(old), int(new)) for site, number, old, new in by_site]
    looked_at = sum(number for _site, number, _old, _new in rows)
    old_sum = sum(old for _site, _number, old, _new in rows)
    new_sum = sum(new for _site, _number, _old, new in rows)
    return WhatIf(
        checked_at=now,
        site=wish.site,
        limit=wish.limit,
        total_candidates=looked_at,
        baseline_escalate_count=old_sum,
        simulated_escalate_count=new_sum,
        delta_escalate_count=new_sum - old_sum,
        baseline_by_site={site: old for site, _number, old, _new in rows if old},
        simulated_by_site={site: new for site, _number, _old, new in rows if new},
        newly_escalated_ids=_ids(ctx, looked, and_(after, ~before), wish),
        no_longer_escalated_ids=_ids(ctx, looked, and_(before, ~after), wish),
        notes=(READ_ONLY, FUTURE) if ctx.actor.all_sites or ctx.actor.site_scope else (NO_SITE,),
        total=total,
        truncated=total > looked_at,
        skipped_sites=_skipped(ctx, wish, force),
    )


def _simulated(policy: SlaPolicy, wish: Wish, force: Policies, now: datetime, looked: Any, before: Any) -> Any:
    """Return the condition that an order would escalate; sites with their own policy stay as they are."""
    made = (
        moment.late_from_creation(policy, now, looked)
        if wish.recompute_due_from_policy
        else moment.past(policy, now, looked)
    )
    own = list(force.sites) if wish.site is None else []
    if not own:
        return made
    return or_(and_(looked.site.in_(own), before), and_(looked.site.not_in(own), made))


def _skipped(ctx: Context, wish: Wish, force: Policies) -> tuple[str, ...]:
    return () if wish.site is not None else tuple(sorted(site for site in force.sites if ctx.actor.sees(site)))


def _ids(ctx: Context, looked: Any, condition: Any, wish: Wish) -> tuple[int, ...]:
    if not wish.include_work_order_ids or not wish.sample_size:
        return ()
    wanted = select(looked.id).where(condition).order_by(looked.due_at, looked.id).limit(wish.sample_size)
    return tuple(ctx.session.scalars(wanted))
