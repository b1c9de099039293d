"""Sites: the places that are run. Records and scopes carry a site's name, so a name never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.records import Fact, view_of
from console.domain.entered import same_name
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.identity import iam, scope
from console.domain.text import N_, T
from console.models.identity import Site
from console.services.audit import record as audit
from console.services.common.query_cache import cached_query
from console.services.identity.grants import locked

DEFAULT_ZONE = "Asia/Seoul"


@dataclass(frozen=True)
class SiteView:
    """A site as pages and API show it; `zone` is the IANA name that people's times of this site are shown in."""

    id: int
    name: Annotated[str, Fact(N_("Site"), sort=True)]
    zone: Annotated[str, Fact(N_("Time zone"), sort=True)]
    is_active: Annotated[bool, Fact(N_("State"), sort=True)]
    created_at: Annotated[datetime, Fact(N_("Created"), sort=True)]
    updated_at: datetime
    version: int


def view(site: Site) -> SiteView:
    """Return what is shown of a site."""
    return view_of(SiteView, site)


def visible(ctx: Context, *, include_inactive: bool = False) -> list[SiteView]:
    """Return the sites in the caller's scope by name: for the switcher, filters and forms."""

    def find() -> tuple[SiteView, ...]:
        return tuple(map(view, ctx.session.scalars(in_scope(ctx).order_by(Site.name))))

    found = cached_query(ctx, ("sites", ctx.actor.site_scope), find)
    return [site for site in found if include_inactive or site.is_active]


def number(ctx: Context) -> int:
    """Return how many sites there are, whoever sees them."""
    return cached_query(ctx, ("sites_number",), lambda: ctx.session.scalar(select(func.count(Site.id))) or 0)


def in_scope(ctx: Context) -> Select[Site]:
    """Return the SELECT of the sites in the caller's scope, without order; for lists."""
    return select(Site) if ctx.actor.all_sites else select(Site).where(Site.name.in_(ctx.actor.site_scope))


def names(ctx: Context) -> list[str]:
    """Return what the caller may choose as a site: active records, and names of their scope without a record."""
    known = {site.name: site.is_active for site in visible(ctx, include_inactive=True)}
    own = () if ctx.actor.all_sites else ctx.actor.site_scope
    return sorted({name for name, active in known.items() if active} | {name for name in own if name not in known})


def canonical(ctx: Context, name: str) -> str:
    """Return a site's name as its record writes it, whatever case and spacing it was sent in.

    A name without a record stays as it is: clients name sites that nobody registered. Raises Invalid for a site that
    is no longer active.
    """
    row = ctx.session.execute(select(Site.name, Site.is_active).where(Site.name_key == same_name(name))).first()
    if row is None:
        return name
    if not row.is_active:
        raise Invalid.field("site", T("There is no active site of that name"))
    return str(row.name)


def zone_of(ctx: Context, name: str | None) -> ZoneInfo:
    """Return the zone in which times of a site are shown; the default zone for an unknown or no site."""
    zone = ctx.session.scalar(select(Site.zone).where(Site.name == name)) if name else None
    return ZoneInfo(zone or ctx.config["BUSINESS_TIME_ZONE"])


def get(ctx: Context, site_id: int) -> SiteView:
    """Return one site; raises NotFound."""
    ctx.actor.require(iam.ADMIN)
    return view(_load(ctx, site_id))


def create(ctx: Context, *, name: str, zone: str = DEFAULT_ZONE, is_active: bool = True) -> SiteView:
    """Create a site; raises Invalid for a name or zone that cannot be, Conflict for a name that exists.

    Names that differ in case or spacing only count as the same.
    """
    _may_change(ctx)
    try:
        clean = scope.site_name(" ".join(name.split(" ")))
    except ValueError as error:
        raise Invalid.field("name", str(error)) from error
    now = ctx.now()
    site = Site(
        name=clean,
        name_key=same_name(clean),
        zone=_zone(zone),
        is_active=is_active,
        created_at=now,
        updated_at=now,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(site)
    except IntegrityError as error:
        raise Conflict(T("A site with this name exists already"), code="site_exists") from error
    detail = {"name": site.name, "zone": site.zone, "is_active": site.is_active}
    audit.record(ctx, "admin_site_create", "site", site.id, detail=detail)
    return view(site)


def update(
    ctx: Context,
    site_id: int,
    *,
    zone: str | None = None,
    is_active: bool | None = None,
    version: int | None = None,
) -> SiteView:
    """Change zone or state; None leaves a value. An inactive site stays on its records but is no longer offered.

    Raises NotFound, Invalid for an unknown zone, Conflict when `version` is not the current one.
    """
    _may_change(ctx)
    site = _load(ctx, site_id, lock=True)
    if version is not None and version != site.version:
        raise Conflict(T("The site was changed meanwhile"), code="version_conflict")
    wanted: dict[str, Any] = {}
    if zone is not None:
        wanted["zone"] = _zone(zone)
    if is_active is not None:
        wanted["is_active"] = is_active
    changes = {key: value for key, value in wanted.items() if getattr(site, key) != value}
    if not changes:
        return view(site)
    detail = {
        "name": site.name,
        "changes": {key: {"old": getattr(site, key), "new": value} for key, value in changes.items()},
    }
    for key, value in changes.items():
        setattr(site, key, value)
    site.updated_at = ctx.now()
    site.version += 1
    ctx.session.flush()
    audit.record(ctx, "admin_site_update", "site", site.id, detail=detail)
    return view(site)


def _may_change(ctx: Context) -> None:
    ctx.actor.require(iam.ADMIN)
    ctx.actor.require_all_sites()


def _load(ctx: Context, site_id: int, *, lock: bool = False) -> Site:
    statement = select(Site).where(Site.id == site_id)
    site = ctx.session.scalar(locked(statement) if lock else statement)
    if site is None:
        raise NotFound(T("Site not found"))
    return site


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Invalid.field("zone", N_("is not the name of a time zone, such as Asia/Seoul"))
    return name
