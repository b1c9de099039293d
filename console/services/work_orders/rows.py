"""How work orders are read: conditions that match the indexes, what a caller may see, and the row that doors get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, select, true

from console.core.context import Actor, Context
from console.core.records import INTERNAL, Fact, columns_of
from console.core.revisions import ALWAYS
from console.domain.alerts import snooze
from console.domain.errors import NotFound
from console.domain.ids import MAX_ID
from console.domain.text import N_, T
from console.domain.work_orders.missing import Progress
from console.domain.work_orders.states import Life, shown_notes
from console.domain.work_orders.words import OPEN_STATUSES
from console.models.assets import Asset
from console.models.identity import User
from console.models.work_orders import WorkOrder
from console.services.common import snoozes
from console.services.facility_sla import moment

READ, WRITE = "work_orders:read", "work_orders:write"
OPEN = moment.OPEN
WAITING = and_(OPEN, WorkOrder.waiting_reason.is_not(None))


@dataclass(frozen=True, slots=True)
class WorkOrderView:
    """A work order as every door shows it; instants are aware UTC.

    The first 18 fields were published first. `resolution_notes` of a canceled order is its reason; `solution` is what
    was written down as done. `is_overdue`: open and past its due date when it was read.
    """

    id: Annotated[int, Fact(N_("No."), sort=True)]
    title: Annotated[str, Fact(N_("Work order"), sort=True)]
    description: str
    site: Annotated[str, Fact(N_("Site"), sort=True)]
    location: Annotated[str, Fact(N_("Location"), sort=True)]
    priority: Annotated[str, Fact(N_("Priority"), sort=WorkOrder.priority_rank)]
    status: Annotated[str, Fact(N_("Status"), sort=True)]
    assignee: Annotated[str | None, Fact(N_("Assignee"), sort=True)]
    reporter: Annotated[str | None, Fact(N_("Reporter"), sort=True, shown=False)]
    inspection_id: int | None
    due_at: Annotated[datetime | None, Fact(N_("Due"), sort=True)]
    acknowledged_at: Annotated[datetime | None, Fact(N_("First answer"), sort=True, shown=False)]
    completed_at: Annotated[datetime | None, Fact(N_("Done at"), sort=True, shown=False)]
    resolution_notes: Annotated[str, Fact(N_("Solution or reason"), shown=False)]
    is_escalated: Annotated[bool, Fact(N_("Escalated"), sort=True, shown=False)]
    is_overdue: bool
    created_at: Annotated[datetime, Fact(N_("Created"), sort=True, shown=False)]
    updated_at: Annotated[datetime, Fact(N_("Changed"), sort=True, shown=False)]

    canceled_at: datetime | None
    cancel_reason: str
    trade: Annotated[str, Fact(N_("Trade"), sort=True, shown=False)]
    source: Annotated[str, Fact(N_("Source"), sort=True, shown=False)]
    asset_id: int | None
    policy_revision_id: int | None
    waiting_reason: Annotated[str | None, Fact(N_("Waits for"), sort=True, shown=False)]
    waiting_since: datetime | None
    waiting_until: datetime | None
    evidence_before: int
    evidence_after: int
    comment_count: int
    reopened_count: int
    created_by: str
    updated_by: str
    version: int
    solution: Annotated[str, INTERNAL]
    assignee_user_id: Annotated[int | None, INTERNAL]
    assignee_name: Annotated[str | None, INTERNAL]
    asset_code: Annotated[str | None, INTERNAL]
    asset_name: Annotated[str | None, INTERNAL]
    snoozed_until: Annotated[datetime | None, INTERNAL] = None

    def __hash__(self) -> int:
        return hash((self.id, self.version, self.updated_at))

    @property
    def is_open(self) -> bool:
        """Neither completed nor canceled."""
        return self.status in OPEN_STATUSES

    @property
    def evidence(self) -> Annotated[int, Fact(N_("Evidence files"), sort=WorkOrder.evidence_after, numeric=True)]:
        """How many files prove it, before and after the work."""
        return self.evidence_before + self.evidence_after

    @property
    def life(self) -> Life:
        """What a change of its status depends on."""
        assert self.due_at is not None
        return Life(self.status, self.assignee, self.solution, self.cancel_reason, self.due_at)

    @property
    def progress(self) -> Progress:
        """How far it is, before anybody asked what its site demands."""
        waiting = self.waiting_reason is not None
        return Progress(self.status, self.assignee is not None, waiting, self.evidence_after)


COLUMNS = columns_of(
    WorkOrderView,
    WorkOrder,
    *("id", "title", "site", "location", "priority", "status", "assignee", "evidence", "due_at"),
    *("created_at", "acknowledged_at", "completed_at", "trade", "reporter", "source", "waiting_reason"),
    *("is_escalated", "resolution_notes", "updated_at"),
)
_READ = tuple(name for name in WorkOrderView.__dataclass_fields__ if name in WorkOrder.__table__.columns)
_NAMES = (*_READ, "assignee_name", "asset_code", "asset_name", "snoozed_until")


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the rows that the caller's site scope shows."""
    return true() if actor.all_sites else WorkOrder.site.in_(actor.site_scope)


def everything() -> Select[Any]:
    """Orders with the names beside them; the caller must have chosen what may be seen."""
    named = (User.display_name.label("assignee_name"), Asset.code.label("asset_code"), Asset.name.label("asset_name"))
    quiet = snoozes.until_of(snooze.ORDER, WorkOrder.id.expression).label("snoozed_until")
    return (
        select(*(getattr(WorkOrder, name) for name in _READ), *named, quiet)
        .select_from(WorkOrder)
        .outerjoin(User, User.id == WorkOrder.assignee_user_id)
        .outerjoin(Asset, Asset.id == WorkOrder.asset_id)
    )


# Built once: every look at an order and every change of one begins with it.
_ONE = everything().where(WorkOrder.id == bindparam("order"))
_LOCKED = _ONE.with_for_update(of=WorkOrder)


def mine(actor: Actor) -> ColumnElement[bool]:
    """Return the orders that the actor is to do: by their account, by their name where they have none."""
    if actor.user_id is not None:
        return WorkOrder.assignee_user_id == actor.user_id
    return WorkOrder.assignee == actor.username


def keys(actor: Actor) -> Select[Any]:
    """Ids of the orders that the caller may see."""
    return select(WorkOrder.id).where(visible(actor))


def base(actor: Actor) -> Select[Any]:
    """Orders that the caller may see."""
    return everything().where(visible(actor))


def view(row: Row[Any], now: datetime) -> WorkOrderView:
    """Turn a row of `base` into the order that doors show at `now` (UTC)."""
    values = dict(zip(_NAMES, row, strict=True))
    solution, status = values.pop("resolution_notes"), values["status"]
    if not snooze.standing(values["snoozed_until"], now):
        values["snoozed_until"] = None
    return WorkOrderView(
        resolution_notes=shown_notes(status, solution, values["cancel_reason"]),
        solution=solution,
        is_overdue=status in OPEN_STATUSES and values["due_at"] < now,
        **values,
    )


def views_hold(orders: Iterable[WorkOrderView]) -> datetime:
    """Return the last instant (aware UTC) at which the same of these are overdue and snoozed as when they were read."""
    found = tuple(orders)
    steps = [one.due_at for one in found if one.due_at and one.is_open and not one.is_overdue]
    return min((*steps, *(one.snoozed_until for one in found if one.snoozed_until)), default=ALWAYS)


def load(ctx: Context, order_id: int, now: datetime, *, lock: bool = False) -> WorkOrderView:
    """Read one order; raises NotFound, or SiteDenied for an order of a site outside the caller's scope."""
    row = None
    if 0 < order_id <= MAX_ID:
        row = ctx.session.execute(_LOCKED if lock else _ONE, {"order": order_id}).first()
    if row is None:
        raise NotFound(T("Work order not found"))
    found = view(row, now)
    ctx.actor.require_site(found.site)
    return found


def load_all(ctx: Context, ids: Sequence[int], now: datetime) -> list[WorkOrderView]:
    """Read orders that there are, in the order of their ids: one query."""
    if len(ids) == 1:
        return [load(ctx, ids[0], now)]
    asked = everything().where(WorkOrder.id.in_(ids))
    found = {order.id: order for order in (view(row, now) for row in ctx.session.execute(asked))}
    return [found[number] for number in ids]


def overdue(now: datetime) -> ColumnElement[bool]:
    """Open and strictly past the due date."""
    return and_(OPEN, WorkOrder.due_at < now)
