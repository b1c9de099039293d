"""Who carries how much, and who should take what nobody carries (API contract, sections 10.1 and 10.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Subquery, func, literal, select, union_all

from console.core.context import Context
from console.domain.automation import workload as domain
from console.domain.automation.workload import Load, Person, Suggestion, Waiting
from console.domain.text import Text
from console.domain.tracker.tracker import REMEDIATION, item_number, title_of
from console.models.identity import User
from console.models.tracker import TrackerItem
from console.models.work_orders import WorkOrder
from console.services.audit import record as audit
from console.services.automation import kpi_sql
from console.services.common import sql
from console.services.policies.automation import READ
from console.services.tracker import rows
from console.services.work_orders import rows as orders

ROLES_MOST = 200
RETURNED_SHOWN = 10


@dataclass(frozen=True)
class Suggested:
    """An item without somebody who works on it, and who should; `assignee` is a switched-off user, if it has one.

    `load_detail` is what they have (tracker, work orders, weighted), `recommended_user_id` who is meant.
    """

    id: int
    item_id: str
    rule_id: str
    owner_role: str
    priority: int
    due_at: datetime | None
    recommended_assignee: str | None
    reason: Text
    site: str | None
    status: str
    assignee: str | None
    assignee_user_id: int | None
    recommended_user_id: int | None
    rule: str
    candidates: int
    load_detail: Mapping[str, float]
    last_assigned_at: datetime | None
    title: Any


@dataclass(frozen=True)
class Suggestions:
    """Who should take what nobody works on, and what is left alone because a person took it back from the machine.

    `returned` are the first of those; `returned_count` is how many there are, `returned_free` those without assignee.
    """

    made: tuple[Suggested, ...] = ()
    returned: tuple[Suggested, ...] = ()
    returned_count: int = 0
    returned_free: int = 0


@dataclass(frozen=True)
class Workload:
    """The load of everybody at `generated_at` (aware UTC); counts and suggestions are of open items only.

    `returned` are the first items that automation leaves alone until a person assigns them, `returned_count` all.
    """

    generated_at: datetime
    include_inactive: bool
    total_open_items: int
    unassigned_open_count: int
    assignee_open_counts: Mapping[str, int]
    owner_role_open_counts: Mapping[str, int]
    candidate_usernames_by_role: Mapping[str, Sequence[str]]
    suggestions: tuple[Suggested, ...]
    inactive_items: int
    inactive_assignee_open_count: int
    returned_count: int
    returned: tuple[Suggested, ...]


def view(
    ctx: Context, *, include_inactive: bool = False, max_suggestions: int = 20, site: str | None = None
) -> Workload:
    """Return the workload of what the caller sees: five queries. Raises PermissionDenied, SiteDenied."""
    ctx.actor.require(*READ)
    made = snapshot(ctx, include_inactive=include_inactive, most=max_suggestions, site=site)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_workload_view",
        REMEDIATION.audit_prefix,
        "global",
        include_inactive=include_inactive,
        total_open_items=made.total_open_items,
        unassigned_open_count=made.unassigned_open_count,
        suggestion_count=len(made.suggestions),
    )
    return made


def snapshot(ctx: Context, *, most: int, include_inactive: bool = False, site: str | None = None) -> Workload:
    """Return the workload; permissions are the caller's business."""
    people = active_people(ctx)
    counts = ctx.session.execute(select(*_counts(ctx, site))).one()
    total, unassigned, orphaned, inactive = tuple(counts)
    found = suggestions(ctx, people, most=most, site=site)
    return Workload(
        generated_at=ctx.now(),
        include_inactive=include_inactive,
        total_open_items=total,
        unassigned_open_count=unassigned,
        assignee_open_counts=kpi_sql.assignee_counts(ctx, site),
        owner_role_open_counts=_by_owner_role(ctx, site),
        candidate_usernames_by_role={
            role: sorted(person.username for person, _load in people if person.role == role) for role in domain.POOL
        },
        suggestions=found.made,
        inactive_items=inactive,
        inactive_assignee_open_count=orphaned,
        returned_count=found.returned_count,
        returned=found.returned,
    )


def _switched_off() -> ColumnElement[bool]:
    return TrackerItem.assignee_user_id.in_(select(User.id).where(User.is_active.is_(False)))


def _counts(ctx: Context, site: str | None) -> tuple[ColumnElement[int], ...]:
    mine = kpi_sql.scope(ctx, site)

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return select(func.count()).select_from(TrackerItem).where(*mine, *conditions).scalar_subquery()

    return (
        number(rows.OPEN),
        number(rows.UNASSIGNED, rows.OPEN),
        number(rows.OPEN, _switched_off()),
        number(TrackerItem.is_active.is_(False)),
    )


def _by_owner_role(ctx: Context, site: str | None) -> dict[str, int]:
    number = func.count().label("number")
    statement = (
        select(TrackerItem.owner_role, number)
        .where(*kpi_sql.scope(ctx, site), rows.OPEN)
        .group_by(TrackerItem.owner_role)
        .order_by(number.desc(), TrackerItem.owner_role)
        .limit(ROLES_MOST)
    )
    return {role: int(count) for role, count in ctx.session.execute(statement)}


def active_people(ctx: Context) -> tuple[tuple[Person, Load], ...]:
    """Return every active owner, manager and operator with their load: one query of index ranges.

    It is the open items of all trackers and the open work orders (API contract, known defects, 25).
    """
    owned = TrackerItem.assignee_user_id == User.id
    load = select(func.count()).select_from(TrackerItem).where(owned, rows.OPEN).scalar_subquery()
    mine = (WorkOrder.assignee_user_id == User.id, orders.OPEN)
    carried = select(func.count()).select_from(WorkOrder).where(*mine).scalar_subquery()
    last = select(func.max(TrackerItem.assigned_at)).where(owned).scalar_subquery()
    columns = (User.id, User.username, User.role, User.permissions, User.site_scope, User.is_bootstrap)
    statement = (
        select(*columns, load.label("load"), carried.label("orders"), last.label("last"))
        .where(User.is_active.is_(True), User.role.in_(domain.POOL))
        .order_by(User.username)
    )
    return tuple(
        (
            Person(row.id, row.username, row.role, row.permissions, row.site_scope, row.is_bootstrap, row.last),
            Load(tracker=row.load, work_orders=row.orders),
        )
        for row in ctx.session.execute(statement)
    )


_NAMES = ("id", "number", "item_key", "owner_role", "priority", "due_at", "site", "status", "assignee")
_COLUMNS = tuple(getattr(TrackerItem, name) for name in (*_NAMES, "assignee_user_id", "item_name", "texts", "action"))


def suggestions(
    ctx: Context, people: Sequence[tuple[Person, Load]], *, most: int, site: str | None = None
) -> Suggestions:
    """Return a suggestion for the first `most` items that nobody works on, the most urgent first: one query."""
    found = _waiting(ctx, most, site)
    free = [row for row in found if not row.returned]
    items = [Waiting(row.id, row.owner_role, row.site) for row in free]
    loads = {person.user_id: load for person, load in people}
    chosen = domain.suggest(items, [person for person, _load in people], loads)
    returned = [row for row in found if row.returned]
    return Suggestions(
        made=tuple(_suggested(row, one) for row, one in zip(free, chosen, strict=True)),
        returned=tuple(_suggested(row, domain.left_alone(row.id)) for row in returned),
        returned_count=returned[0].returned if returned else 0,
        returned_free=returned[0].returned - returned[0].owned if returned else 0,
    )


def _suggested(row: Row[Any], one: Suggestion) -> Suggested:
    return Suggested(
        id=row.id,
        item_id=item_number(REMEDIATION.item_prefix, row.number),
        rule_id=row.item_key,
        owner_role=row.owner_role,
        priority=row.priority,
        due_at=row.due_at,
        recommended_assignee=one.assignee,
        reason=one.reason,
        site=row.site,
        status=row.status,
        assignee=row.assignee,
        assignee_user_id=row.assignee_user_id,
        recommended_user_id=one.user_id,
        rule=one.rule,
        candidates=one.candidates,
        load_detail=one.load_detail,
        last_assigned_at=one.last_assigned_at,
        title=title_of(row),
    )


_URGENCY = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)


def _waiting(ctx: Context, most: int, site: str | None) -> Sequence[Row[Any]]:
    """Read the most urgent items without assignee or with one that was switched off, and some that were taken back.

    The first walk their own index in this order and stop; the others are found by their assignees.
    """
    base = select(*_URGENCY).where(*kpi_sql.scope(ctx, site), rows.OPEN, rows.AUTOMATIC)
    free = base.where(rows.UNASSIGNED).order_by(*_URGENCY).limit(most).subquery()
    parts = union_all(select(free), base.where(_switched_off())).subquery()
    first = select(parts.c.id).order_by(parts.c.priority, parts.c.due_at, parts.c.id).limit(most).subquery()
    returned = _returned(ctx, site)
    suggested = select(first.c.id, literal(0).label("returned"), literal(0).label("owned"))
    both = union_all(suggested, select(returned)).subquery()
    columns: list[Any] = [*_COLUMNS, both.c.returned, both.c.owned]
    statement = select(*columns).join(both, both.c.id == TrackerItem.id)
    return ctx.session.execute(statement.order_by(*_URGENCY)).all()


def _returned(ctx: Context, site: str | None) -> Subquery:
    """Select the most urgent items that a person took back, each with how many there are and how many have an assignee.

    The index of who was assigned when finds them: hardly any item without user has an instant of assignment.
    """
    base = select(*_URGENCY, TrackerItem.assignee).where(*kpi_sql.scope(ctx, site), rows.OPEN, rows.RETURNED)
    nobody = sql.unlikely(ctx, TrackerItem.assignee_user_id.is_(None))
    free = base.where(nobody, TrackerItem.assigned_at.is_not(None), rows.UNASSIGNED)
    parts = union_all(free, base.where(_switched_off())).subquery()
    count, owned = func.count().over().label("returned"), func.count(parts.c.assignee).over().label("owned")
    order = (parts.c.priority, parts.c.due_at, parts.c.id)
    return select(parts.c.id, count, owned).order_by(*order).limit(RETURNED_SHOWN).subquery()
