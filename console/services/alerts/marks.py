"""What people say of alerts: this one was false, that one was missed. Each mark has a reason and can be taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Table, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.core.records import view_of
from console.domain.alerts.accuracy import SKEW
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.text import T
from console.models.alerts import AlertDelivery, AlertMark
from console.models.identity import Site
from console.services.alerts.outbox import READ, WRITE, visible
from console.services.audit import record as audit
from console.services.jobs.runs import changed

FALSE, MISSED = "false", "missed"
LISTED_MOST = 200
# What happened longer ago than this no review looks at any more.
_REACH = timedelta(days=366)


@dataclass(frozen=True)
class Mark:
    """What somebody says of an alert; instants are aware UTC. `version` goes up when it is taken back."""

    id: int
    kind: str
    delivery_id: int | None
    event_type: str
    happened_at: datetime
    site: str | None
    what: str
    reason: str
    marked_by: str
    marked_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    version: int


def listed(ctx: Context, *, kind: str | None = None, limit: int = LISTED_MOST) -> tuple[Mark, ...]:
    """Return the marks that the caller sees, newest first, those that were taken back too."""
    ctx.actor.require(*READ)
    wanted = select(AlertMark).where(*_mine(ctx))
    if kind is not None:
        wanted = wanted.where(AlertMark.kind == kind)
    newest = wanted.order_by(AlertMark.happened_at.desc(), AlertMark.id.desc()).limit(limit)
    return tuple(view_of(Mark, row) for row in ctx.session.scalars(newest))


def of_delivery(ctx: Context, delivery_id: int) -> Mark | None:
    """Return the standing mark of an alert, whichever of its deliveries it was set on."""
    ctx.actor.require(*READ)
    found = select(AlertMark).join(AlertDelivery, _same_alert())
    row = ctx.session.scalar(found.where(AlertDelivery.id == delivery_id, *visible(ctx)))
    return None if row is None else view_of(Mark, row)


def _same_alert() -> ColumnElement[bool]:
    """Return the condition that a standing mark is about the alert of a delivery; two of an instant stay two."""
    return and_(
        AlertMark.kind == FALSE,
        AlertMark.event_type == AlertDelivery.event_type,
        AlertMark.happened_at == AlertDelivery.created_at,
        AlertMark.raised_id == AlertDelivery.raised_id,
        AlertMark.withdrawn_at.is_(None),
    )


def marked_false(ctx: Context, delivery_ids: Collection[int]) -> frozenset[int]:
    """Return those of the deliveries whose alert stands marked as false, whichever of its deliveries was marked."""
    ctx.actor.require(*READ)
    if not delivery_ids:
        return frozenset()
    standing = select(AlertMark.id).where(_same_alert())
    marked = select(AlertDelivery.id).where(AlertDelivery.id.in_(delivery_ids), standing.exists(), *visible(ctx))
    return frozenset(ctx.session.scalars(marked))


def mark_false(ctx: Context, delivery_id: int, reason: str) -> Mark:
    """Say that an alert was false: nobody had to act on anything. All its channels share the mark.

    Raises NotFound, Invalid without a reason, and Conflict when it is marked already.
    """
    ctx.actor.require(*WRITE)
    row = ctx.session.scalar(select(AlertDelivery).where(AlertDelivery.id == delivery_id, *visible(ctx)))
    if row is None:
        raise NotFound(T("Alert delivery not found"))
    about = {"event_type": row.event_type, "happened_at": row.created_at, "raised_id": row.raised_id}
    return _store(ctx, FALSE, reason, delivery_id=row.id, site=row.site, **about)


def record_missed(
    ctx: Context,
    what: str,
    happened_at: datetime,
    reason: str,
    *,
    site: str | None = None,
    delivery_id: int | None = None,
) -> Mark:
    """Record an incident that nobody was alerted about; without a site it is one of the platform.

    Raises Invalid for an instant that nobody can mean, SiteDenied and GlobalScopeRequired for what the caller may not
    see.
    """
    ctx.actor.require(*WRITE)
    now = ctx.now()
    if site is None:
        ctx.actor.require_all_sites()
    else:
        ctx.actor.require_site(site)
        if ctx.session.scalar(select(Site.id).where(Site.name == site)) is None:
            raise Invalid.field("site", T("There is no active site of that name"))
    if not what.strip():
        raise Invalid.field("what", T("Say what happened"))
    if happened_at > now + SKEW or happened_at < now - _REACH:
        raise Invalid.field("happened_at", T("An incident is recorded within a year after it happened"))
    return _store(ctx, MISSED, reason, what=what.strip(), happened_at=happened_at, site=site, delivery_id=delivery_id)


def _store(ctx: Context, kind: str, reason: str, **values: object) -> Mark:
    if not reason.strip():
        raise Invalid.field("reason", T("A mark needs a reason"))
    given = {"kind": kind, "reason": reason.strip(), "marked_by": ctx.actor.username, "marked_at": ctx.now(), **values}
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(cast("Table", AlertMark.__table__)).values(given).on_conflict_do_nothing()
    mark_id = ctx.session.execute(statement.returning(AlertMark.id)).scalar_one_or_none()
    if mark_id is None:
        raise Conflict(T("This alert is marked as false already"))
    made = view_of(Mark, ctx.session.get_one(AlertMark, mark_id))
    _on_record(ctx, f"alert_mark_{kind}", made)
    return made


def withdraw(ctx: Context, mark_id: int, version: int, reason: str) -> Mark:
    """Take a mark back; raises NotFound, and Conflict when it is no longer at `version`."""
    ctx.actor.require(*WRITE)
    if not reason.strip():
        raise Invalid.field("reason", T("A mark needs a reason"))
    if ctx.session.scalar(select(AlertMark.id).where(AlertMark.id == mark_id, *_mine(ctx))) is None:
        raise NotFound(T("There is no such mark"))
    statement = update(AlertMark).where(
        AlertMark.id == mark_id, AlertMark.version == version, AlertMark.withdrawn_at.is_(None)
    )
    values = {"withdrawn_by": ctx.actor.username, "withdrawn_at": ctx.now(), "version": AlertMark.version + 1}
    if changed(ctx, statement.values(**values)) != 1:
        raise Conflict(T("Somebody else changed this mark meanwhile"), code="version_conflict")
    made = view_of(Mark, ctx.session.get_one(AlertMark, mark_id, populate_existing=True))
    _on_record(ctx, "alert_mark_withdraw", made, why=reason.strip())
    return made


def _on_record(ctx: Context, action: str, mark: Mark, **more: str) -> None:
    detail = {
        "kind": mark.kind,
        "event_type": mark.event_type,
        "what": mark.what,
        "site": mark.site,
        "happened_at": mark.happened_at.isoformat(),
        "reason": mark.reason,
        "delivery_id": mark.delivery_id,
        **more,
    }
    audit.record(ctx, action, "alert_mark", mark.id, detail=detail)


def _mine(ctx: Context) -> list[ColumnElement[bool]]:
    if ctx.actor.all_sites:
        return []
    return [or_(AlertMark.site.is_(None), AlertMark.site.in_(ctx.actor.site_scope))]
