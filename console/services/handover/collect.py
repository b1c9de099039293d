"""What a shift hands over at a site: collected from orders, inspections, alerts, jobs and notes as they stand."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from console.core.context import SYSTEM, Context
from console.domain.alerts import snooze
from console.domain.handover import lines as rules
from console.domain.handover.lines import Line
from console.domain.handover.urgency import HIGH
from console.domain.inspections import risk
from console.models.alerts import AlertDelivery
from console.models.handover import HandoverNote
from console.models.inspections import Inspection, InspectionTemplate
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.alerts import figures as alerts
from console.services.common import snoozes
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.work_orders import rows as orders

# A danger that nobody ordered anything for is told of again and again, but not for ever.
UNOWNED_DAYS = timedelta(days=30)
MOST_NOTES = 100
_ORDER = (
    *("id", "title", "priority", "due_at", "assignee", "location", "waiting_reason", "waiting_until", "is_escalated"),
    "version",
)
Told = Collection[tuple[str, int | None]]


def collect(ctx: Context, site: str, since: datetime, told: Told, now: datetime) -> list[Line]:
    """Return the lines of a site, the worst first: six queries.

    `since` (UTC) is when the last accepted handover ended and `told` what stood in it: that is not told of again as
    new, and nothing that was stored around that instant is passed over.
    """
    found = [
        *_orders(ctx, site, since, told, now),
        *_inspections(ctx, site, since, told, now),
        *_alerts(ctx, site, since),
        *_jobs(ctx),
        *_notes(ctx, site),
    ]
    return rules.in_order(found)


def _orders(ctx: Context, site: str, since: datetime, told: Told, now: datetime) -> Iterator[Line]:
    mine = [orders.OPEN, WorkOrder.site == site]
    before = [number for subject, number in told if subject == rules.ORDER and number is not None]
    new: ColumnElement[bool] = WorkOrder.created_at >= since - rules.LATE_STORED
    if before:
        new = and_(new, WorkOrder.id.not_in(before))
    worse = WorkOrder.id.in_(
        select(WorkOrderEvent.work_order_id).where(
            WorkOrderEvent.event_type == "escalated", WorkOrderEvent.created_at >= since - rules.LATE_STORED
        )
    )
    nobody = WorkOrder.assignee.is_(None)
    due, waits = WorkOrder.due_at, WorkOrder.waiting_reason.is_not(None)
    promised = and_(waits, WorkOrder.waiting_until <= now + rules.PROMISE_WITHIN)
    kind = case(
        (due < now, rules.LATE),
        (and_(WorkOrder.is_escalated, worse), rules.WORSE),
        (due <= now + rules.SOON_WITHIN, rules.SOON),
        (and_(nobody, or_(WorkOrder.priority.in_(HIGH), new)), rules.UNASSIGNED),
        (promised, rules.PROMISED),
        (waits, rules.WAITING),
        (new, rules.NEW),
    ).label("kind")
    quiet = snoozes.until_of(snooze.ORDER, WorkOrder.id.expression).label("snoozed_until")
    named = select(*(getattr(WorkOrder, name) for name in _ORDER), quiet, kind).where(*mine).subquery()
    place = func.row_number().over(partition_by=named.c.kind, order_by=(named.c.due_at, named.c.id)).label("place")
    many = func.count().over(partition_by=named.c.kind).label("many")
    ranked = select(named, place, many).where(named.c.kind.is_not(None)).subquery()
    wanted = select(ranked).where(ranked.c.place <= rules.MOST_OF_A_KIND).order_by(ranked.c.place)
    rest: dict[str, int] = {}
    for row in ctx.session.execute(wanted):
        rest[row.kind] = row.many - rules.MOST_OF_A_KIND
        detail = {name: getattr(row, name) for name in _ORDER if name not in ("id", "title")}
        detail["snoozed_until"] = row.snoozed_until if snooze.standing(row.snoozed_until, now) else None
        for name in ("due_at", "waiting_until", "snoozed_until"):
            detail[name] = detail[name] and detail[name].isoformat()
        yield Line(row.kind, rules.ORDER, row.id, f"#{row.id} {row.title}", detail)
    for name, count in rest.items():
        if count > 0:
            yield Line(name, rules.REST, None, "", {"count": count})


def _inspections(ctx: Context, site: str, since: datetime, told: Told, now: datetime) -> Iterator[Line]:
    """Go by when an inspection was stored: a round without signal arrives long after it was done."""
    order = (
        select(func.max(WorkOrder.id)).where(WorkOrder.inspection_id == Inspection.id).correlate(Inspection)
    ).scalar_subquery()
    ordered = exists().where(WorkOrder.inspection_id == Inspection.id)
    unowned = and_(Inspection.risk_level == risk.DANGER, ~ordered, Inspection.inspected_at >= now - UNOWNED_DAYS)
    fresh = and_(
        Inspection.risk_level.in_((risk.DANGER, risk.WARNING)), Inspection.created_at >= since - rules.LATE_STORED
    )
    name = func.coalesce(InspectionTemplate.name, Inspection.location)
    wanted = (
        select(
            Inspection.id,
            Inspection.risk_level,
            Inspection.inspected_at,
            Inspection.inspector,
            name.label("name"),
            order.label("order_id"),
        )
        .outerjoin(InspectionTemplate, InspectionTemplate.id == Inspection.template_id)
        .where(Inspection.site == site, or_(unowned, fresh))
        .order_by(Inspection.inspected_at.desc(), Inspection.id.desc())
    )
    counts: dict[str, int] = {}
    for row in ctx.session.execute(wanted.limit(1000)):
        unseen = row.risk_level == risk.DANGER and row.order_id is None
        if not unseen and (rules.INSPECTION, row.id) in told:
            continue
        found = rules.UNOWNED if unseen else rules.DANGER if row.risk_level == risk.DANGER else rules.CAUTION
        counts[found] = counts.get(found, 0) + 1
        if counts[found] <= rules.MOST_OF_A_KIND:
            detail = {"at": row.inspected_at.isoformat(), "by": row.inspector, "order_id": row.order_id}
            yield Line(found, rules.INSPECTION, row.id, f"#{row.id} {row.name}", detail)
    for found, count in counts.items():
        if count > rules.MOST_OF_A_KIND:
            yield Line(found, rules.REST, None, "", {"count": count - rules.MOST_OF_A_KIND})


def _alerts(ctx: Context, site: str, since: datetime) -> Iterator[Line]:
    """Return a line for each channel that did not take alerts of the site, or of no site."""
    begun = since - rules.LATE_STORED
    failed = (
        select(
            AlertDelivery.channel,
            func.max(AlertDelivery.target).label("target"),
            func.count().label("number"),
            func.max(AlertDelivery.next_attempt_at).label("again"),
        )
        .where(*alerts.lost(begun), alerts.concerning(site))
        .group_by(AlertDelivery.channel)
        .order_by(func.count().desc(), AlertDelivery.channel)
        .limit(rules.MOST_OF_A_KIND)
    )
    rows = ctx.session.execute(failed).all()
    names = alerts.names_of(ctx) if rows else {}
    for row in rows:
        detail = {
            "count": row.number,
            "next": row.again and row.again.isoformat(),
            "channel": row.channel,
            "since": begun.isoformat(),
        }
        yield Line(rules.ALERTS, rules.ALERTS, None, names.get(row.channel, row.target), detail)


def _jobs(ctx: Context) -> Iterator[Line]:
    """Return a line when jobs are late: that concerns every site, whoever may look at the jobs themselves."""
    seen = run_schedule.health(replace(ctx, actor=SYSTEM), registry.schedule(), registry.find)
    if seen.late_count:
        yield Line(rules.JOBS, rules.JOBS, None, "", {"count": seen.late_count})


def _notes(ctx: Context, site: str) -> Iterator[Line]:
    """Return the notes that stood in no accepted handover yet, the oldest first."""
    wanted = select(HandoverNote).where(HandoverNote.site == site, HandoverNote.settled_by.is_(None))
    for note in ctx.session.scalars(wanted.order_by(HandoverNote.id).limit(MOST_NOTES)):
        yield note_line(note)


def note_line(note: HandoverNote) -> Line:
    """Return the line of a note."""
    detail: dict[str, Any] = {"at": note.created_at.isoformat(), "by": note.created_by}
    return Line(rules.NOTE, rules.NOTE, note.id, note.note, detail)
