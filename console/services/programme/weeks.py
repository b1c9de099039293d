"""The weeks of the programme at the sites: beginning one, its figures, and where every week stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from console.core.context import Context
from console.core.i18n import translate
from console.core.listing import ListQuery
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.identity import scope
from console.domain.programme import week as domain
from console.domain.programme.catalogue import WEEKS
from console.domain.programme.week import FIRST_MONDAY, FRIDAY, MONDAY, WEEK_DAYS, Week, WeekEntry
from console.domain.text import N_, T
from console.domain.tracker import tracker as rules
from console.domain.tracker.tracker import Tally, TrackerKind
from console.models.tracker import TrackerItem, TrackerRun
from console.services.audit import record as audit
from console.services.common.lists import Slice
from console.services.common.query_cache import cached_query
from console.services.identity import sites
from console.services.programme.editions import week_now
from console.services.tracker import lists as tracker_lists
from console.services.tracker import rows, tallies
from console.services.tracker import store as tracker_store
from console.services.tracker.rows import ItemView
from console.services.tracker.store import Event
from console.services.tracker.summary import tally

# Within a day of the deadline a weekly item reads as due soon.
SLA_HOURS = 48
# The API shows what changed last first.
NEWEST = (TrackerItem.updated_at.desc(), TrackerItem.id.desc())


@dataclass(frozen=True)
class Bootstrapped:
    """A week that has been begun at a site, with all its items by type, key and id."""

    site: str
    created_count: int
    total_count: int
    items: tuple[ItemView, ...]
    refreshed_count: int
    reopened_completion: bool


@dataclass(frozen=True)
class WeekOverview:
    """API contract, overview of a week at a site; a site without items gives zeros."""

    site: str
    total_items: int
    pending_count: int
    in_progress_count: int
    done_count: int
    blocked_count: int
    completion_rate_percent: int
    evidence_total_count: int
    assignee_breakdown: Mapping[str, int]
    overdue_count: int


def week_of(code: str) -> Week:
    """Return the week of that code; raises NotFound."""
    found = WEEKS.get(code)
    if found is None:
        raise NotFound(N_("Not Found"))
    return found


def site_name(text: str) -> str:
    """Return a site's name as it is stored; raises Invalid for what can be none."""
    try:
        return scope.site_name(text)
    except ValueError as error:
        raise Invalid.field("site", str(error)) from error


def bootstrap(ctx: Context, week: Week, site: str, *, starts_on: date | None = None) -> Bootstrapped:
    """Begin a week at a site: add what it lacks of the catalogue (API contract, bootstrap).

    Work that is there stays as it is; only names, owners and the need of evidence follow the catalogue. `starts_on`
    is the Monday to count deadlines from, by default that of the site's calendar. Raises Invalid for a site that
    nobody knows or a day that is no Monday, Conflict for another Monday than the week was begun with.
    """
    programme = week.programme
    ctx.actor.require(*programme.write)
    site = site_name(site)
    ctx.actor.require_site(site)
    _check_known(ctx, site)
    now, week = ctx.now(), week_now(ctx, week)
    tracker_store.lock_run(ctx, programme)
    run = tracker_store.lock_run(ctx, programme, site)
    monday = _monday(ctx, week, site, run.starts_on, starts_on)
    stored = _stored(ctx, programme, site)
    missing = [one for one in week.entries if (one.kind.word, one.entry.key) not in stored]
    refreshed = sum(_refresh(ctx, stored[key], one) for one in week.entries if (key := _key(one)) in stored)
    reopened = False
    if missing:
        _insert(ctx, programme, site, missing, monday, now)
        reopened = tracker_store.reopen_completion(ctx, programme, site, "bootstrap_added_items", now)
    if run.starts_on is None:
        run.starts_on = monday
        ctx.session.flush()
    items = _items(ctx, programme, site, now)
    audit.record(
        ctx,
        f"{programme.audit_prefix}_bootstrap",
        programme.resource,
        site,
        detail={"created_count": len(missing), "total_count": len(items), "starts_on": monday.isoformat()},
    )
    return Bootstrapped(site, len(missing), len(items), items, refreshed, reopened)


def _check_known(ctx: Context, site: str) -> None:
    # Before any site is on record, every name is as good as another.
    known = sites.names(ctx)
    if known and site not in known:
        raise Invalid.field("site", T("There is no active site of that name"))


def _monday(ctx: Context, week: Week, site: str, begun: date | None, wanted: date | None) -> date:
    if wanted is not None and wanted.weekday() != MONDAY:
        raise Invalid.field("starts_on", T("A week begins on a Monday"))
    if begun is not None:
        if wanted not in (None, begun):
            raise Conflict(T("The week was begun with another Monday: %(day)s", day=begun.isoformat()))
        return begun
    return wanted or week.starts_on(first_mondays(ctx).get(site, FIRST_MONDAY))


def first_mondays(ctx: Context) -> dict[str, date]:
    """Return on which Monday the calendar of each site begins that has begun a week; other sites follow the plan."""
    statement = select(TrackerRun.site_key, TrackerRun.tracker, TrackerRun.starts_on)
    begun = ctx.session.execute(
        statement.where(TrackerRun.tracker.in_(WEEKS), TrackerRun.starts_on.is_not(None)).order_by(TrackerRun.id)
    )
    return {row.site_key: row.starts_on - timedelta(days=WEEK_DAYS * (WEEKS[row.tracker].number - 1)) for row in begun}


def _key(one: WeekEntry) -> tuple[str, str]:
    return one.kind.word, one.entry.key


def _stored(ctx: Context, programme: TrackerKind, site: str) -> dict[tuple[str, str], Any]:
    columns = (TrackerItem.id, TrackerItem.item_type, TrackerItem.item_key, TrackerItem.item_name)
    statement = select(*columns, TrackerItem.owner_role, TrackerItem.evidence_required)
    found = ctx.session.execute(statement.where(TrackerItem.tracker == programme.key, TrackerItem.site_key == site))
    return {(row.item_type, row.item_key): row for row in found}


def _follows(one: WeekEntry) -> dict[str, Any]:
    """Return what of an item follows the catalogue for ever."""
    return {
        "item_name": one.entry.name,
        "owner_role": one.entry.owner,
        "evidence_required": one.evidence_required,
    }


def _texts(one: WeekEntry) -> dict[str, Any]:
    name, korean = T(one.entry.name).as_dict(), one.entry.korean
    if korean and korean != translate("ko", one.entry.name):
        # Words of the installation, which no catalogue knows.
        name["ko"] = korean
    return {"name": name, "kind": T(one.kind.label).as_dict()}


def _refresh(ctx: Context, stored: Any, one: WeekEntry) -> bool:
    wanted = _follows(one)
    if all(getattr(stored, name) == value for name, value in wanted.items()):
        return False
    changed = update(TrackerItem).where(TrackerItem.id == stored.id).values(**wanted, texts=_texts(one))
    ctx.session.execute(changed)
    return True


def _insert(
    ctx: Context, programme: TrackerKind, site: str, missing: list[WeekEntry], monday: date, now: datetime
) -> None:
    zone, by = sites.zone_of(ctx, site), ctx.actor.username
    number = tracker_store.next_number(ctx, programme)
    values = [
        {
            **_follows(one),
            "tracker": programme.key,
            "site": site,
            "site_key": site,
            "item_type": one.kind.word,
            "item_key": one.entry.key,
            "texts": _texts(one),
            "number": number + place,
            "sla_hours": SLA_HOURS,
            "due_at": domain.due_at(one.entry, monday, zone),
            "first_seen_at": now,
            "opened_at": now,
            "created_by": by,
            "updated_by": by,
            "created_at": now,
            "updated_at": now,
        }
        for place, one in enumerate(missing)
    ]
    ctx.session.execute(insert(TrackerItem), values)
    made = select(TrackerItem.id, TrackerItem.due_at, TrackerItem.item_name)
    made = made.where(TrackerItem.tracker == programme.key, TrackerItem.number >= number).order_by(TrackerItem.id)
    events = [
        (row.id, site, 1, Event("opened", {}, {"status": "pending", "due_at": row.due_at, "item_name": row.item_name}))
        for row in ctx.session.execute(made)
    ]
    tracker_store.write_events(ctx, programme, events, now)


def _items(ctx: Context, programme: TrackerKind, site: str, now: datetime) -> tuple[ItemView, ...]:
    statement = rows.base(programme, ctx.actor).where(TrackerItem.site_key == site)
    order = (TrackerItem.item_type, TrackerItem.item_key, TrackerItem.id)
    return rows.views(programme, ctx.session.execute(statement.order_by(*order)), now)


def items(ctx: Context, week: Week, query: ListQuery, *, limit: int, offset: int) -> Slice:
    """Return items of a week, changed last first; without a site those of all the caller's sites."""
    return tracker_lists.slice_of(ctx, week.programme, query, limit=limit, offset=offset, order=NEWEST)


def overview(ctx: Context, week: Week, site: str) -> WeekOverview:
    """Return the counts of a week at a site: two queries; raises SiteDenied."""
    programme = week.programme
    ctx.actor.require(*programme.read)
    site = site_name(site)
    ctx.actor.require_site(site)
    now = ctx.now()
    counts = tally(ctx, programme, now, site)
    name = func.coalesce(func.nullif(func.trim(TrackerItem.assignee), ""), "unassigned").label("name")
    mine = (TrackerItem.tracker == programme.key, TrackerItem.site_key == site, rows.ACTIVE)
    carried = ctx.session.execute(select(name, func.count().label("number")).where(*mine).group_by(name).order_by(name))
    return WeekOverview(
        site=site,
        total_items=counts.total,
        pending_count=counts.pending,
        in_progress_count=counts.in_progress,
        done_count=counts.done,
        blocked_count=counts.blocked,
        completion_rate_percent=rules.completion_rate(programme, counts),
        evidence_total_count=counts.evidence_total,
        assignee_breakdown={row.name: row.number for row in carried},
        overdue_count=counts.overdue,
    )


@dataclass(frozen=True)
class SiteWeek:
    """Where a week stands at a site. `begun` is false while it has no items there.

    `phase` is `past`, `running` or `coming` by the calendar of the site; `monday` its first day.
    """

    week: Week
    site: str
    monday: date
    phase: str
    status: str
    readiness: rules.Readiness

    @property
    def friday(self) -> date:
        """Return the last day of the week."""
        return self.monday + timedelta(days=FRIDAY)

    @property
    def begun(self) -> bool:
        """Whether the week has items at the site."""
        return self.readiness.total_items > 0

    @property
    def closed(self) -> bool:
        """Whether somebody closed the week there."""
        return self.status != rules.ACTIVE


@dataclass(frozen=True)
class ProgrammeState:
    """Every week that the caller may read, at every site that they may see, as of `computed_at`."""

    computed_at: datetime
    sites: tuple[str, ...]
    weeks: tuple[Week, ...]
    cells: Mapping[tuple[str, str], SiteWeek]

    def same_days(self, week: Week, sites: Collection[str]) -> SiteWeek | None:
        """Return a site's week that speaks for all of `sites`; None when they do not share its days."""
        shown = [cell for cell in self.row(week) if cell.site in sites]
        return shown[0] if len({cell.monday for cell in shown}) == 1 else None

    def row(self, week: Week) -> tuple[SiteWeek, ...]:
        """Return a week at all sites, in their order."""
        return tuple(self.cells[week.code, site] for site in self.sites)


def readable(ctx: Context) -> tuple[Week, ...]:
    """Return the weeks that the caller may read."""
    return tuple(week for week in WEEKS.values() if any(map(ctx.actor.can, week.programme.read)))


def state(ctx: Context, weeks: tuple[Week, ...] | None = None) -> ProgrammeState:
    """Tell where the weeks stand (by default all that the caller may read): four queries, however many there are."""
    weeks = readable(ctx) if weeks is None else weeks
    for week in weeks:
        ctx.actor.require(*week.programme.read)
    now = ctx.now()
    zones = sites.zones(ctx)
    shown = tuple(sorted(zones))
    counts = tallies.by_scope(ctx, [week.programme for week in weeks], now)
    runs, mondays = _runs(ctx, weeks), first_mondays(ctx)
    cells = {}
    for week in weeks:
        for site in shown:
            begun = runs.get((week.code, site))
            monday = (begun.starts_on if begun else None) or week.starts_on(mondays.get(site, FIRST_MONDAY))
            cells[week.code, site] = SiteWeek(
                week=week,
                site=site,
                monday=monday,
                phase=domain.phase_of(now.astimezone(zones[site]).date(), monday),
                status=begun.status if begun else rules.ACTIVE,
                readiness=rules.readiness(week.programme, counts.get((week.code, site), Tally()), now),
            )
    return ProgrammeState(now, shown, weeks, cells)


def _runs(ctx: Context, weeks: tuple[Week, ...]) -> dict[tuple[str, str], Any]:
    statement = select(TrackerRun.tracker, TrackerRun.site_key, TrackerRun.status, TrackerRun.starts_on)
    found = ctx.session.execute(statement.where(TrackerRun.tracker.in_([week.code for week in weeks])))
    return {(row.tracker, row.site_key): row for row in found}


def blocking(ctx: Context, week: Week, site: str | None) -> int:
    """Return how many items keep a week from being closed, at a site or at all that the caller sees."""
    ctx.actor.require(*week.programme.read)
    ctx.actor.require_site(site)
    wanted = rows.keys(week.programme, ctx.actor).where(rows.BLOCKING).with_only_columns(func.count())
    if site is not None:
        wanted = wanted.where(TrackerItem.site_key == site)
    key = ("blocking", week.code, ctx.actor.site_scope, site)
    return cached_query(ctx, key, lambda: ctx.session.scalar(wanted) or 0)


def standing(ctx: Context, week: Week) -> tuple[SiteWeek, ...]:
    """Tell where one week stands at every site that the caller may see."""
    return state(ctx, (week,)).row(week)
