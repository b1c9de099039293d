"""Figures of a tracker: overview, readiness, and what the overview page says about the board."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import ScalarSelect, func, or_, select

from console.core.context import Context
from console.core.revisions import ALWAYS
from console.domain.days import begins, last_days
from console.domain.tracker import tracker as domain
from console.domain.tracker.tracker import REMEDIATION, Overview, Readiness, Tally, TrackerKind
from console.models.tracker import TrackerCommand, TrackerCompletion, TrackerEvent, TrackerItem, TrackerRun
from console.services.audit import record as audit
from console.services.common.query_cache import cache_put, cached_query, cached_query_until
from console.services.tracker import rows, tallies

TREND_DAYS = 7


@dataclass(frozen=True)
class RunState:
    """Where a tracker stands: closed by whom, synced when, with which verdict.

    `stale`: the last sync is longer ago than the setting allows. `history_count`: how often it was closed.
    """

    status: str = domain.ACTIVE
    completion_note: str = ""
    completed_by: str | None = None
    completed_at: datetime | None = None
    force_used: bool = False
    last_checked_at: datetime | None = None
    readiness: Mapping[str, Any] = field(default_factory=dict)
    history_count: int = 0
    last_synced_at: datetime | None = None
    gate_generated_at: datetime | None = None
    gate_decision: str | None = None
    starts_on: date | None = None
    stale: bool = True


@dataclass(frozen=True)
class OverviewView(Overview):
    """The overview with the state of the sync."""

    last_synced_at: datetime | None
    stale: bool
    gate_decision: str | None


@dataclass(frozen=True)
class ReadinessView(Readiness):
    """The readiness (of `site`, or of all) with the verdict of the gate that the tracker was last synced with."""

    site: str | None
    last_synced_at: datetime | None
    stale: bool
    gate_decision: str | None
    gate_generated_at: datetime | None


def tally(
    ctx: Context, programme: TrackerKind, now: datetime, site: str | None = None, *, closed: bool = False
) -> Tally:
    """Count what the caller may see, in one query of kept numbers; the domain counts the same one by one.

    `closed` counts the inactive items too. Done and checked go together (a constraint of the table), so unchecked
    items are those that are not done.
    """
    key = ("tally", programme.key, ctx.actor.site_scope, site, closed)
    found = cached_query_until(ctx, key, now, lambda: _counted(ctx, programme, now, site, closed=closed))
    total = sum(found[status] for status in domain.STATUSES)
    return Tally(total=total, unchecked=total - found["done"], **found)


def _counted(
    ctx: Context, programme: TrackerKind, now: datetime, site: str | None, *, closed: bool
) -> tuple[dict[str, int], datetime]:
    """Read what is kept, count the late ones, and tell until when that holds: to the next deadline of an open item."""
    names = [*domain.STATUSES, "critical_open"]
    if programme.has("evidence"):
        names += ["missing_evidence", "evidence_total"]
    if closed:
        names.append("closed")
    sites = None if site is None else (site,)
    kept = tallies.sums(ctx.actor, (programme,), ("unassigned", *names), sites).subquery()
    late = tallies.late(ctx.actor, (programme,), now, sites)
    coming = rows.keys(programme, ctx.actor).where(rows.OPEN, TrackerItem.due_at >= now)
    if site is not None:
        coming = coming.where(TrackerItem.site_key == site)
    until = coming.with_only_columns(func.min(TrackerItem.due_at)).scalar_subquery()
    named = (kept.c.unassigned.label("missing_assignee"), late.label("overdue"), until.label("until"))
    found = ctx.session.execute(select(*(kept.c[name] for name in names), *named)).one()._asdict()
    holds = found.pop("until") or ALWAYS
    cache_put(ctx, late_key(ctx, programme, site), now, holds, found["overdue"])
    return found, holds


def late_key(ctx: Context, programme: TrackerKind, site: str | None) -> Hashable:
    """Name the number of late items that the caller sees: whoever counts it keeps it for the rest of the page."""
    return ("late", programme.key, ctx.actor.site_scope, site)


def run_state(ctx: Context, programme: TrackerKind, now: datetime, site: str | None = None) -> RunState:
    """Tell where the tracker stands, for trackers closed per site that of `site`: one query."""
    site_key = (site or "") if programme.site_runs else ""
    found = cached_query(ctx, ("run", programme.key, site_key), lambda: _stored_run(ctx, programme, site_key))
    if found is None:
        return RunState()
    limit = timedelta(hours=ctx.config["GOVERNANCE_REMEDIATION_SYNC_STALE_HOURS"])
    return replace(found, stale=found.last_synced_at is None or now - found.last_synced_at > limit)


def _stored_run(ctx: Context, programme: TrackerKind, site_key: str) -> RunState | None:
    closings = (
        select(func.count())
        .select_from(TrackerCompletion)
        .where(
            TrackerCompletion.tracker == programme.key,
            TrackerCompletion.site_key == site_key,
            TrackerCompletion.kind == "completed",
        )
        .scalar_subquery()
    )
    read = [getattr(TrackerRun, item.name) for item in fields(RunState) if item.name not in ("history_count", "stale")]
    wanted = select(*read, closings.label("history_count"))
    row = ctx.session.execute(
        wanted.where(TrackerRun.tracker == programme.key, TrackerRun.site_key == site_key)
    ).first()
    return RunState(**row._asdict()) if row else None


def check_site(ctx: Context, site: str | None) -> None:
    """Raise SiteDenied for a site that the caller may not see; None is all that they may see."""
    ctx.actor.require_site(site)


def overview(ctx: Context, programme: TrackerKind = REMEDIATION, site: str | None = None) -> OverviewView:
    """Return the counts of a tracker: two queries."""
    ctx.actor.require(*programme.read)
    check_site(ctx, site)
    now = ctx.now()
    counts = tally(ctx, programme, now, site, closed=True)
    state = run_state(ctx, programme, now)
    made = OverviewView(
        **asdict(domain.overview(programme, counts, now)),
        last_synced_at=state.last_synced_at,
        stale=state.stale,
        gate_decision=state.gate_decision,
    )
    audit.viewed(
        ctx,
        f"{programme.audit_prefix}_overview_view",
        programme.resource,
        site or "global",
        active_count=made.active_count,
        closed_count=made.closed_count,
        completion_rate_percent=made.completion_rate_percent,
    )
    return made


def readiness(ctx: Context, programme: TrackerKind = REMEDIATION, site: str | None = None) -> ReadinessView:
    """Return whether a tracker can be closed: two queries."""
    ctx.actor.require(*programme.read)
    check_site(ctx, site)
    made = measured(ctx, programme, ctx.now(), site)
    audit.viewed(
        ctx,
        f"{programme.audit_prefix}_readiness_view",
        programme.resource,
        site or "global",
        ready=made.ready,
        total_items=made.total_items,
        readiness_score_percent=made.readiness_score_percent,
    )
    return made


def measured(
    ctx: Context, programme: TrackerKind, now: datetime, site: str | None = None, state: RunState | None = None
) -> ReadinessView:
    """Compute the readiness of what the caller may see at `now`."""
    state = state or run_state(ctx, programme, now, site)
    counts = tally(ctx, programme, now, site)
    found = domain.readiness(programme, counts, now, synced=state.last_synced_at is not None)
    return ReadinessView(
        **{item.name: getattr(found, item.name) for item in fields(found)},
        site=site,
        last_synced_at=state.last_synced_at,
        stale=state.stale,
        gate_decision=state.gate_decision,
        gate_generated_at=state.gate_generated_at,
    )


@dataclass(frozen=True)
class BoardSummary:
    """What the overview page says about the board alone.

    `finished_by_day` has the last seven days (of the business zone), oldest first; `throughput_per_day` is their
    average.
    """

    open: int
    late: int
    unassigned: int
    throughput_per_day: float
    finished_by_day: tuple[tuple[date, int], ...]


def board_summary(ctx: Context, site: str | None = None, programme: TrackerKind = REMEDIATION) -> BoardSummary:
    """Return what is open, late, unassigned, and finished per day: two queries."""
    ctx.actor.require(*programme.read)
    check_site(ctx, site)
    now = ctx.now()
    key = ("board_summary", programme.key, ctx.actor.site_scope, site)
    total, late, unassigned = cached_query_until(ctx, key, now, lambda: _heads(ctx, programme, site, now))
    by_day = finished_by_day(ctx, programme, now, site)
    return BoardSummary(
        open=total,
        late=late,
        unassigned=unassigned,
        throughput_per_day=round(sum(count for _day, count in by_day) / TREND_DAYS, 1),
        finished_by_day=by_day,
    )


def _heads(
    ctx: Context, programme: TrackerKind, site: str | None, now: datetime
) -> tuple[tuple[int, int, int], datetime]:
    """Count open, late and unassigned, and tell until when that holds: to the next deadline."""
    sites = None if site is None else (site,)
    kept = tallies.sums(ctx.actor, (programme,), (*domain.OPEN_STATUSES, "unassigned_open"), sites).subquery()
    coming = rows.keys(programme, ctx.actor).where(rows.OPEN, TrackerItem.due_at >= now)
    if site is not None:
        coming = coming.where(TrackerItem.site_key == site)
    next_due = coming.with_only_columns(func.min(TrackerItem.due_at)).scalar_subquery()
    late_items = tallies.late(ctx.actor, (programme,), now, sites)
    *by_status, unassigned, late, until = ctx.session.execute(select(*kept.c, late_items, next_due)).one()
    holds = until or ALWAYS
    cache_put(ctx, late_key(ctx, programme, site), now, holds, late)
    return (sum(by_status), late, unassigned), holds


def finished_by_day(
    ctx: Context, programme: TrackerKind, now: datetime, site: str | None = None, *, days: int = TREND_DAYS
) -> tuple[tuple[date, int], ...]:
    """Count the items that became done on each of the last `days` days of the business zone, oldest first.

    What was taken back by undo does not count.
    """
    dates = last_days(now, ctx.zone, days)
    starts = begins(dates, ctx.zone)
    taken_back = select(TrackerCommand.id).where(
        TrackerCommand.tracker == programme.key, TrackerCommand.undone_at.is_not(None), TrackerCommand.at >= starts[0]
    )
    stands = or_(TrackerEvent.command_id.is_(None), TrackerEvent.command_id.not_in(taken_back))

    def number(start: datetime, end: datetime) -> ScalarSelect[int]:
        done = rows.became_done(ctx, programme, start, site)
        return (
            select(func.count()).select_from(TrackerEvent).where(*done, TrackerEvent.at < end, stands).scalar_subquery()
        )

    def find() -> tuple[int, ...]:
        # A range of the index for each day: every event is read once and compared with no other day.
        return tuple(ctx.session.execute(select(*(number(*ends) for ends in pairwise(starts)))).one())

    counts = cached_query(ctx, ("finished_by_day", programme.key, ctx.actor.site_scope, site, *starts), find)
    return tuple(zip(dates, counts, strict=True))
