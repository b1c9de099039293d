"""Handovers as pages read them: one with its lines, what a site would hand over now, and how the last ones went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Annotated, Any

from sqlalchemy import Select, func, select

from console.core.context import Context
from console.core.records import INTERNAL, Fact, view_of
from console.domain.alerts import snooze
from console.domain.errors import NotFound
from console.domain.handover import lines as rules
from console.domain.handover.lines import Line
from console.domain.ids import MAX_ID
from console.domain.text import N_, T
from console.models.handover import Handover, HandoverLine, HandoverQuestion
from console.models.work_orders import WorkOrder
from console.services.common import snoozes
from console.services.handover.collect import collect
from console.services.identity.names import names_of
from console.services.work_orders import rows as orders

READ, WRITE = orders.READ, orders.WRITE
PAST = timedelta(days=30)
# A shift hands over a few times a day; these are more than a site makes in the time that is looked at.
_MOST_PAST = 1_000


@dataclass(frozen=True)
class HandoverView:
    """A handover of a site; instants are aware UTC."""

    id: Annotated[int, Fact(N_("No."), sort=True)]
    site: Annotated[str, Fact(N_("Site"), sort=True)]
    state: Annotated[str, Fact(N_("State"), sort=True)]
    given_by: Annotated[str, Fact(N_("Handed over by"), sort=True)]
    given_at: Annotated[datetime, Fact(N_("Handed over"), sort=True)]
    accepted_by: Annotated[str | None, Fact(N_("Accepted by"), sort=True)]
    accepted_at: Annotated[datetime | None, Fact(N_("Accepted"), sort=True)]
    line_count: Annotated[int, Fact(N_("Lines"), sort=True, numeric=True)]
    confirmed_count: Annotated[int, Fact(N_("Confirmed"), sort=True, numeric=True)]
    deadline_at: Annotated[datetime, Fact(N_("Deadline"), sort=True)]
    escalated_at: Annotated[datetime | None, Fact(N_("Escalated"), sort=True, shown=False)]
    since_at: Annotated[datetime, Fact(N_("Since"), sort=True, shown=False)]
    taker: Annotated[str | None, Fact(N_("Named to take over"), shown=False)]
    previous_id: Annotated[int, INTERNAL]
    # What giver and taker are called, where a list reads it with them.
    given_name: Annotated[str | None, INTERNAL] = None
    accepted_name: Annotated[str | None, INTERNAL] = None

    @property
    def is_open(self) -> bool:
        """Return whether nobody has accepted it yet."""
        return self.state == rules.GIVEN

    @property
    def left(self) -> int:
        """Return how many lines nobody has confirmed yet."""
        return self.line_count - self.confirmed_count


@dataclass(frozen=True)
class Question:
    """What was asked about a line and the answer, None while it is awaited; instants are aware UTC."""

    question: str
    asked_by: str
    asked_at: datetime
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


@dataclass(frozen=True)
class LineView:
    """A line of a handover; `changed` says that its order or its snooze is otherwise now. `id` is None in a preview."""

    id: int | None
    line: Line
    state: str
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    questions: tuple[Question, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class Shown:
    """A handover with its lines, and what people behind user names are called."""

    handover: HandoverView
    lines: tuple[LineView, ...]
    names: Mapping[str, str]

    @property
    def changed_count(self) -> int:
        """Return how many orders changed after they were handed over."""
        return sum(line.changed for line in self.lines)


@dataclass(frozen=True)
class Preview:
    """What a site would hand over now, since when, and after which handover; instants are aware UTC."""

    site: str
    since_at: datetime
    previous_id: int
    lines: tuple[LineView, ...]
    names: Mapping[str, str]


@dataclass(frozen=True)
class Past:
    """The handovers of the last 30 days: how many were accepted, how many of them in time, the median in minutes."""

    accepted: int
    in_time: int
    late: int
    median_minutes: int | None


def view(row: Handover, given_name: str | None = None, accepted_name: str | None = None) -> HandoverView:
    """Return the row of a stored handover."""
    return view_of(HandoverView, row, given_name=given_name, accepted_name=accepted_name)


def load(ctx: Context, handover_id: int, *, lock: bool = False) -> HandoverView:
    """Return one handover; raises NotFound, then SiteDenied for a site outside the caller's scope."""
    ctx.actor.require(READ)
    row = None
    if 0 < handover_id <= MAX_ID:
        wanted = select(Handover).where(Handover.id == handover_id)
        wanted = wanted.with_for_update() if lock else wanted
        row = ctx.session.scalar(wanted, execution_options={"populate_existing": True})
    if row is None:
        raise NotFound(T("Handover not found"))
    ctx.actor.require_site(row.site)
    return view(row)


def shown(ctx: Context, handover_id: int) -> Shown:
    """Return a handover with its lines, questions and what changed since: five queries."""
    found = load(ctx, handover_id)
    lines = lines_of(ctx, found.id)
    return Shown(found, lines, _names(ctx, lines, found.given_by, found.accepted_by, found.taker))


def lines_of(ctx: Context, handover_id: int) -> tuple[LineView, ...]:
    """Return the lines of a handover in their order: three queries."""
    wanted = select(HandoverLine).where(HandoverLine.handover_id == handover_id)
    stored = ctx.session.scalars(
        wanted.order_by(HandoverLine.place, HandoverLine.id), execution_options={"populate_existing": True}
    ).all()
    asked: dict[int, list[Question]] = {}
    of_lines = select(HandoverQuestion).where(
        HandoverQuestion.line_id.in_(select(HandoverLine.id).where(HandoverLine.handover_id == handover_id))
    )
    for row in ctx.session.scalars(
        of_lines.order_by(HandoverQuestion.id), execution_options={"populate_existing": True}
    ):
        asked.setdefault(row.line_id, []).append(view_of(Question, row))
    now = ctx.now()
    orders_now = _orders_now(ctx, [row.subject_id for row in stored if row.subject == rules.ORDER], now)
    return tuple(
        LineView(
            row.id,
            Line(row.kind, row.subject, row.subject_id, row.title, row.detail),
            row.state,
            row.confirmed_by,
            row.confirmed_at,
            tuple(asked.get(row.id, ())),
            row.subject == rules.ORDER and orders_now.get(row.subject_id) != _as_told(row.detail, now),
        )
        for row in stored
    )


def _orders_now(
    ctx: Context, ids: Iterable[int | None], now: datetime
) -> dict[int | None, tuple[int, datetime | None]]:
    """Return the version of orders, and until when their reminders wait."""
    wanted = [one for one in ids if one is not None]
    if not wanted:
        return {}
    quiet = snoozes.until_of(snooze.ORDER, WorkOrder.id.expression).label("until")
    found = ctx.session.execute(select(WorkOrder.id, WorkOrder.version, quiet).where(WorkOrder.id.in_(wanted)))
    return {row.id: (row.version, row.until if snooze.standing(row.until, now) else None) for row in found}


def _as_told(detail: Mapping[str, Any], now: datetime) -> tuple[int | None, datetime | None]:
    """Return the same as it was handed over; a snooze whose time is over since has not changed."""
    told = detail.get("snoozed_until")
    until = datetime.fromisoformat(told) if told else None
    return detail.get("version"), until if snooze.standing(until, now) else None


def preview(ctx: Context, site: str) -> Preview:
    """Return what a site would hand over now; raises PermissionDenied, SiteDenied."""
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    previous = newest(ctx, site)
    since, found = to_give(ctx, site, ctx.now())
    lines = tuple(LineView(None, line, rules.OPEN) for line in found)
    return Preview(site, since, previous.id if previous else 0, lines, _names(ctx, lines))


def _names(ctx: Context, lines: Iterable[LineView], *more: str | None) -> dict[str, str]:
    people: list[str | None] = [*more]
    for one in lines:
        people += [one.confirmed_by, one.line.detail.get("assignee"), one.line.detail.get("by")]
        for question in one.questions:
            people += [question.asked_by, question.answered_by]
    return names_of(ctx, people)


def newest(ctx: Context, site: str) -> HandoverView | None:
    """Return the newest handover of a site, None before the first one."""
    row = ctx.session.scalar(_of(site).order_by(Handover.id.desc()).limit(1))
    return view(row) if row else None


def open_ones(ctx: Context, site: str | None = None) -> tuple[HandoverView, ...]:
    """Return what nobody has accepted yet (at one site), the newest first: one query."""
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    wanted = select(Handover).where(Handover.state == rules.GIVEN, visible(ctx, site))
    return tuple(view(row) for row in ctx.session.scalars(wanted.order_by(Handover.given_at.desc()).limit(50)))


def asked_counts(ctx: Context, ids: Iterable[int]) -> dict[int, int]:
    """Return how many lines of each of these handovers wait for an answer, without those of which none does."""
    wanted = list(ids)
    if not wanted:
        return {}
    mine = select(HandoverLine.handover_id, func.count()).where(HandoverLine.handover_id.in_(wanted))
    rows = ctx.session.execute(mine.where(HandoverLine.state == rules.ASKED).group_by(HandoverLine.handover_id))
    return {row[0]: row[1] for row in rows}


def visible(ctx: Context, site: str | None = None) -> Any:
    """Return the condition that a handover is of the site, or of one that the caller may see."""
    if site is not None:
        return Handover.site == site
    return Handover.site.in_(ctx.actor.site_scope) if not ctx.actor.all_sites else Handover.id > 0


def _of(site: str) -> Select[Handover]:
    return select(Handover).where(Handover.site == site)


def last_accepted(ctx: Context, site: str) -> HandoverView | None:
    """Return the accepted handover of a site that tells of the latest time."""
    accepted = _of(site).where(Handover.state == rules.ACCEPTED)
    row = ctx.session.scalar(accepted.order_by(Handover.given_at.desc(), Handover.id.desc()).limit(1))
    return view(row) if row else None


def to_give(ctx: Context, site: str, now: datetime) -> tuple[datetime, list[Line]]:
    """Return from when on (UTC) the next handover of a site tells, and its lines at `now`.

    What nobody accepted is told of again; what the last accepted one told of is not told of as new.
    """
    last, told = last_accepted(ctx, site), frozenset[tuple[str, int | None]]()
    if last is None:
        first = ctx.session.scalar(select(func.min(Handover.since_at)).where(Handover.site == site))
        since = first or now - rules.FIRST_WINDOW
    else:
        lines = select(HandoverLine.subject, HandoverLine.subject_id).where(HandoverLine.handover_id == last.id)
        since, told = last.given_at, frozenset((row[0], row[1]) for row in ctx.session.execute(lines))
    return since, collect(ctx, site, since, told, now)


def past(ctx: Context, site: str | None = None) -> Past:
    """Return how the handovers of the last 30 days went (at one site): one query."""
    ctx.actor.require(READ)
    ctx.actor.require_site(site)
    wanted = select(Handover.given_at, Handover.accepted_at, Handover.deadline_at).where(
        Handover.state == rules.ACCEPTED, Handover.given_at >= ctx.now() - PAST, visible(ctx, site)
    )
    found = ctx.session.execute(wanted.order_by(Handover.given_at.desc()).limit(_MOST_PAST)).all()
    in_time = sum(row.accepted_at <= row.deadline_at for row in found)
    took = [(row.accepted_at - row.given_at).total_seconds() / 60 for row in found]
    return Past(len(found), in_time, len(found) - in_time, round(median(took)) if took else None)
