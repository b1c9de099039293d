"""What the page of the daily check shows: the checks of this moment, the stored run, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.remediation.checks import COVERED_BY, key_of
from console.domain.runbook import daily as domain
from console.domain.runbook.daily import AlertOutcome, Changed, Since
from console.domain.runbook.runbook import OK, CheckResult, Runbook
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.tracker import TrackerItem
from console.services.jobs import runs, strip
from console.services.jobs.runs import Run
from console.services.jobs.strip import StripDay
from console.services.reliability.latency import MemorySamples
from console.services.runbook import daily_runs, runbook
from console.services.runbook.daily_runs import ArchiveRow
from console.services.tracker import rows

READ = daily_runs.READ
# Runs in the archive that the page lists; all of them are in its download.
ARCHIVE_ROWS = 10


@dataclass(frozen=True)
class BoardItem:
    """An item of the board, as people quote it."""

    id: int
    item_id: str


@dataclass(frozen=True)
class PageData:
    """The daily check at one moment (aware UTC); `run` is None before the first.

    `checks` are those of this moment, worst first; `changed` are those that stand otherwise than in the stored run.
    `since` has, for a check that fails now and failed in that run, the first run of its streak; `items` has the item of
    the board that is about a failing check, where the caller may see it; `told` is what became of the alert by now.
    """

    computed_at: datetime
    book: Runbook
    checks: tuple[CheckResult, ...]
    run: Run | None
    changed: tuple[Changed, ...]
    strip: tuple[StripDay, ...]
    archive: tuple[ArchiveRow, ...]
    since: Mapping[str, Since]
    items: Mapping[str, BoardItem]
    told: AlertOutcome | None

    @property
    def failing(self) -> tuple[CheckResult, ...]:
        """Return the checks that fail now or say less than they should, worst first."""
        return tuple(check for check in self.checks if check.shown != OK)

    @property
    def passing(self) -> tuple[CheckResult, ...]:
        """Return the others."""
        return tuple(check for check in self.checks if check.shown == OK)

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
        archive=daily_runs.newest_rows(ctx, ARCHIVE_ROWS),
        since=daily_runs.failing_since(run),
        items=_items(ctx, book),
        told=daily_runs.told(ctx, run) if run else None,
    )


def _items(ctx: Context, book: Runbook) -> dict[str, BoardItem]:
    """Return the open item of each failing check: its own, or that of the rule of the gate that is about the same."""
    wanted = {
        check.id: [key for key in (COVERED_BY.get(check.id), key_of(check.id)) if key]
        for check in book.checks
        if check.fails
    }
    keys = sorted({key for found in wanted.values() for key in found})
    if not keys or not any(ctx.actor.can(name) for name in REMEDIATION.read):
        return {}
    statement = (
        rows.base(REMEDIATION, ctx.actor)
        .where(rows.ACTIVE, TrackerItem.item_key.in_(keys))
        .with_only_columns(TrackerItem.id, TrackerItem.number, TrackerItem.item_key)
    )
    known = {row.item_key: row for row in ctx.session.execute(statement)}
    found = {name: next((known[key] for key in own if key in known), None) for name, own in wanted.items()}
    return {
        name: BoardItem(row.id, item_number(REMEDIATION.item_prefix, row.number))
        for name, row in found.items()
        if row is not None
    }


def current_run(ctx: Context) -> Run | None:
    """Return the daily check that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*READ)
    return runs.current(ctx, job_names.DAILY_CHECK)
