"""The verdict of each site over its daily work, beside the platform's; computed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from console.core.context import Context
from console.domain.gate.site_rules import (
    LOOK_BACK,
    ORDERED_WITHIN,
    PROVEN_WITHIN,
    ROUND_WITHIN,
    RoundSeen,
    SiteFacts,
    SiteVerdict,
    judge,
)
from console.domain.work_orders.words import COMPLETED
from console.models.inspections import Inspection, InspectionTemplate
from console.models.work_orders import WorkOrder
from console.services.gate.gate import READ
from console.services.identity import sites
from console.services.inspections.lists import unordered
from console.services.work_orders import rows as orders

URGENT = ("critical", "high")


def verdicts(ctx: Context, site: str | None = None) -> list[SiteVerdict]:
    """Return the verdicts of the sites that the caller may see, NO-GO first, then by name: six queries.

    Raises PermissionDenied, SiteDenied.
    """
    ctx.actor.require(*READ)
    ctx.actor.require_site(site)
    names = [site] if site is not None else [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    now = ctx.now()
    found = [judge(facts, now) for facts in facts_of(ctx, names, now)]
    return sorted(found, key=lambda one: (one.decision != "no_go", one.summary.weighted_score_percent, one.site))


def facts_of(ctx: Context, names: Iterable[str], now: datetime) -> list[SiteFacts]:
    """Return the facts of sites in their order, whatever their number: four queries."""
    wanted = sorted(set(names))
    if not wanted:
        return []
    dangers = _by_site(
        ctx,
        _counted(Inspection.site, Inspection.inspected_at, wanted).where(
            unordered(),
            Inspection.inspected_at > now - LOOK_BACK,
            Inspection.inspected_at <= now,
            Inspection.created_at <= now - ORDERED_WITHIN,
        ),
    )
    late = _by_site(
        ctx,
        _counted(WorkOrder.site, WorkOrder.due_at, wanted).where(orders.overdue(now), WorkOrder.priority == URGENT[0]),
    )
    unproven = _by_site(
        ctx,
        _counted(WorkOrder.site, WorkOrder.completed_at, wanted).where(
            WorkOrder.status == COMPLETED,
            WorkOrder.priority.in_(URGENT),
            WorkOrder.evidence_after == 0,
            WorkOrder.completed_at > now - LOOK_BACK,
            WorkOrder.completed_at <= now - PROVEN_WITHIN,
        ),
    )
    rounds = _rounds(ctx, wanted, now)
    return [
        SiteFacts(
            site=name,
            dangers=dangers.get(name, (0, None))[0],
            oldest_danger_at=dangers.get(name, (0, None))[1],
            critical_late=late.get(name, (0, None))[0],
            oldest_late_at=late.get(name, (0, None))[1],
            unproven=unproven.get(name, (0, None))[0],
            rounds=tuple(rounds.get(name, ())),
        )
        for name in wanted
    ]


def _counted(site: Any, at: Any, names: list[str]) -> Select[Any]:
    return select(site, func.count(), func.min(at)).where(site.in_(names)).group_by(site)


def _by_site(ctx: Context, asked: Select[Any]) -> dict[str, tuple[int, datetime | None]]:
    return {row[0]: (row[1], row[2]) for row in ctx.session.execute(asked)}


def _rounds(ctx: Context, names: list[str], now: datetime) -> dict[str, list[RoundSeen]]:
    """Return which templates are done where, and when last: those of a site, and those of all where they were done."""
    current = InspectionTemplate
    earlier = select(current.id, current.site_key, current.code).subquery()
    last = (
        select(Inspection.site, earlier.c.site_key, earlier.c.code, func.max(Inspection.inspected_at).label("last_at"))
        .join(earlier, earlier.c.id == Inspection.template_id)
        .where(Inspection.site.in_(names), Inspection.inspected_at > now - max(ROUND_WITHIN.values()))
        .group_by(Inspection.site, earlier.c.site_key, earlier.c.code)
        .subquery()
    )
    same: ColumnElement[bool] = (last.c.site_key == current.site_key) & (last.c.code == current.code)
    where = func.coalesce(last.c.site, current.site)
    asked = (
        select(where, current.name, current.cycle, last.c.last_at, current.created_at)
        .outerjoin(last, same)
        .where(current.is_current, or_(last.c.site.is_not(None), current.site.in_(names)))
        .order_by(current.name, current.id)
    )
    found: dict[str, list[RoundSeen]] = {}
    for site, name, cycle, last_at, published_at in ctx.session.execute(asked):
        if site in names:
            found.setdefault(site, []).append(RoundSeen(name, cycle, last_at or published_at))
    return found
