"""Rounds that are about to be done: which can be begun where, and the sheet with what was found there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.inspections.points import UNMEASURED, Point
from console.domain.text import T
from console.models.inspections import Inspection, InspectionResult, InspectionTemplate
from console.services.identity import sites
from console.services.inspections import templates
from console.services.inspections.read import among
from console.services.inspections.rows import WRITE, visible
from console.services.inspections.templates import TemplateView
from console.services.work_orders.create import asset_at

# So many values of a point lie behind its small chart, and no older ones.
MOST_RECENT = 12
RECENT = timedelta(days=1096)
MOST_LOCATION = 120


@dataclass(frozen=True)
class Past:
    """What was found at a point before: when (aware UTC), the value or the word, what it meant, by whom."""

    at: datetime
    value: float | None
    answer: str
    verdict: str
    inspector: str


@dataclass(frozen=True)
class Asked:
    """A point of the sheet with what was found there before, the newest first."""

    point: Point
    recent: tuple[Past, ...] = ()

    @property
    def last(self) -> Past | None:
        """Return what was found the last time."""
        return self.recent[0] if self.recent else None

    @property
    def values(self) -> list[float]:
        """Return the values before, the oldest first."""
        return [one.value for one in reversed(self.recent) if one.value is not None]


@dataclass(frozen=True)
class Sheet:
    """One round to be done: a version of a template at a place of a site, point by point."""

    template: TemplateView
    site: str
    location: str
    points: tuple[Asked, ...]
    asset_id: int | None = None


@dataclass(frozen=True)
class Offer:
    """A template that can be begun at a site, with the instant (aware UTC) at which it was done there last."""

    template: TemplateView
    last_at: datetime | None


def offers(ctx: Context, site: str) -> list[Offer]:
    """Return what can be begun at a site, by name: three queries. Raises PermissionDenied, SiteDenied."""
    ctx.actor.require(WRITE)
    found = templates.offered(ctx, site)
    newest = (
        select(InspectionTemplate.site_key, InspectionTemplate.code, func.max(Inspection.inspected_at))
        .join(Inspection, Inspection.template_id == InspectionTemplate.id)
        .where(Inspection.site == site, visible(ctx.actor))
        .group_by(InspectionTemplate.site_key, InspectionTemplate.code)
    )
    last = {(row[0], row[1]): row[2] for row in ctx.session.execute(newest)} if found else {}
    return [Offer(one, last.get((one.site or "", one.code))) for one in found]


def sheet(ctx: Context, template_id: int, site: str, location: str = "", asset_id: int | None = None) -> Sheet:
    """Return the sheet of a round; an old version of a template has one as well. Without a location the template's.

    Raises PermissionDenied, NotFound, SiteDenied, Invalid for a template of another site or an asset that cannot be,
    BadRequest for an asset of another site. Without an asset it is about the template's.
    """
    ctx.actor.require(WRITE)
    template = templates.get(ctx, template_id)
    place = sites.named(ctx, site, where="query")
    ctx.actor.require_site(place)
    if template.site not in (None, place):
        raise Invalid.field("template_id", T("The template belongs to another site"))
    asset = asset_at(ctx, asset_id, place, retired=True)
    where = " ".join(location.split())[:MOST_LOCATION] or (asset.place if asset else "") or template.location
    keys = {one.code: (("", one.maps_to) if one.maps_to else (template.code, one.code)) for one in template.points}
    before = recent(ctx, place, where, keys.values())
    asked = tuple(Asked(one, before.get(keys[one.code], ())) for one in template.points)
    return Sheet(template, place, where, asked, asset_id)


def recent(
    ctx: Context, site: str, location: str, points: Iterable[tuple[str, str]]
) -> Mapping[tuple[str, str], tuple[Past, ...]]:
    """Return the newest results of points at a place by series and code, at most 12 of each: one query."""
    wanted = set(points)
    if not wanted:
        return {}
    number = (
        func.row_number()
        .over(
            partition_by=(InspectionResult.series, InspectionResult.code),
            order_by=(InspectionResult.measured_at.desc(), InspectionResult.id.desc()),
        )
        .label("number")
    )
    newest = (
        select(InspectionResult.id, number)
        .where(InspectionResult.site == site, InspectionResult.location == location, among(wanted))
        .where(InspectionResult.measured_at > ctx.now() - RECENT, InspectionResult.verdict != UNMEASURED)
        .subquery()
    )
    asked = (
        select(InspectionResult, Inspection.inspector)
        .join(newest, newest.c.id == InspectionResult.id)
        .join(Inspection, Inspection.id == InspectionResult.inspection_id)
        .where(newest.c.number <= MOST_RECENT)
        .order_by(InspectionResult.measured_at.desc(), InspectionResult.id.desc())
    )
    found: dict[tuple[str, str], list[Past]] = {}
    for row, who in ctx.session.execute(asked):
        past = Past(row.measured_at, row.value, row.answer, row.verdict, who)
        found.setdefault((row.series, row.code), []).append(past)
    return {key: tuple(rows) for key, rows in found.items()}
