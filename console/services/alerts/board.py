"""All that the page of the channels shows: each channel with its health and figures, and the figures over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from console.core.context import Context
from console.domain.alerts import incidents as rules
from console.domain.alerts.incidents import ChannelFigures, Week
from console.domain.jobs import names as job_names
from console.services.alerts import channels, figures, guard, slo
from console.services.alerts.channels import ChannelView
from console.services.alerts.figures import ChannelKpi, Day
from console.services.alerts.guard import ChannelView as Health
from console.services.jobs import runs
from console.services.jobs.runs import Run

WEEKS, DAYS = 12, 30


@dataclass(frozen=True)
class Line:
    """One channel: how it is, the deliveries of seven days, the recoveries of thirty, what waits for it.

    `made` is None for a channel of the settings.
    """

    health: Health
    waiting_count: int
    kpi: ChannelKpi | None
    recoveries: ChannelFigures | None
    made: ChannelView | None


@dataclass(frozen=True)
class Board:
    """The page of the channels, worst first."""

    summary: guard.Summary
    policy: guard.PolicyView
    lines: tuple[Line, ...]
    days: tuple[Day, ...]
    weeks: tuple[Week, ...]
    objective: Mapping[str, object]
    check: Run | None


def read(ctx: Context, *, starts: tuple[datetime, ...]) -> Board:
    """Return the page; `starts` are the beginnings of the days in the reader's zone. Raises PermissionDenied."""
    seen = guard.look(ctx, max_targets=10_000)
    week = {one.channel: one for one in figures.counted(ctx, event_type=None, windows=(7,)).windows[0].channels}
    found, now = figures.incidents(ctx, event_type=None, days=7 * WEEKS), ctx.now()
    keys = {one.channel for one in seen.channels}
    mine = [one for one in found if one.channel in keys]
    month = {one.channel: one for one in rules.window(mine, days=DAYS, now=now).channels}
    waiting, made = figures.waiting(ctx), {one.key: one for one in channels.all_made(ctx)}
    lines = tuple(
        Line(one, waiting.get(one.channel, 0), week.get(one.channel), month.get(one.channel), made.get(one.channel))
        for one in seen.channels
    )
    check = runs.last_executed(ctx, job_names.ALERT_MTTR_SLO)
    return Board(
        summary=seen.summary,
        policy=seen.policy,
        lines=lines,
        days=figures.by_day(ctx, starts=starts),
        weeks=rules.weeks(mine, count=WEEKS, now=now),
        objective=slo.current(ctx),
        check=check,
    )
