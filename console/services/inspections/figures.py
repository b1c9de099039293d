"""The figures of inspections: what pages count, and the list that has the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.days import day_of
from console.domain.inspections import risk
from console.domain.text import N_
from console.models.inspections import Inspection
from console.services.common.figures import Figure, Given
from console.services.common.query_cache import cached_query, cached_query_until
from console.services.inspections import lists
from console.services.inspections.rows import READ, visible

_BAD = (risk.DANGER, risk.WARNING)


def _risky(ctx: Context, site: str | None, given: Given) -> int:
    seen = visible(ctx.actor) if site is None else Inspection.site == site
    found = select(func.count()).select_from(Inspection).where(
        Inspection.risk_level.in_(_BAD), Inspection.created_at >= datetime.fromisoformat(given["since"]), seen
    )  # fmt: skip
    return ctx.session.scalar(found) or 0


RISKY = Figure(
    "inspections_risky",
    N_("Inspections with danger or caution"),
    N_("Stored since the last accepted handover, with danger or caution"),
    "inspections.page",
    _risky,
    (READ,),
    {"risk_level": _BAD, "stored_from": "{since}"},
    "late",
)


def _today(*levels: str) -> Callable[[Context, str | None, Given], int]:
    def count(ctx: Context, site: str | None, _given: Given) -> int:
        found = today(ctx).get(site, {}) if site is not None else total(today(ctx))
        return sum(found.get(level, 0) for level in levels or risk.LEVELS)

    return count


def today(ctx: Context) -> Mapping[str, Mapping[str, int]]:
    """Return how many inspections of today there are at each site that the caller may see, by level: one query."""
    first, last = day_of(ctx.now(), ctx.zone)

    def look() -> tuple[Mapping[str, Mapping[str, int]], datetime]:
        asked = select(Inspection.site, Inspection.risk_level, func.count()).where(
            visible(ctx.actor), Inspection.inspected_at >= first, Inspection.inspected_at < last
        )
        found: dict[str, dict[str, int]] = {}
        for name, level, count in ctx.session.execute(asked.group_by(Inspection.site, Inspection.risk_level)):
            found.setdefault(name, {})[level] = count
        return found, last - timedelta(microseconds=1)

    return cached_query_until(ctx, ("inspections_today", ctx.actor.site_scope, first), ctx.now(), look)


def total(by_site: Mapping[str, Mapping[str, int]]) -> Mapping[str, int]:
    """Return the same of all sites together, by level."""
    return {level: sum(one.get(level, 0) for one in by_site.values()) for level in risk.LEVELS}


def unordered(ctx: Context) -> Mapping[str, int]:
    """Return how many inspections have a danger that nobody took up, by site that the caller may see: one query."""
    asked = select(Inspection.site, func.count()).where(lists.unordered(), visible(ctx.actor)).group_by(Inspection.site)

    def look() -> Mapping[str, int]:
        return {name: int(count) for name, count in ctx.session.execute(asked)}

    return cached_query(ctx, ("inspections_unordered", ctx.actor.site_scope), look)


def _unordered(ctx: Context, site: str | None, _given: Given) -> int:
    found = unordered(ctx)
    return found.get(site, 0) if site is not None else sum(found.values())


_LIST = "inspections.page"
TODAY = Figure(
    "inspections_today", N_("Inspections today"), N_("Done today, in the zone of the installation"), _LIST, _today(),
    (READ,), {"today": "1"},
)  # fmt: skip
DANGER_TODAY = Figure(
    "inspections_danger_today", N_("Dangerous today"), N_("Done today, with danger"), _LIST, _today(risk.DANGER),
    (READ,), {"today": "1", "risk_level": risk.DANGER}, "late",
)  # fmt: skip
CAUTION_TODAY = Figure(
    "inspections_caution_today", N_("Doubtful today"), N_("Done today, with caution"), _LIST, _today(risk.WARNING),
    (READ,), {"today": "1", "risk_level": risk.WARNING}, "soon",
)  # fmt: skip
# Not only of today: a danger of yesterday that nobody took up is the worse one.
UNORDERED = Figure(
    "inspections_unordered", N_("Dangers without a work order"),
    N_("Inspections with a danger that has neither a work order nor a reason why nothing is to be done"), _LIST,
    _unordered, (READ,), {"unordered": "1"}, "late",
)  # fmt: skip
FIGURES = (RISKY, TODAY, DANGER_TODAY, CAUTION_TODAY, UNORDERED)
