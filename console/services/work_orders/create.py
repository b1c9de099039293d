"""A new work order: where it is, whose it is, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from console.core.context import Context
from console.domain.errors import BadRequest, Invalid
from console.domain.facility_sla.policy import MANUAL, InForce, due_after
from console.domain.local_time import REACH, TOO_FAR
from console.domain.text import T
from console.domain.work_orders.requests import NewOrder
from console.domain.work_orders.words import OPEN, rank
from console.models.assets import Asset
from console.models.inspections import Inspection
from console.models.work_orders import WorkOrder
from console.services.alerts import given
from console.services.facility_sla.policies import in_force
from console.services.identity import sites
from console.services.tracker.change import person
from console.services.work_orders.rows import WRITE, WorkOrderView, load_all
from console.services.work_orders.store import Event, record, write_events

READ_INSPECTIONS = "inspections:read"


def create(ctx: Context, new: NewOrder) -> WorkOrderView:
    """Add an order (API contract, create fields and due date default); raises what `create_all` does."""
    return create_all(ctx, (new,))[0]


def create_all(ctx: Context, orders: Sequence[NewOrder]) -> list[WorkOrderView]:
    """Add orders in their order; what they have in common is looked up once.

    Raises SiteDenied outside the caller's scope, Invalid for a value that cannot be or an inspection or asset that does
    not exist, BadRequest for one of another site.
    """
    ctx.actor.require(WRITE)
    now, known = ctx.now(), _Known(ctx)
    rows = [_row(ctx, known, new, now) for new in orders]
    ctx.session.add_all(rows)
    ctx.session.flush()
    made = load_all(ctx, [row.id for row in rows], now)
    written = []
    for new, order in zip(orders, made, strict=True):
        source = MANUAL if new.due_at else known.policy(order.site).source
        told = {"priority": order.priority, "assignee": order.assignee, "reporter": order.reporter}
        written.append((order, Event("created", None, OPEN, order.description, {**told, "due_source": source})))
    write_events(ctx, written, now)
    for new, (order, event) in zip(orders, written, strict=True):
        assert order.due_at is not None
        record(
            ctx,
            "create",
            order,
            priority=order.priority,
            assignee=order.assignee,
            due_at=order.due_at.isoformat(),
            auto_due_applied=new.due_at is None,
            policy_source=event.detail["due_source"],
        )
    if assigned := [order.id for order in made if order.assignee]:
        given.orders(ctx, assigned)
    return made


class _Known:
    """What was looked up for the orders of one sending."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._sites: dict[str, str] = {}
        self._policies: dict[str, InForce] = {}
        self._assets: dict[tuple[int | None, str], Asset | None] = {}
        self._inspections: set[tuple[int | None, str]] = set()

    def site(self, name: str) -> str:
        """Return the name of a site as its record writes it; raises SiteDenied."""
        if name not in self._sites:
            self._sites[name] = sites.canonical(self._ctx, name)
            self._ctx.actor.require_site(self._sites[name])
        return self._sites[name]

    def policy(self, site: str) -> InForce:
        """Return the SLA policy that counts for a site."""
        if site not in self._policies:
            self._policies[site] = in_force(self._ctx, site)
        return self._policies[site]

    def asset(self, asset_id: int | None, site: str) -> Asset | None:
        """Return the asset of an order, or raise as `asset_at` does."""
        if (asset_id, site) not in self._assets:
            self._assets[asset_id, site] = asset_at(self._ctx, asset_id, site)
        return self._assets[asset_id, site]

    def check_inspection(self, inspection_id: int | None, site: str) -> None:
        """Raise as the function of this name does."""
        if (inspection_id, site) not in self._inspections:
            check_inspection(self._ctx, inspection_id, site)
            self._inspections.add((inspection_id, site))


def _row(ctx: Context, known: _Known, new: NewOrder, now: datetime) -> WorkOrder:
    site = known.site(new.site)
    asset = known.asset(new.asset_id, site)
    known.check_inspection(new.inspection_id, site)
    location = new.location or (asset.place if asset is not None else "")
    if not location:
        raise Invalid.field("location", T("A work order needs a place"))
    check_due(new.due_at, now)
    whom = person(ctx, new.assignee or "")
    force = known.policy(site)
    return WorkOrder(
        title=new.title,
        description=new.description,
        site=site,
        location=location,
        priority=new.priority,
        priority_rank=rank(new.priority),
        status=OPEN,
        assignee=whom.text,
        assignee_user_id=whom.user_id,
        reporter=new.reporter or None,
        trade=new.trade,
        source=new.source,
        inspection_id=new.inspection_id,
        asset_id=new.asset_id,
        due_at=new.due_at or due_after(force.policy, new.priority, now),
        policy_revision_id=None if new.due_at else force.revision_id,
        created_by=ctx.actor.username,
        updated_by=ctx.actor.username,
        created_at=now,
        updated_at=now,
    )


def asset_at(ctx: Context, asset_id: int | None, site: str, *, retired: bool = False) -> Asset | None:
    """Return the asset of an order or inspection at `site`, which lies in the caller's scope.

    Raises Invalid for one that is not there, that the caller cannot see or that is retired, unless `retired` ones are
    taken too, and BadRequest for one elsewhere.
    """
    if asset_id is None:
        return None
    asset = ctx.session.scalar(select(Asset).where(Asset.id == asset_id))
    if asset is None or not (asset.is_active or retired) or not ctx.actor.sees(asset.site):
        raise Invalid.field("asset_id", T("There is no asset with this id"))
    if asset.site != site:
        raise BadRequest(T("The asset stands at another site"), code="site_differs")
    return asset


def check_inspection(ctx: Context, inspection_id: int | None, site: str) -> None:
    """Raise Invalid for an inspection that the caller cannot see, BadRequest for one of another site than `site`.

    `site` lies in the caller's scope.
    """
    if inspection_id is None:
        return
    found = ctx.session.scalar(select(Inspection.site).where(Inspection.id == inspection_id))
    if found is None or not ctx.actor.can(READ_INSPECTIONS) or not ctx.actor.sees(found):
        raise Invalid.field("inspection_id", T("There is no inspection with this id"))
    if found != site:
        raise BadRequest(T("The inspection was made at another site"), code="site_differs")


def check_due(due_at: datetime | None, now: datetime) -> None:
    """Raise Invalid for a due date that nobody can mean."""
    if due_at is not None and abs(due_at - now) > REACH:
        raise Invalid.field("due_at", TOO_FAR)
