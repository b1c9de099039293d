"""What the page of SLA policies shows: what counts, the proposal at hand with its replay, sites, revisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from console.core.context import Context
from console.domain.errors import Conflict
from console.domain.facility_sla.policy import SlaPolicy
from console.domain.jobs import names as job_names
from console.domain.text import T
from console.models.policies import Policy
from console.models.work_orders import WorkOrder
from console.services.facility_sla import moment, policies, proposals, replays
from console.services.facility_sla.policies import MANAGE, OF_SITE, SlaPolicyView, SlaRevision
from console.services.facility_sla.proposals import PENDING, SlaProposal
from console.services.facility_sla.replays import KeptReplay
from console.services.identity import sites
from console.services.identity.names import names_of
from console.services.jobs import runs
from console.services.jobs.runs import Run

REVISIONS_SHOWN = 6


@dataclass(frozen=True)
class OwnSite:
    """A site with a policy of its own: which change of it counts, and since when (aware UTC)."""

    site: str
    number: int
    updated_at: datetime


@dataclass(frozen=True)
class Look:
    """The page at `computed_at` (aware UTC). `following` sites have no policy of their own.

    `replay` is the newest one of the proposal; `open_count` orders are open where the proposal would count.
    """

    computed_at: datetime
    current: SlaPolicyView
    pending: tuple[SlaProposal, ...]
    proposal: SlaProposal | None
    mine: bool
    replay: KeptReplay | None
    open_count: int
    own: tuple[OwnSite, ...]
    following: int
    revisions: tuple[SlaRevision, ...]
    people: dict[str, str]
    run: Run | None


def page_data(ctx: Context, proposal_id: int | None = None) -> Look:
    """Return the page with the proposal that was asked for, or the newest that waits."""
    ctx.actor.require(MANAGE)
    pending = proposals.listed(ctx, status=PENDING)
    shown = proposals.get(ctx, proposal_id) if proposal_id is not None else (pending[0] if pending else None)
    own = _own(ctx)
    known = [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    told = policies.revisions(ctx, limit=REVISIONS_SHOWN)
    names = [one.actor_username for one in told]
    if shown is not None:
        names += [name for name in (shown.requested_by, shown.decided_by) if name]
    return Look(
        computed_at=ctx.now(),
        current=policies.shown(ctx, shown.site if shown is not None else None),
        pending=pending,
        proposal=shown,
        mine=shown is not None and shown.requested_by == ctx.actor.username,
        replay=replays.latest(ctx, shown.id) if shown is not None else None,
        open_count=_open(ctx, shown, [one.site for one in own]),
        own=own,
        following=len([name for name in known if name not in {one.site for one in own}]),
        revisions=told,
        people=names_of(ctx, names),
        run=current_run(ctx),
    )


def current_run(ctx: Context) -> Run | None:
    """Return the replay that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(MANAGE)
    return runs.current(ctx, job_names.SLA_REPLAY)


def approve(ctx: Context, proposal_id: int, *, note: str = "") -> SlaProposal:
    """Approve from the page, upon the newest replay; raises Conflict when that does not prove itself."""
    found = replays.latest(ctx, proposal_id)
    if found is not None and not found.proven:
        raise Conflict(
            T("The replay does not give what was recorded, so it is no ground for an approval"), code="replay_unproven"
        )
    return proposals.approve(ctx, proposal_id, note=note)


def policy_of(ctx: Context, site: str | None) -> SlaPolicy:
    """Return the values that a form for a site begins with."""
    return policies.view(ctx, site).policy


def _own(ctx: Context) -> tuple[OwnSite, ...]:
    rows = ctx.session.scalars(
        select(Policy).where(Policy.policy_key.startswith(OF_SITE, autoescape=True)).order_by(Policy.policy_key)
    )
    found = [(row.policy_key.removeprefix(OF_SITE), row) for row in rows if row.policy_json]
    return tuple(OwnSite(site, row.version, row.updated_at) for site, row in found if ctx.actor.sees(site))


def _open(ctx: Context, shown: SlaProposal | None, own: list[str]) -> int:
    wanted = select(func.count()).select_from(WorkOrder).where(moment.OPEN)
    if shown is not None and shown.site is not None:
        wanted = wanted.where(WorkOrder.site == shown.site)
    elif own:
        wanted = wanted.where(WorkOrder.site.not_in(own))
    return ctx.session.scalar(wanted) or 0
