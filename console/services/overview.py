"""The overview page: today in one screen, each part only for those who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from console.context import Context
from console.domain.tracker import REMEDIATION
from console.services import gate, runs, today, tracker
from console.services.run_schedule import ScheduleHealth
from console.services.today import FlowLine
from console.services.tracker import BoardSummary


@dataclass(frozen=True)
class Overview:
    """Today in one screen as of `computed_at`; a part is None for readers without its permission."""

    computed_at: datetime
    site: str | None
    gate: gate.Overview | None
    board: BoardSummary | None
    schedule: ScheduleHealth | None
    flow: tuple[FlowLine, ...]

    @property
    def nothing(self) -> bool:
        """Tell whether there is no part at all for this reader."""
        return self.gate is None and self.board is None and self.schedule is None


def read(ctx: Context, site: str | None, schedule: Callable[[Context], ScheduleHealth] | None = None) -> Overview:
    """Give the overview of everything, or of one site; raises SiteDenied. `schedule` judges the table of jobs."""
    if site is not None:
        ctx.actor.require_site(site)
    can = ctx.actor.can
    return Overview(
        computed_at=ctx.now(),
        site=site,
        gate=gate.overview(ctx) if any(map(can, gate.READ)) else None,
        board=tracker.board_summary(ctx, site) if any(map(can, REMEDIATION.read)) else None,
        schedule=schedule(ctx) if schedule is not None and any(map(can, runs.READ)) else None,
        flow=today.flow(ctx, site),
    )
