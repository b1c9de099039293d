"""What the page of the daily check shows: the checks of this moment, the stored run, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.runbook import daily as domain
from console.domain.runbook.daily import Changed
from console.domain.runbook.runbook import CheckResult, Runbook
from console.services.jobs import runs, strip
from console.services.jobs.runs import Run
from console.services.jobs.strip import StripDay
from console.services.reliability.latency import MemorySamples
from console.services.runbook import daily_runs, runbook
from console.services.runbook.daily_runs import ArchiveRow

READ = daily_runs.READ
# Runs in the archive that the page lists; all of them are in its download.
ARCHIVE_ROWS = 10


@dataclass(frozen=True)
class PageData:
    """The daily check at one moment (aware UTC); `run` is None before the first.

    `checks` are those of this moment, worst first; `changed` are those that stand otherwise than in the stored run.
    """

    computed_at: datetime
    book: Runbook
    checks: tuple[CheckResult, ...]
    run: Run | None
    changed: tuple[Changed, ...]
    strip: tuple[StripDay, ...]
    archive: tuple[ArchiveRow, ...]

    @property
    def worse(self) -> tuple[Changed, ...]:
        """Return what got worse since the run."""
        return tuple(one for one in self.changed if one.is_worse)


def page_data(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> PageData:
    """Judge now, read the newest run and tell them apart; `memory` as for the latency snapshot."""
    book = runbook.view(ctx, memory)
    run = daily_runs.newest(ctx)
    stored: list[Mapping[str, Any]] = run.detail.get("checks", []) if run else []
    return PageData(
        computed_at=book.generated_at,
        book=book,
        checks=domain.worst_first(book.checks),
        run=run,
        changed=domain.changed({str(one.get("id")): str(one.get("status")) for one in stored}, book) if run else (),
        strip=strip.last_days(ctx, job_names.DAILY_CHECK, "overall_status"),
        archive=daily_runs.archive(ctx, limit=ARCHIVE_ROWS).rows,
    )


def current_run(ctx: Context) -> Run | None:
    """Return the daily check that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*READ)
    return runs.current(ctx, job_names.DAILY_CHECK)
