"""The overview page: today in one screen, each part only for those who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from console.core.context import Context
from console.domain.tracker.tracker import REMEDIATION
from console.domain.work_orders.on_time import OnTime
from console.models.automation import BacklogSample
from console.services.common.figures import Counted, counted
from console.services.gate import gate
from console.services.handover import figures as handover
from console.services.home import activity, today, work
from console.services.home.activity import Figures as Late
from console.services.home.activity import FlowLine
from console.services.home.dashboard import Day
from console.services.home.today import Alerts, SiteLine
from console.services.home.work import Figures, Work
from console.services.inspections import figures as inspections
from console.services.jobs import runs
from console.services.jobs.schedule import ScheduleHealth
from console.services.policies import automation
from console.services.policies.automation import Stopped
from console.services.tracker import summary as tracker
from console.services.tracker.summary import BoardSummary
from console.services.work_orders import on_time
from console.services.work_orders.rows import READ as READ_ORDERS

# Measurements come every hour; more than these are of somebody who measures by hand.
_MOST_SAMPLES = 500


@dataclass(frozen=True)
class Trends:
    """How many items were late and unassigned at the end of each of the last days (UTC), oldest first, and now."""

    late: tuple[int, ...]
    unassigned: tuple[int, ...]


@dataclass(frozen=True)
class Overview:
    """Today in one screen as of `computed_at`; a part is None for readers without its permission."""

    computed_at: datetime
    site: str | None
    gate: gate.Overview | None
    work: Figures | None
    first: tuple[Work, ...]
    board: BoardSummary | None
    trends: Trends | None
    schedule: ScheduleHealth | None
    flow: tuple[FlowLine, ...]
    figures: Late
    stopped: Stopped | None
    on_time: OnTime | None = None
    numbers: tuple[Counted, ...] = ()
    dangers: Counted | None = None
    sites: tuple[SiteLine, ...] = ()
    days: tuple[Day, ...] = ()
    alerts: Alerts | None = None
    handovers: Counted | None = None

    @property
    def nothing(self) -> bool:
        """Return whether there is no part at all for this reader."""
        return self.gate is None and self.work is None and self.schedule is None


def read(ctx: Context, site: str | None, schedule: Callable[[Context], ScheduleHealth] | None = None) -> Overview:
    """Return the overview of everything, or of one site; raises SiteDenied. `schedule` judges the table of jobs."""
    if site is not None:
        ctx.actor.require_site(site)
    can = ctx.actor.can
    board = tracker.board_summary(ctx, site) if any(map(can, REMEDIATION.read)) else None
    return Overview(
        computed_at=ctx.now(),
        site=site,
        gate=gate.overview(ctx) if any(map(can, gate.READ)) else None,
        work=work.figures(ctx, site) if any(map(can, work.READ)) else None,
        first=work.do_first(ctx, site),
        board=board,
        trends=_trends(ctx, site, board) if board is not None else None,
        schedule=schedule(ctx) if schedule is not None and any(map(can, runs.READ)) else None,
        flow=activity.flow(ctx, site),
        figures=activity.figures(ctx, site),
        on_time=on_time.last_30_days(ctx, site) if can(READ_ORDERS) else None,
        stopped=automation.stopped(ctx) if board is not None or any(map(can, runs.READ)) else None,
        numbers=today.figures(ctx, site),
        dangers=counted(ctx, inspections.UNORDERED, site),
        sites=today.site_lines(ctx, site),
        days=today.days(ctx, site),
        alerts=today.alerts(ctx),
        handovers=counted(ctx, handover.WAITING, site),
    )


def _trends(ctx: Context, site: str | None, board: BoardSummary) -> Trends | None:
    """Return the measured days before now; measurements are of all sites, so there are none for some of them."""
    if site is not None or not ctx.actor.all_sites:
        return None
    now = ctx.now()
    wanted = select(BacklogSample.finished_at, BacklogSample.overdue_count, BacklogSample.unassigned_open_count)
    wanted = wanted.where(
        BacklogSample.tracker == REMEDIATION.key,
        BacklogSample.finished_at >= now - timedelta(days=tracker.TREND_DAYS),
        BacklogSample.finished_at <= now,
    )
    newest = wanted.order_by(BacklogSample.finished_at.desc(), BacklogSample.id.desc()).limit(_MOST_SAMPLES)
    ends: dict[date, tuple[int, int]] = {}
    for at, late, unassigned in ctx.session.execute(newest):
        ends.setdefault(at.date(), (late, unassigned))
    days = [*(ends[day] for day in sorted(ends)), (board.late, board.unassigned)]
    return Trends(tuple(late for late, _ in days), tuple(unassigned for _, unassigned in days))
