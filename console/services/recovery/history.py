"""Drills that were run, as clients and pages read them: stored results only, nothing is read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.models.jobs import JobRun
from console.services.jobs import runs
from console.services.jobs.runs import Run

READ = ("admins:manage", "governance:read")


@dataclass(frozen=True)
class HistoryItem:
    """One drill of the history (API contract, DR rehearsal); a run that broke off has no file."""

    run_id: int
    status: str | None
    trigger: str
    finished_at: datetime | None
    backup_file: str | None
    restore_valid: bool
    pruned_files: int
    recovery_seconds: float | None
    possible_loss_seconds: int | None
    size_bytes: int | None
    method: str | None
    cause: str | None


@dataclass(frozen=True)
class History:
    """A page of the history, newest first, and how many drills there are."""

    generated_at: datetime
    count: int
    items: tuple[HistoryItem, ...]
    total: int


def flat(run: Run) -> dict[str, Any]:
    """Return the published shape of a drill: the fields of its run, then those of its detail."""
    return {**run.header(), **run.detail}


def latest(ctx: Context) -> Run:
    """Return the newest drill; raises NotFound before the first."""
    ctx.actor.require(*READ)
    found = runs.latest(ctx, job_names.DR_REHEARSAL)
    if found is None:
        raise NotFound(f"No {job_names.DR_REHEARSAL} run found")
    return found


def stored(ctx: Context, run_id: int) -> Run:
    """Return one finished drill; raises NotFound for anything else."""
    ctx.actor.require(*READ)
    found = runs.of_job(ctx, run_id, job_names.DR_REHEARSAL)
    if found.finished_at is None or found.dry_run:
        raise NotFound(f"No {job_names.DR_REHEARSAL} run found")
    return found


def last_proven(ctx: Context) -> Run | None:
    """Return the newest drill that proved a restore, if there is one."""
    proven = (
        select(JobRun)
        .where(
            JobRun.job_name == job_names.DR_REHEARSAL,
            JobRun.state == FINISHED,
            JobRun.dry_run.is_(False),
            JobRun.detail_json["restore_valid"].as_boolean().is_(True),
        )
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    row = ctx.session.scalars(proven).one_or_none()
    return runs.view(row) if row else None


def history(
    ctx: Context,
    *,
    limit: int = 20,
    offset: int = 0,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> History:
    """Return drills, newest first; `since` and `until` bound their end, inclusive."""
    ctx.actor.require(*READ)
    found, total = runs.history(
        ctx, job_names.DR_REHEARSAL, limit=limit, offset=offset, status=status, since=since, until=until
    )
    items = tuple(item_of(run) for run in found)
    return History(ctx.now(), len(items), items, total)


def item_of(run: Run) -> HistoryItem:
    """Return a drill as the history lists it."""
    detail: Mapping[str, Any] = run.detail
    return HistoryItem(
        run_id=run.id,
        status=run.status,
        trigger=run.trigger,
        finished_at=run.finished_at,
        backup_file=detail.get("backup_file"),
        restore_valid=detail.get("restore_valid") is True,
        pruned_files=detail.get("pruned_files") or 0,
        recovery_seconds=detail.get("recovery_seconds"),
        possible_loss_seconds=detail.get("possible_loss_seconds"),
        size_bytes=detail.get("size_bytes"),
        method=detail.get("method"),
        cause=detail.get("cause") or detail.get("error"),
    )


def file_state(detail: Mapping[str, Any]) -> str:
    """Return whether the file of a drill is still there: `kept`, `changed` (another size), `gone`, or `none`."""
    name, size = detail.get("backup_file"), detail.get("size_bytes")
    if not name:
        return "none"
    try:
        return "kept" if Path(name).stat().st_size == size else "changed"
    except OSError:
        return "gone"
