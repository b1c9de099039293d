"""Old deliveries: written to an archive that was read again, then taken away (API contract, retention)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, select

from console.core.context import Context
from console.core.database import dump_json
from console.core.serialize import csv_line
from console.domain.archives.archives import ALERT_RETENTION, INTACT
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.models.alerts import AlertDelivery
from console.services.alerts import outbox, personal_messages
from console.services.archives import files
from console.services.archives.files import Made
from console.services.audit import record as audit
from console.services.jobs import progress, runs
from console.services.jobs.runs import Run

READ = outbox.READ
HEADER = (
    *("id", "event_type", "target", "status", "error", "attempt_count"),
    *("last_attempt_at", "created_at", "updated_at", "payload_json"),
)
MAX_DAYS, MAX_DELETE = 3650, 50_000
CHUNK = 500


@dataclass(frozen=True)
class Policy:
    """What the settings say of old deliveries (API contract, retention policy)."""

    retention_days: int
    max_delete: int
    archive_enabled: bool
    archive_path: str


@dataclass(frozen=True)
class Retained:
    """What one run did; `archive_file` is the name of what was written before anything was taken away."""

    checked_at: datetime
    retention_days: int
    max_delete: int
    dry_run: bool
    write_archive: bool
    cutoff: datetime
    candidate_count: int
    deleted_count: int
    archive_file: str | None
    archive_error: str | None
    candidate_ids: tuple[int, ...]


def policy(ctx: Context) -> Policy:
    """Return what the settings say; raises PermissionDenied."""
    ctx.actor.require(*READ)
    config = ctx.config
    audit.viewed(ctx, "ops_alert_retention_policy_view", "alert_delivery", "policy")
    return Policy(
        retention_days=config["ALERT_RETENTION_DAYS"],
        max_delete=config["ALERT_RETENTION_MAX_DELETE"],
        archive_enabled=config["ALERT_RETENTION_ARCHIVE_ENABLED"],
        archive_path=str(config["ALERT_RETENTION_ARCHIVE_PATH"]),
    )


def old(cutoff: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a delivery one that may go: its last attempt is long ago, and none is to come."""
    return AlertDelivery.last_attempt_at < cutoff, AlertDelivery.next_attempt_at.is_(None)


def retain(ctx: Context, *, days: int | None, most: int | None, write_archive: bool | None) -> Outcome:
    """Take away what is old, oldest first; without its archive nothing goes: the work of one run."""
    days = days or ctx.config["ALERT_RETENTION_DAYS"]
    most = most or ctx.config["ALERT_RETENTION_MAX_DELETE"]
    archived = ctx.config["ALERT_RETENTION_ARCHIVE_ENABLED"] if write_archive is None else write_archive
    now = ctx.now()
    cutoff = now - timedelta(days=days)
    ids = tuple(
        ctx.session.scalars(
            select(AlertDelivery.id)
            .where(*old(cutoff))
            .order_by(AlertDelivery.last_attempt_at, AlertDelivery.id)
            .limit(most)
        )
    )
    name, error, deleted = None, None, 0
    if ids and not ctx.dry_run:
        if archived:
            name, error = _archive(ctx, ids, now)
        if error is None:
            deleted = _delete(ctx, ids, cutoff)
    if not ctx.dry_run:
        personal_messages.forget(ctx, cutoff)
    made = Retained(
        checked_at=now,
        retention_days=days,
        max_delete=most,
        dry_run=ctx.dry_run,
        write_archive=archived,
        cutoff=cutoff,
        candidate_count=len(ids),
        deleted_count=deleted,
        archive_file=name,
        archive_error=error,
        candidate_ids=ids[:200],
    )
    return Outcome(asdict(made), "warning" if error else "success")


def _archive(ctx: Context, ids: tuple[int, ...], now: datetime) -> tuple[str | None, str | None]:
    """Write these deliveries to a file and read it again; returns its name, or what went wrong."""
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    name = f"{ALERT_RETENTION.prefix}{stamp}-{min(ids)}-{max(ids)}.csv"
    content = "".join(_lines(ctx, ids)).encode()
    run = progress.current(ctx)
    made = Made(name, content, "text/csv; charset=utf-8")
    kept = files.keep(ctx, ALERT_RETENTION, [made], run_id=run.run_id if run else None, label=stamp, enabled=True)
    if kept.error is None:
        state = files.state_of(ctx, ALERT_RETENTION.key, name, files.sha256_of(content), filed=name in kept.filed)
        return (name, None) if state == INTACT else (None, f"archive is {state}")
    return None, kept.error


def _lines(ctx: Context, ids: tuple[int, ...]) -> Iterator[str]:
    yield csv_line(HEADER)
    for start in range(0, len(ids), CHUNK):
        rows = ctx.session.scalars(
            select(AlertDelivery)
            .where(AlertDelivery.id.in_(ids[start : start + CHUNK]))
            .order_by(AlertDelivery.last_attempt_at, AlertDelivery.id)
        ).all()
        for row in rows:
            yield csv_line([*(getattr(row, key) for key in HEADER[:-1]), dump_json(row.payload_json)])
            ctx.session.expunge(row)


def _delete(ctx: Context, ids: tuple[int, ...], cutoff: datetime) -> int:
    gone = 0
    for start in range(0, len(ids), CHUNK):
        statement = delete(AlertDelivery).where(AlertDelivery.id.in_(ids[start : start + CHUNK]), *old(cutoff))
        gone += runs.changed(ctx, statement)
    return gone


def candidates(now: datetime, days: int) -> ScalarSelect[int]:
    """Return how many deliveries may go, as a part of a statement."""
    return select(func.count()).where(*old(now - timedelta(days=days))).scalar_subquery()


def latest(ctx: Context) -> Run:
    """Return the newest run that did its work; raises PermissionDenied, and NotFound before the first."""
    ctx.actor.require(*READ)
    found = runs.last_executed(ctx, job_names.ALERT_RETENTION, dry_run=None)
    if found is None:
        raise NotFound(f"No {job_names.ALERT_RETENTION} run found")
    return found
