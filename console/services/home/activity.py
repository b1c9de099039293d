"""What happened today in a few lines, and the figures beside the places of the rail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, literal_column, null, or_, select

from console.core.context import Actor, Context
from console.domain.days import day_of
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API, MANUAL, REFUSED
from console.domain.programme.trackers import programmes
from console.domain.text import N_, T, Text
from console.domain.tracker.tracker import REMEDIATION, TrackerKind, item_number
from console.models.automation import RunFact
from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent, TrackerItem
from console.models.work_orders import WorkOrder
from console.services.automation.facts import AUTOPILOT_TRIGGER
from console.services.common.query_cache import cache_get, cached_query, cached_query_until
from console.services.gate import gate
from console.services.identity.names import names_of
from console.services.jobs import runs
from console.services.tracker import rows, tallies
from console.services.tracker.summary import late_key
from console.services.work_orders import counts
from console.services.work_orders import rows as order_rows

VERDICTS = {"go": "GO", "no_go": "NO-GO"}
# One sentence for a single item, one for many that changed in the same step.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "opened": (N_("%(item)s opened"), N_("%(count)s items opened")),
    "reopened": (N_("%(item)s reopened"), N_("%(count)s items reopened")),
    "raised": (N_("%(item)s got worse"), N_("%(count)s items got worse")),
    "unproven": (N_("%(item)s was called done, but its rule still fails"), N_("%(count)s done items are not proven")),
    "resolved": (N_("%(item)s resolved"), N_("%(count)s items resolved")),
    "assigned": (N_("%(item)s assigned to %(name)s"), N_("%(count)s items assigned")),
    "status": (N_("%(item)s: %(status)s"), N_("%(count)s items moved")),
    "due": (N_("%(item)s has a new due date"), N_("%(count)s items have a new due date")),
    "comment": (N_("Comment on %(item)s"), N_("%(count)s comments")),
    "undo": (N_("%(item)s taken back"), N_("%(count)s items taken back")),
}
UNASSIGNED = N_("%(item)s has no assignee any more")
STATUS_SENTENCES = {
    "pending": N_("%(item)s waits again"),
    "in_progress": N_("Work on %(item)s has begun"),
    "blocked": N_("%(item)s is blocked"),
    "done": N_("%(item)s reported as done"),
}
TONES = {"reopened": "late", "raised": "late", "unproven": "late", "resolved": "ok"}


@dataclass(frozen=True)
class FlowLine:
    """One line of today's flow; `item_id` or `run_id` leads to more, `job` is the name of the job that ran."""

    at: datetime
    text: Text
    actor: str = ""
    tone: str | None = None
    item_id: int | None = None
    run_id: int | None = None
    job: str | None = None


@dataclass(frozen=True)
class Figures:
    """Numbers beside the places of the rail, within the actor's scope.

    Late items of the board and of the weeks, late work orders, and what is due today of the actor's own work.
    """

    late_board: int = 0
    late_weeks: int = 0
    late_orders: int = 0
    my_work: int = 0

    @property
    def late(self) -> int:
        """Everything that is late, wherever it stands."""
        return self.late_board + self.late_weeks + self.late_orders


def figures(ctx: Context, site: str | None = None) -> Figures:
    """Count what is late (of `site`) and the actor's own items that are due today: one statement, or none."""
    actor, now = ctx.actor, ctx.now()
    readable = tuple(one for one in programmes() if any(map(actor.can, one.read)))
    orders = actor.can(order_rows.READ)
    if not readable and not orders:
        return Figures()
    who = (actor.user_id, actor.username, actor.site_scope)
    key = ("figures", tuple(one.key for one in readable), orders, who, site)
    return cached_query_until(ctx, key, now, lambda: _figures(ctx, readable, now, site, orders=orders))


def _figures(
    ctx: Context, readable: tuple[TrackerKind, ...], now: datetime, site: str | None, *, orders: bool
) -> tuple[Figures, datetime]:
    """Count them, and tell until when that holds: up to the next deadline, or the end of the day."""
    actor = ctx.actor
    _start, ends = day_of(now, ctx.zone)
    mine = rows.keys_of(readable, actor).where(rows.OPEN, rows.mine(actor), TrackerItem.due_at < ends)
    boards = [one for one in readable if one is REMEDIATION]
    weeks = [one for one in readable if one is not REMEDIATION]
    sites = None if site is None else (site,)
    # One look at the end of an index for each tracker; of several at once the database would read all that is open.
    coming = [_next_due(actor, one, now, site) for one in readable]
    due_orders = order_rows.keys(actor).where(order_rows.OPEN, order_rows.mine(actor), WorkOrder.due_at < ends)
    own_orders = due_orders.with_only_columns(func.count()).scalar_subquery() if orders else literal(0)
    late_orders, next_order = counts.late(ctx, now, site) if orders else (literal(0), null())
    wanted: list[ColumnElement[Any]] = [
        (mine.with_only_columns(func.count()).scalar_subquery() if readable else literal(0)) + own_orders,
        tallies.late(actor, weeks, now, sites) if weeks else literal(0),
        late_orders,
        next_order,
        *coming,
    ]
    # A page about the board has counted them already.
    known = cache_get(ctx, late_key(ctx, REMEDIATION, site), now) if boards else (0,)
    if known is None:
        wanted.append(tallies.late(actor, boards, now, sites))
    own, late_weeks, of_orders, *others = ctx.session.execute(select(*wanted)).one()
    (late_board,) = known or others[len(coming) + 1 :]
    until = min(due for due in (*others[: len(coming) + 1], ends) if due is not None)
    return Figures(late_board, late_weeks, of_orders, own), until


def _next_due(actor: Actor, programme: TrackerKind, now: datetime, site: str | None) -> ColumnElement[Any]:
    open_items = rows.keys(programme, actor).where(rows.OPEN, TrackerItem.due_at >= now)
    if site is not None:
        open_items = open_items.where(TrackerItem.site_key == site)
    return open_items.with_only_columns(func.min(TrackerItem.due_at)).scalar_subquery()


def flow(ctx: Context, site: str | None = None, *, most: int = 8) -> tuple[FlowLine, ...]:
    """Return what happened today, newest first: three statements; each part only with its permission."""
    (since, _end), can = day_of(ctx.now(), ctx.zone), ctx.actor.can
    found: list[FlowLine] = []
    if any(map(can, REMEDIATION.read)):
        key = ("flow_items", since, ctx.actor.site_scope, site, most)
        found += cached_query(ctx, key, lambda: _items(ctx, since, site, most))
    if any(map(can, (*runs.READ, *gate.READ))):
        every = any(map(can, runs.READ))
        found += cached_query(ctx, ("flow_runs", since, every, most), lambda: _runs(ctx, since, most, every=every))
    return tuple(sorted(found, key=lambda line: line.at, reverse=True)[:most])


def _items(ctx: Context, since: datetime, site: str | None, most: int) -> list[FlowLine]:
    """Everything one step did with one kind of event is one line."""
    shown = [
        TrackerEvent.tracker == REMEDIATION.key,
        TrackerEvent.at >= since,
        TrackerEvent.kind.in_([literal_column(f"'{kind}'") for kind in SENTENCES]),
    ]
    if site is not None:
        shown.append(TrackerEvent.site_key == site)
    elif not ctx.actor.all_sites:
        shown.append(TrackerEvent.site_key.in_(("", *ctx.actor.site_scope)))
    # What happened at the newest instants holds the newest steps: the rest of the day is not counted.
    newest = select(TrackerEvent.at).where(*shown).distinct().order_by(TrackerEvent.at.desc()).limit(most).subquery()
    counted = (
        select(
            TrackerEvent.at,
            TrackerEvent.actor,
            TrackerEvent.kind,
            func.count().label("steps"),
            func.min(TrackerEvent.id).label("event_id"),
        )
        .where(*shown, TrackerEvent.at >= select(func.min(newest.c.at)).scalar_subquery())
        .group_by(TrackerEvent.at, TrackerEvent.actor, TrackerEvent.kind)
        .order_by(TrackerEvent.at.desc())
        .limit(most)
    )
    steps = counted.subquery()
    statement = (
        select(steps, TrackerEvent.item_id, TrackerEvent.new, TrackerItem.number, User.display_name)
        .select_from(steps)
        .join(TrackerEvent, TrackerEvent.id == steps.c.event_id)
        .join(TrackerItem, TrackerItem.id == TrackerEvent.item_id)
        .outerjoin(User, User.username == steps.c.actor)
    )
    found = ctx.session.execute(statement).all()
    names = names_of(ctx, (row.new.get("assignee") for row in found if row.kind == "assigned"))
    return [
        FlowLine(
            at=row.at,
            text=_sentence(row.kind, row.steps, item_number(REMEDIATION.item_prefix, row.number), row.new, names),
            actor="" if row.actor == "system" else row.display_name or row.actor,
            tone=TONES.get(row.kind),
            item_id=row.item_id if row.steps == 1 else None,
        )
        for row in found
    ]


def _sentence(kind: str, count: int, item: str, new: Mapping[str, Any], names: Mapping[str, str]) -> Text:
    single, many = SENTENCES[kind]
    if count > 1:
        return T(many, count=count)
    if kind == "assigned":
        name = new.get("assignee")
        return T(single, item=item, name=names.get(name, name)) if name else T(UNASSIGNED, item=item)
    if kind == "status":
        return T(STATUS_SENTENCES.get(str(new.get("status")), single), item=item, status=str(new.get("status")))
    return T(single, item=item)


def _runs(ctx: Context, since: datetime, most: int, *, every: bool) -> list[FlowLine]:
    """Verdicts of the gate, what the autopilot did, runs that a person started, and everything that went wrong.

    A measurement that finds the backlog in a bad state is no event: the figures beside say so all day. Without
    `every` only those of the gate.
    """
    steps = or_(JobRun.job_name == job_names.KPI, JobRun.trigger == AUTOPILOT_TRIGGER)
    acted = and_(JobRun.job_name == job_names.AUTOPILOT, RunFact.acted.is_(True))
    statement = (
        select(
            JobRun.id,
            JobRun.job_name,
            JobRun.status,
            JobRun.error_code,
            JobRun.finished_at,
            JobRun.detail_json,
            RunFact.acted,
            RunFact.assigned_count,
            RunFact.notified_count,
        )
        .outerjoin(RunFact, RunFact.run_id == JobRun.id)
        .where(
            JobRun.finished_at >= since,
            JobRun.dry_run.is_(False),
            or_(
                JobRun.error_code.is_not(None),
                JobRun.trigger.in_((API, MANUAL)),
                and_(~steps, or_(JobRun.job_name == job_names.GATE, JobRun.status != "success", acted)),
            ),
        )
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(most)
    )
    if not every:
        statement = statement.where(JobRun.job_name == job_names.GATE)
    return [_run_line(row) for row in ctx.session.execute(statement)]


def _run_line(row: Any) -> FlowLine:
    if row.job_name == job_names.GATE and (decision := row.detail_json.get("decision")) in VERDICTS:
        tone = "late" if decision == "no_go" else "ok"
        text = T("Gate verdict %(word)s", word=VERDICTS[decision])
        return FlowLine(row.finished_at, text, tone=tone, run_id=row.id, job=job_names.GATE)
    if row.job_name == job_names.AUTOPILOT and row.acted:
        text = T(
            "Autopilot: %(assigned)s assigned, %(told)s told",
            assigned=row.assigned_count or 0,
            told=row.notified_count or 0,
        )
        return FlowLine(row.finished_at, text, run_id=row.id)
    words = {"warning": N_("Job ended with warnings"), "critical": N_("Job found something critical")}
    tones = {"warning": "soon", "critical": "late"}
    ends = {None: words.get(row.status, N_("Job has run")), REFUSED: N_("Job was refused")}
    text = Text(ends.get(row.error_code, N_("Job failed")))
    return FlowLine(row.finished_at, text, tone=tones.get(row.status), run_id=row.id, job=row.job_name)
