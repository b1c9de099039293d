"""Replays of SLA policies over recorded periods: made by a job, kept, and read by the page that decides."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.core.records import JsonObject
from console.core.serialize import CsvColumn, plain
from console.domain.errors import Invalid, NotFound
from console.domain.facility_sla import replay as rules
from console.domain.facility_sla.policy import SlaPolicy, as_values, from_values
from console.domain.facility_sla.replay import Fate
from console.domain.text import T
from console.models.work_orders import SlaReplay, WorkOrder
from console.services.facility_sla import history, policies, proposals
from console.services.facility_sla.policies import MANAGE
from console.services.jobs.progress import current

DAYS = (30, 90, 365)
ORDERS_KEPT = 2000
DIFFERENCES_KEPT = 20
NEWLY, KEPT, OTHER = "newly_breached", "kept", "escalation"


@dataclass(frozen=True)
class SiteLine:
    """One site under both policies; `own`: it has a policy of its own and stays as it is."""

    site: str
    orders: int
    breaches_before: int
    breaches_after: int
    escalations_before: int
    escalations_after: int
    own: bool


@dataclass(frozen=True)
class ChangedOrder:
    """An order whose result changes; `side` is `newly_breached`, `kept` or `escalation` (only that differs)."""

    id: int
    title: str
    site: str
    priority: str
    side: str
    due_before: datetime
    due_after: datetime
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True)
class Replayed:
    """What a replay gave. `missing` and `extra` are the differences of the proof, order and instant of each."""

    start_at: datetime
    end_at: datetime
    site: str | None
    orders: int
    events: int
    passes: int
    breaches_before: int
    breaches_after: int
    escalations_before: int
    escalations_after: int
    newly_breached: int
    newly_kept: int
    newly_escalated: int
    changed_count: int
    sites: tuple[SiteLine, ...]
    changed: tuple[ChangedOrder, ...]
    recorded: int
    proven: bool
    missing: tuple[tuple[int, datetime], ...]
    extra: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True)
class KeptReplay:
    """A replay as it was kept; `result` has the fields of `Replayed` as JSON knows them. `created_at` is aware UTC."""

    id: int
    proposal_id: int | None
    site: str | None
    start_at: datetime
    end_at: datetime
    policy: SlaPolicy
    result: JsonObject
    proven: bool
    created_by: str
    created_at: datetime


def run(ctx: Context, policy: SlaPolicy, *, site: str | None, days: int) -> Replayed:
    """Replay `policy` for a site, or as default, over the last `days` days; raises PermissionDenied, SiteDenied.

    The policies that were in force are walked as well: they must give what was recorded.
    """
    ctx.actor.require(MANAGE)
    if site is None:
        ctx.actor.require_all_sites()
    else:
        ctx.actor.require_site(site)
    if not 1 <= days <= max(DAYS):
        raise Invalid.field("days", T("A replay covers 1 to %(most)s days", most=max(DAYS)))
    with _without_collector():
        return _run(ctx, policy, site, days)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for garbage meanwhile: a year is a million small things that all live to the end."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _run(ctx: Context, policy: SlaPolicy, site: str | None, days: int) -> Replayed:
    end = ctx.now()
    start = end - timedelta(days=days)
    found = history.of_period(ctx, start, end)
    walked = (found.starts, found.steps, found.passes)
    proposed = found.policies.with_policy(site, policy, start)
    before = _seen(ctx, rules.walk(*walked, found.policies, start=start, end=end))
    after = _seen(ctx, rules.walk(*walked, proposed, start=start, end=end))
    proof = rules.prove(found.escalated, before)
    changed = _changed(before, after)
    named = _named(ctx, changed)
    own = {one.site for one in before.values() if site is None and found.policies.has_own(one.site, end)}
    lines = _lines(before, after, own)
    return Replayed(
        start_at=start,
        end_at=end,
        site=site,
        orders=sum(line.orders for line in lines),
        events=found.events,
        passes=len(found.passes),
        breaches_before=sum(line.breaches_before for line in lines),
        breaches_after=sum(line.breaches_after for line in lines),
        escalations_before=sum(line.escalations_before for line in lines),
        escalations_after=sum(line.escalations_after for line in lines),
        newly_breached=sum(1 for side in changed.values() if side == NEWLY),
        newly_kept=sum(1 for side in changed.values() if side == KEPT),
        newly_escalated=sum(1 for key in after if after[key].escalations and not before[key].escalations),
        changed_count=len(changed),
        sites=lines,
        changed=tuple(
            _order(named[key], side, before[key], after[key]) for key, side in changed.items() if key in named
        ),
        recorded=proof.recorded,
        proven=proof.holds,
        missing=proof.missing[:DIFFERENCES_KEPT],
        extra=proof.extra[:DIFFERENCES_KEPT],
    )


def _seen(ctx: Context, fates: dict[int, Fate]) -> dict[int, Fate]:
    if ctx.actor.all_sites:
        return fates
    return {key: fate for key, fate in fates.items() if ctx.actor.sees(fate.site)}


def _changed(before: Mapping[int, Fate], after: Mapping[int, Fate]) -> dict[int, str]:
    """Return the orders that change sides, newly breached first, then by number."""
    sides = {}
    for key, old in before.items():
        new = after[key]
        if old.breached != new.breached:
            sides[key] = NEWLY if new.breached else KEPT
        elif bool(old.escalations) != bool(new.escalations):
            sides[key] = OTHER
    order = (NEWLY, KEPT, OTHER)
    return dict(sorted(sides.items(), key=lambda one: (order.index(one[1]), one[0])))


def _named(ctx: Context, changed: Mapping[int, str]) -> dict[int, Any]:
    ids = list(changed)[:ORDERS_KEPT]
    columns = (WorkOrder.id, WorkOrder.title, WorkOrder.created_at, WorkOrder.completed_at)
    rows = ctx.session.execute(select(*columns).where(WorkOrder.id.in_(ids)))
    return {row.id: row for row in rows}


def _order(row: Any, side: str, old: Fate, new: Fate) -> ChangedOrder:
    return ChangedOrder(
        id=row.id,
        title=row.title,
        site=old.site,
        priority=old.priority,
        side=side,
        due_before=old.due_at,
        due_after=new.due_at,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )


def _lines(before: Mapping[int, Fate], after: Mapping[int, Fate], own: set[str]) -> tuple[SiteLine, ...]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    for key, old in before.items():
        new, line = after[key], counts[old.site]
        line[0] += not old.canceled
        line[1] += old.breached
        line[2] += new.breached
        line[3] += len(old.escalations)
        line[4] += len(new.escalations)
    return tuple(_site_line(site, counts[site], site in own) for site in sorted(counts))


def _site_line(site: str, counts: list[int], own: bool) -> SiteLine:
    orders, breaches_before, breaches_after, escalations_before, escalations_after = counts
    return SiteLine(site, orders, breaches_before, breaches_after, escalations_before, escalations_after, own)


def run_for_proposal(ctx: Context, proposal_id: int | None, days: int) -> tuple[SlaPolicy, Replayed]:
    """Replay a proposal, or the default policy that is in force; raises what `proposals.get` and `run` raise."""
    if proposal_id is None:
        policy = policies.shown(ctx, None).policy
        return policy, run(ctx, policy, site=None, days=days)
    found = proposals.get(ctx, proposal_id)
    return found.proposed, run(ctx, found.proposed, site=found.site, days=days)


def keep(ctx: Context, made: Replayed, policy: SlaPolicy, proposal_id: int | None) -> None:
    """Keep a replay with its run, in the transaction that closes it."""
    handle = current(ctx)
    ctx.session.add(
        SlaReplay(
            proposal_id=proposal_id,
            site=made.site,
            start_at=made.start_at,
            end_at=made.end_at,
            policy_json=as_values(policy),
            result=plain(asdict(made)),
            proven=made.proven,
            run_id=handle.run_id if handle else None,
            created_by=ctx.actor.username,
            created_at=ctx.now(),
        )
    )
    ctx.session.flush()


CHANGED_COLUMNS = tuple(
    CsvColumn(name, itemgetter(name))
    for name in (*("id", "title", "site", "priority", "side", "due_before", "due_after", "created_at", "completed_at"),)
)


def changed_orders(ctx: Context, proposal_id: int) -> list[JsonObject]:
    """Return the orders that change sides in the newest replay of a proposal, newly missed ones first.

    Raises NotFound where there is no replay that the caller may see.
    """
    found = latest(ctx, proposal_id)
    if found is None:
        raise NotFound(T("There is no replay of this proposal"))
    return list(found.result["changed"])


def latest(ctx: Context, proposal_id: int) -> KeptReplay | None:
    """Return the newest replay of a proposal that the caller may see, None without one."""
    ctx.actor.require(MANAGE)
    wanted = select(SlaReplay).where(SlaReplay.proposal_id == proposal_id).order_by(SlaReplay.id.desc()).limit(1)
    row = ctx.session.scalar(wanted)
    if row is None or (row.site is None and not ctx.actor.all_sites) or not ctx.actor.sees(row.site):
        return None
    return KeptReplay(
        id=row.id,
        proposal_id=row.proposal_id,
        site=row.site,
        start_at=row.start_at,
        end_at=row.end_at,
        policy=from_values(row.policy_json),
        result=row.result,
        proven=row.proven,
        created_by=row.created_by,
        created_at=row.created_at,
    )
