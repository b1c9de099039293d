"""What the page of the integrity says: what was read when, what was never read, and what is broken. Reads no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from console.core.context import Context
from console.domain.archives.archives import FAULTS, KINDS
from console.domain.evidence.evidence import MODULES
from console.domain.jobs import names as job_names
from console.domain.runbook.integrity import CLOSED_MONTH, RECOVERY_COPY
from console.models.archives import StoredFile
from console.models.evidence import EvidenceFile
from console.services.jobs import runs
from console.services.jobs.runs import Run
from console.services.runbook import integrity

SHOWN = 50


@dataclass(frozen=True)
class Shelf:
    """The files of one module of evidence or one kind of archive, and how far the readings are.

    `oldest_unread` is when the oldest file that was never read was stored; `read_longest_ago` when that file was read
    whose turn is next; `last_read` the newest reading.
    """

    key: str
    count: int
    unread: int = 0
    oldest_unread: datetime | None = None
    read_longest_ago: datetime | None = None
    last_read: datetime | None = None
    broken: int = 0


@dataclass(frozen=True)
class Broken:
    """A file that the last reading found broken; `item_id` is of evidence, and `shelf` its module or kind."""

    shelf: str
    file_id: int
    name: str
    reason: str
    checked_at: datetime | None
    site: str | None = None
    item_id: int | None = None


@dataclass(frozen=True)
class PageData:
    """The page: the newest reading, the files by module and kind, the broken ones, and the audit archives kept."""

    computed_at: datetime
    run: Run | None
    result: Mapping[str, Any]
    evidence: Sequence[Shelf]
    archives: Sequence[Shelf]
    broken: Sequence[Broken]
    audit_months: int

    @property
    def shelves(self) -> list[Shelf]:
        """Return all files, evidence and archives."""
        return [*self.evidence, *self.archives]

    def total(self, name: str) -> int:
        """Return the sum of a count, such as `broken`, over all files."""
        return sum(getattr(shelf, name) for shelf in self.shelves)

    @property
    def oldest_unread(self) -> datetime | None:
        """Return when the oldest file that was never read was stored."""
        return min((one.oldest_unread for one in self.shelves if one.oldest_unread), default=None)

    @property
    def audit(self) -> Mapping[str, Any] | None:
        """Return what the newest reading found of the audit archives, if there was one."""
        return self.result.get("archive")

    @property
    def copies(self) -> Mapping[str, Any] | None:
        """Return what the newest reading found of the copies of recovery drills, if it read them."""
        return self._counted(RECOVERY_COPY)

    @property
    def months(self) -> Mapping[str, Any] | None:
        """Return what the newest reading found of the closed months."""
        return self._counted(CLOSED_MONTH)

    def _counted(self, kind: str) -> Mapping[str, Any] | None:
        return next((one for one in self.result.get("stored", ()) if one["kind"] == kind), None)

    @property
    def broken_count(self) -> int:
        """Return how many files are not what was stored, as far as they were read."""
        counted = [one for one in (self.copies, self.months) if one]
        found = sum(one.get(f"{problem}_count", 0) for one in counted for problem in FAULTS)
        return self.total("broken") + self.unsound_audit + found

    @property
    def unsound_audit(self) -> int:
        """Return how many kept audit archives the newest reading found changed."""
        return int((self.audit or {}).get("stored_mismatch_count", 0))


def page_data(ctx: Context) -> PageData:
    """Return the page for the sites of the reader; raises PermissionDenied."""
    ctx.actor.require(*integrity.READ)
    run = runs.latest(ctx, job_names.EVIDENCE_INTEGRITY)
    return PageData(
        computed_at=ctx.now(),
        run=run,
        result=run.detail if run and run.error_code is None else {},
        evidence=_evidence(ctx),
        archives=_archives(ctx),
        broken=(*_broken_months(ctx, run), *_broken_copies(run), *_broken_archives(ctx), *_broken_evidence(ctx)),
        audit_months=len(integrity.stored_archives(ctx)),
    )


def current_run(ctx: Context) -> Run | None:
    """Return the reading that waits or is under way, else the last finished one, if any."""
    ctx.actor.require(*integrity.READ)
    return runs.current(ctx, job_names.EVIDENCE_INTEGRITY)


def _columns(key: Any, stored_at: Any, checked_at: Any, problem: Any) -> tuple[Any, ...]:
    never = case((checked_at.is_(None), stored_at))
    return (
        *(key, func.count(), func.count() - func.count(checked_at), func.min(never)),
        *(func.min(checked_at), func.max(checked_at), func.count(problem)),
    )


def _evidence(ctx: Context) -> list[Shelf]:
    table = EvidenceFile
    columns = _columns(table.module, table.uploaded_at, table.integrity_checked_at, table.integrity_problem)
    living = (table.removed_at.is_(None), integrity.mine(ctx.actor))
    found = {row[0]: Shelf(*row) for row in ctx.session.execute(select(*columns).where(*living).group_by(table.module))}
    return [found[module] for module in MODULES if module in found]


def _archives(ctx: Context) -> list[Shelf]:
    table = StoredFile
    columns = _columns(table.kind, table.created_at, table.checked_at, table.problem)
    found = {row[0]: Shelf(*row) for row in ctx.session.execute(select(*columns).group_by(table.kind))}
    return [found.get(kind, Shelf(kind, 0)) for kind in KINDS]


def _broken_copies(run: Run | None) -> list[Broken]:
    """Return the copies of recovery drills that the newest reading found broken; they have no row of their own."""
    at = run.finished_at if run else None
    return [Broken(RECOVERY_COPY, one["file_id"], one["name"], one["reason"], at) for one in _of(run, RECOVERY_COPY)]


def _broken_months(ctx: Context, run: Run | None) -> list[Broken]:
    """Return the closed months of the reader's sites that the newest reading found changed."""
    at = run.finished_at if run else None
    return [
        Broken(CLOSED_MONTH, one["file_id"], one["name"], one["reason"], at, one["label"])
        for one in _of(run, CLOSED_MONTH)
        if ctx.actor.sees(one["label"])
    ]


def _of(run: Run | None, kind: str) -> list[Mapping[str, Any]]:
    return [one for one in (run.detail.get("stored_issues", ()) if run else ()) if one["kind"] == kind]


def _broken_archives(ctx: Context) -> list[Broken]:
    rows = ctx.session.execute(
        select(StoredFile.kind, StoredFile.id, StoredFile.name, StoredFile.problem, StoredFile.checked_at)
        .where(StoredFile.problem.is_not(None), StoredFile.kind.in_(KINDS))
        .order_by(StoredFile.id)
        .limit(SHOWN)
    )
    return [Broken(kind, file_id, name, problem or "", at) for kind, file_id, name, problem, at in rows]


def _broken_evidence(ctx: Context) -> list[Broken]:
    table = EvidenceFile
    rows = ctx.session.execute(
        select(
            *(table.module, table.id, table.file_name, table.integrity_problem, table.integrity_checked_at),
            *(table.site, func.coalesce(table.tracker_item_id, table.work_order_id, table.inspection_id)),
        )
        .where(table.integrity_problem.is_not(None), table.removed_at.is_(None), integrity.mine(ctx.actor))
        .order_by(table.id)
        .limit(SHOWN)
    )
    return [
        Broken(module, file_id, name, problem or "", at, site, item_id)
        for module, file_id, name, problem, at, site, item_id in rows
    ]
