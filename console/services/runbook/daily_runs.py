"""Stored daily checks: the newest one, its summary, and the archive with what became of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, func, select

from console.core.context import Context
from console.core.records import Fact
from console.core.serialize import columns_of
from console.domain.alerts.alerts import SUCCESS
from console.domain.archives import archives as archive_rules
from console.domain.archives.archives import DAILY_CHECK
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.runbook import daily as domain
from console.domain.runbook.daily import AlertOutcome, Since
from console.domain.runbook.runbook import OK
from console.models.alerts import AlertDelivery
from console.models.archives import StoredFile
from console.models.jobs import JobRun
from console.services.archives import files
from console.services.archives.files import Content
from console.services.audit import record as audit
from console.services.jobs import runs, strip
from console.services.jobs.runs import Run

READ = ("admins:manage", "governance:read")
TYPE = "ops_runbook"
DETAIL = (
    *("overall_status", "check_count", "warning_count", "critical_count"),
    *("alert_level", "alert_attempted", "alert_dispatched", "alert_error", "alert_channels"),
    *("security_posture", "mttr_slo_check", "summary", "archive"),
)
# What a run answers besides; the stored check has the same keys (API contract, known defect 49).
BESIDES = ("checked_at", "alert_delivery_ids", "remediation", "failing_since")


@dataclass(frozen=True)
class ArchiveRow:
    """One stored daily check in the archive; the fields up to `archive_error` are published first.

    `archive_error` says what is wrong with its files, also what became wrong since; `archive_state` is the worst word
    of `console/domain/archives` for them, `pruned` once their time is over and `none` when there never were any.
    """

    run_id: int
    finished_at: datetime
    trigger: str
    status: str
    overall_status: str | None
    check_count: int
    warning_count: int
    critical_count: int
    alert_level: str | None
    alert_attempted: bool
    alert_dispatched: bool
    archive_json_file: str | None
    archive_csv_file: str | None
    archive_error: str | None
    archive_state: str
    alert_error: str | None


@dataclass(frozen=True)
class Archive:
    """Stored checks, newest first, and how many there are under the same filter."""

    generated_at: datetime
    job_name: str
    limit: int
    count: int
    rows: tuple[ArchiveRow, ...]
    total: Annotated[int, Fact(published=False)]


CSV_COLUMNS = columns_of(
    *("run_id", "finished_at", "trigger", "status", "overall_status", "check_count", "warning_count"),
    *("critical_count", "alert_level", "alert_attempted", "alert_dispatched"),
    *("archive_json_file", "archive_csv_file", "archive_error"),
)


def newest(ctx: Context) -> Run | None:
    """Return the newest daily check that did its work, or None; the permission is the caller's to check."""
    return runs.last_executed(ctx, job_names.DAILY_CHECK)


def failing_since(run: Run | None) -> dict[str, Since]:
    """Return since which run each check fails that failed in this one; none before the first run.

    What an older release stored does not say so: then it is since that very run, at least.
    """
    if run is None or run.finished_at is None:
        return {}
    known: Mapping[str, Mapping[str, Any]] | None = run.detail.get("failing_since")
    if known is None:
        failing = (str(one.get("id")) for one in run.detail.get("checks", ()) if one.get("status") != OK)
        return dict.fromkeys(failing, Since(run.id, run.finished_at))
    return {name: Since(int(one["run_id"]), datetime.fromisoformat(str(one["at"]))) for name, one in known.items()}


def delivered(ctx: Context, ids: Sequence[int]) -> dict[int, tuple[str, bool, str | None]]:
    """Return what became of these deliveries by now: masked channel, whether a receiver took it, and the error."""
    if not ids:
        return {}
    rows = ctx.session.execute(
        select(AlertDelivery.id, AlertDelivery.target, AlertDelivery.status, AlertDelivery.error)
        .where(AlertDelivery.id.in_(ids))
        .order_by(AlertDelivery.id)
    )
    return {row.id: (row.target, row.status == SUCCESS, row.error) for row in rows}


def told(ctx: Context, run: Run) -> AlertOutcome:
    """Return what became of the alert of a run by now: the outbox may have sent later what failed at first."""
    stored = run.detail
    outcome = AlertOutcome(
        str(stored.get("alert_level") or ""),
        attempted=bool(stored.get("alert_attempted")),
        dispatched=bool(stored.get("alert_dispatched")),
        error=stored.get("alert_error"),
        channels=tuple(stored.get("alert_channels") or ()),
    )
    now = delivered(ctx, stored.get("alert_delivery_ids") or ())
    return domain.outcome(outcome.level, now) if now else outcome


def latest(ctx: Context) -> Run:
    """Return the newest daily check; raises NotFound before the first."""
    ctx.actor.require(*READ)
    found = newest(ctx)
    if found is None:
        raise NotFound(f"No {job_names.DAILY_CHECK} run found")
    return found


def flat(run: Run, *, include_checks: bool = True) -> dict[str, Any]:
    """Return a stored check in the published shape of `latest`; without checks the key is absent."""
    body = {**run.header(), **{name: run.detail.get(name) for name in DETAIL}, "summary": summary_of(run)}
    body |= {"checked_at": run.finished_at} | {name: run.detail[name] for name in BESIDES if name in run.detail}
    return {**body, "checks": run.detail.get("checks", [])} if include_checks else body


def summary_of(run: Run) -> Mapping[str, Any]:
    """Return the summary of a stored check; one that was stored without it gets it from its detail."""
    stored: Mapping[str, Any] | None = run.detail.get("summary")
    if stored:
        return domain.in_order(stored)
    return domain.summary({"run_id": run.id, "trigger": run.trigger, "status": run.status}, run.detail, run.finished_at)


def archive(
    ctx: Context,
    *,
    limit: int,
    offset: int = 0,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Archive:
    """Return a page of the checks, newest first: three queries. `since` and `until` bound their end, inclusive.

    Each file is read again. Raises PermissionDenied.
    """
    ctx.actor.require(*READ)
    wanted = (*strip.kept(job_names.DAILY_CHECK), *strip.bounded(status, since, until))
    total = ctx.session.scalar(select(func.count()).select_from(JobRun).where(*wanted)) or 0
    rows = _archived(ctx, wanted, limit, offset)
    return Archive(ctx.now(), job_names.DAILY_CHECK, limit, len(rows), rows, total)


def newest_rows(ctx: Context, limit: int) -> tuple[ArchiveRow, ...]:
    """Return the newest checks with what became of their files: two queries; raises PermissionDenied."""
    ctx.actor.require(*READ)
    return _archived(ctx, strip.kept(job_names.DAILY_CHECK), limit, 0)


def _archived(ctx: Context, wanted: Sequence[ColumnElement[bool]], limit: int, offset: int) -> tuple[ArchiveRow, ...]:
    detail = JobRun.detail_json
    found = ctx.session.execute(
        select(
            JobRun.id,
            JobRun.finished_at,
            JobRun.trigger,
            JobRun.status,
            detail["overall_status"].as_string().label("overall_status"),
            detail["check_count"].as_integer().label("check_count"),
            detail["warning_count"].as_integer().label("warning_count"),
            detail["critical_count"].as_integer().label("critical_count"),
            detail["alert_level"].as_string().label("alert_level"),
            detail["alert_attempted"].as_boolean().label("alert_attempted"),
            detail["alert_dispatched"].as_boolean().label("alert_dispatched"),
            detail["alert_error"].as_string().label("alert_error"),
            detail["archive"]["json_file"].as_string().label("json_file"),
            detail["archive"]["csv_file"].as_string().label("csv_file"),
            detail["archive"]["error"].as_string().label("error"),
        )
        .where(*wanted)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()
    states = _states(ctx, [row.id for row in found])
    return tuple(_row(row, states.get(row.id, {})) for row in found)


def _states(ctx: Context, run_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return what became of the files of each run, by the name of the file."""
    stored = ctx.session.execute(
        select(StoredFile.run_id, StoredFile.name, StoredFile.sha256, StoredFile.filed).where(
            StoredFile.kind == DAILY_CHECK.key, StoredFile.run_id.in_(run_ids)
        )
    )
    made: dict[int, dict[str, str]] = {}
    for row in stored:
        state = files.state_of(ctx, DAILY_CHECK.key, row.name, row.sha256, filed=row.filed)
        made.setdefault(row.run_id, {})[row.name] = state
    return made


def _row(row: Any, states: Mapping[str, str]) -> ArchiveRow:
    named = [name for name in (row.json_file, row.csv_file) if name]
    seen = {name: states.get(name, domain.PRUNED) for name in named}
    faults = [f"{name}: {state}" for name, state in seen.items() if state in archive_rules.FAULTS]
    return ArchiveRow(
        run_id=row.id,
        finished_at=row.finished_at,
        trigger=row.trigger,
        status=row.status,
        overall_status=row.overall_status,
        check_count=row.check_count or 0,
        warning_count=row.warning_count or 0,
        critical_count=row.critical_count or 0,
        alert_level=row.alert_level,
        alert_attempted=bool(row.alert_attempted),
        alert_dispatched=bool(row.alert_dispatched),
        archive_json_file=row.json_file,
        archive_csv_file=row.csv_file,
        archive_error="; ".join([*filter(None, (row.error,)), *faults]) or None,
        archive_state=domain.archive_state(tuple(seen.values()) or tuple(states.values())),
        alert_error=row.alert_error,
    )


def content(ctx: Context, run_id: int, suffix: str) -> Content:
    """Return the JSON or CSV file (`suffix`) of a stored check, byte by byte as it was written.

    Raises NotFound when there is none any more, and Gone when no copy is what was stored.
    """
    ctx.actor.require(*READ)
    found = ctx.session.scalars(
        select(StoredFile.id).where(
            StoredFile.kind == DAILY_CHECK.key, StoredFile.run_id == run_id, StoredFile.name.endswith(f".{suffix}")
        )
    ).first()
    made = files.content_of(ctx, found or 0, DAILY_CHECK)
    audit.record(ctx, "ops_runbook_daily_check_file_export", TYPE, run_id, detail={"file": made.name})
    return made
