"""Templates of rounds: what can be begun where, and their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.ids import MAX_ID
from console.domain.inspections.points import Limits, Point, faults
from console.domain.inspections.requests import NewTemplate
from console.domain.text import T
from console.models.inspections import InspectionPoint, InspectionTemplate
from console.services.audit import record as audit
from console.services.identity import sites
from console.services.inspections.rows import READ
from console.services.work_orders.create import asset_at

MANAGE = "inspections:manage"
OVERTAKEN = T("Somebody else published a version of this template meanwhile")


@dataclass(frozen=True)
class TemplateView:
    """One version of a template with its points; `site` None stands for all sites."""

    id: int
    site: str | None
    code: str
    version: int
    name: str
    location: str
    cycle: str
    is_current: bool
    created_by: str
    created_at: datetime
    points: tuple[Point, ...] = field(default=())
    asset_id: int | None = None


def offered(ctx: Context, site: str | None = None) -> list[TemplateView]:
    """Return the current templates that the caller may begin, by name; those of one site with the ones of all.

    Points come with them: two queries. Raises SiteDenied.
    """
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    statement = select(InspectionTemplate).where(InspectionTemplate.is_current)
    scope = ctx.actor.site_scope if site is None and not ctx.actor.all_sites else None
    if site is not None:
        statement = statement.where(InspectionTemplate.site_key.in_(("", site)))
    elif scope is not None:
        mine = InspectionTemplate.site_key.in_(scope)
        statement = statement.where(or_(InspectionTemplate.site_key == "", mine) if scope else mine)
    return _with_points(ctx, statement.order_by(InspectionTemplate.name, InspectionTemplate.id))


def get(ctx: Context, template_id: int) -> TemplateView:
    """Return one version of a template, the current one or not; raises NotFound, SiteDenied."""
    ctx.actor.require(READ)
    found = []
    if 0 < template_id <= MAX_ID:
        found = _with_points(ctx, select(InspectionTemplate).where(InspectionTemplate.id == template_id))
    if not found:
        raise NotFound(T("Inspection template not found"))
    ctx.actor.require_site(found[0].site)
    return found[0]


def publish(ctx: Context, new: NewTemplate) -> TemplateView:
    """Store the next version of a template, or its first; rounds under way keep the version they began with.

    Raises PermissionDenied, SiteDenied, GlobalScopeRequired for all sites, Invalid for points that make no sense,
    Conflict when somebody else published a version meanwhile.
    """
    ctx.actor.require(MANAGE)
    if new.site is None:
        ctx.actor.require_all_sites()
    site = sites.canonical(ctx, new.site) if new.site else None
    ctx.actor.require_site(site)
    if new.asset_id is not None:
        if site is None:
            raise Invalid.field("asset_id", T("A template of all sites has no asset"))
        asset_at(ctx, new.asset_id, site)
    for code, sentence in faults(new.points):
        raise Invalid.field(f"points.{code}" if code else "points", sentence)
    mine = (InspectionTemplate.site_key == (site or ""), InspectionTemplate.code == new.code)
    last = ctx.session.scalar(select(func.max(InspectionTemplate.version)).where(*mine)) or 0
    if new.base_version not in (None, last):
        raise Conflict(OVERTAKEN, code="version_conflict")
    row = InspectionTemplate(
        site=site,
        site_key=site or "",
        code=new.code,
        version=last + 1,
        name=new.name,
        location=new.location,
        cycle=new.cycle,
        asset_id=new.asset_id,
        created_by=ctx.actor.username,
        created_at=ctx.now(),
    )
    earlier = update(InspectionTemplate).where(*mine, InspectionTemplate.is_current)
    try:
        with ctx.session.begin_nested():
            ctx.session.execute(earlier.values(is_current=False))
            ctx.session.add(row)
    except IntegrityError as error:
        # Published at the same moment: the version of the first one stands.
        raise Conflict(OVERTAKEN, code="version_conflict") from error
    ctx.session.add_all(_stored(row.id, place, point) for place, point in enumerate(new.points, start=1))
    ctx.session.flush()
    detail = {"code": row.code, "version": row.version, "site": site, "points": len(new.points)}
    audit.record(ctx, "inspection_template_publish", "inspection_template", row.id, detail=detail)
    return view_of(TemplateView, row, points=new.points)


def _stored(template_id: int, place: int, point: Point) -> InspectionPoint:
    same = {one.name: getattr(point, one.name) for one in fields(point) if one.name not in ("limits", "choices")}
    choices = [list(pair) for pair in point.choices]
    return InspectionPoint(template_id=template_id, place=place, **same, **asdict(point.limits), choices=choices)


def _with_points(ctx: Context, statement: Select[InspectionTemplate]) -> list[TemplateView]:
    rows = list(ctx.session.scalars(statement))
    points: dict[int, list[Point]] = {row.id: [] for row in rows}
    asked = select(InspectionPoint).where(InspectionPoint.template_id.in_(points)).order_by(InspectionPoint.place)
    for one in ctx.session.scalars(asked) if points else ():
        points[one.template_id].append(_point(one))
    return [view_of(TemplateView, row, points=tuple(points[row.id])) for row in rows]


def _point(row: InspectionPoint) -> Point:
    choices: Sequence[Sequence[str]] = row.choices
    return view_of(Point, row, limits=view_of(Limits, row), choices=tuple((pair[0], pair[1]) for pair in choices))
