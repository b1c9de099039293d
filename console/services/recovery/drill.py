"""The recovery drill: a sealed backup is made, opened again, restored beside the installation and compared.

The long work happens outside of any transaction of the run: other people go on writing, and the copy is of one moment
all the same.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import structlog
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from console.adapters import database_copy, database_scratch
from console.adapters.copy_error import CopyError
from console.adapters.sealed_file import SealKey
from console.core.context import Context
from console.domain.jobs.runs import Outcome
from console.domain.recovery import drill as rules
from console.domain.recovery.tables import TableResult, compare, differing
from console.domain.text import T, Text
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.backup import backup as copies
from console.services.backup import sealed
from console.services.backup.backup import Backup
from console.services.backup.keys import backup_key
from console.services.evidence import store
from console.services.jobs.progress import current, progress
from console.services.recovery import copies as kept
from console.services.recovery import proof

log = structlog.get_logger(__name__)

MANAGE = "admins:manage"
WORK = ".drill-"
# Folders and scratch databases of drills that were killed are taken away after this long.
LEFT_AFTER = timedelta(hours=6)
_STEPS = 5


@dataclass
class _Report:
    """The detail of the run while it grows; the first nine fields are published (API contract, DR rehearsal)."""

    enabled: bool
    backup_path: str
    retention_days: int
    counts: dict[str, int] = field(default_factory=dict)
    backup_file: str | None = None
    restore_valid: bool = False
    simulate_restore: bool = True
    pruned_files: int = 0
    notes: list[str] = field(default_factory=list)
    note_texts: list[dict[str, Any]] = field(default_factory=list)
    cause: str | None = None
    database: str | None = None
    method: str | None = None
    schema_revision: str | None = None
    made_at: datetime | None = None
    size_bytes: int | None = None
    backup_sha256: str | None = None
    key_id: str | None = None
    table_count: int = 0
    differing_count: int = 0
    tables: list[dict[str, Any]] = field(default_factory=list)
    evidence: dict[str, Any] | None = None
    backup_seconds: float | None = None
    recovery_seconds: float | None = None
    newest_row_at: datetime | None = None
    newest_table: str | None = None
    possible_loss_seconds: int | None = None

    def note(self, said: Text) -> None:
        self.notes.append(str(said))
        self.note_texts.append(said.as_dict())


def rehearse(ctx: Context, *, restore_check: bool = True) -> Outcome:
    """Make a backup, restore it into a scratch database and compare; returns the run's detail and status.

    Whatever goes wrong is part of the result, so that a failed drill is a run that says why. Raises PermissionDenied,
    and what stops a run from outside.
    """
    ctx.actor.require(MANAGE)
    config = ctx.config
    report = _Report(
        enabled=config["DR_REHEARSAL_ENABLED"],
        backup_path=str(config.path("DR_REHEARSAL_BACKUP_PATH")),
        retention_days=config["DR_REHEARSAL_RETENTION_DAYS"],
        simulate_restore=restore_check,
    )
    raised = False
    if report.enabled:
        try:
            _Drill(ctx, report, restore_check=restore_check).run()
        except (CopyError, OSError, SQLAlchemyError) as error:
            raised = True
            _tell(report, error)
    else:
        report.note(T("Recovery drills are switched off: DR_REHEARSAL_ENABLED."))
    status = rules.status_of(enabled=report.enabled, raised=raised, checked=restore_check, valid=report.restore_valid)
    detail = asdict(report)
    ctx.begin_write()
    run = current(ctx)
    audit.record(
        ctx,
        "ops_dr_rehearsal_run",
        "ops_dr",
        run.run_id if run else "none",
        status=status,
        detail={
            name: detail[name]
            for name in ("backup_file", "backup_sha256", "restore_valid", "simulate_restore", "method", "cause")
        },
    )
    return Outcome(detail, status)


def _tell(report: _Report, error: Exception) -> None:
    report.restore_valid = False
    if isinstance(error, CopyError):
        report.cause = error.code
        report.note(error.said)
    elif isinstance(error, OSError):
        told = copies.not_written(error)
        report.cause = told.code
        report.note(told.said)
    else:
        report.cause = "database"
        report.note(T("The database cannot be read: %(reason)s.", reason=type(error).__name__))
    log.error("drill_failed", cause=report.cause, error=type(error).__name__, exc_info=error)


def _unless_recorded(ctx: Context, run_id: int, path: Path) -> None:
    """Take a backup back whose run was undone; a COMMIT whose answer got lost may have taken place, so it is looked."""
    try:
        detail = ctx.session.scalar(select(JobRun.detail_json).where(JobRun.id == run_id))
        ctx.session.rollback()
    except SQLAlchemyError as error:
        log.warning("backup_left", file=path.name, error=type(error).__name__)
        return
    if not (detail or {}).get("backup_file"):
        path.unlink(missing_ok=True)


class _Drill:
    """The steps of one drill, each of them outside of any transaction."""

    def __init__(self, ctx: Context, report: _Report, *, restore_check: bool) -> None:
        self._ctx, self._report, self._restore_check = ctx, report, restore_check
        self._engine = cast("Engine", ctx.session.get_bind())
        run = current(ctx)
        self._run_id = run.run_id if run else 0
        self._now = ctx.now()
        self._folder = ctx.config.path("DR_REHEARSAL_BACKUP_PATH")

    def run(self) -> None:
        ctx, report = self._ctx, self._report
        key = backup_key(ctx.config)
        report.key_id, report.made_at = key.id, self._now
        report.database = self._engine.dialect.name
        portable = self._portable()
        ids = proof.sample(ctx, self._run_id)
        ctx.session.rollback()
        with self._workshop() as work:
            began = time.monotonic()
            made, sources = self._copy(work / "copy", ids, portable=portable)
            file = self._seal(made, key, work)
            report.backup_seconds = round(time.monotonic() - began, 3)
            shutil.rmtree(made.folder)
            if self._restore_check:
                self._prove(made, file, key, ids, sources, work / "restored")
        if not ctx.dry_run:
            self._prune()

    def _portable(self) -> bool:
        """Return whether the table dump is the one that can be tried here, and say why."""
        url = self._engine.url
        database_scratch.drop_left_behind(url, self._now - LEFT_AFTER)
        if database_copy.is_sqlite(url):
            return False
        if shutil.which("pg_dump") is None or shutil.which("pg_restore") is None:
            self._report.note(T("pg_dump and pg_restore are not installed here: the tables were dumped one by one."))
            return True
        if self._restore_check and not database_scratch.may_make_databases(url):
            self._report.note(
                T(
                    "The role of the database may not create databases (CREATEDB), so a dump of pg_dump cannot be "
                    "tried: the tables were dumped one by one and tried in a schema of their own."
                )
            )
            return True
        return False

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Return a folder on the disk of the backups that is gone at the end; what killed drills left goes as well."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.glob(f"{WORK}*"):
            if left.stat().st_mtime < self._now.timestamp() - LEFT_AFTER.total_seconds():
                shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=WORK, dir=self._folder) as name:
            yield Path(name)

    def _copy(self, folder: Path, ids: tuple[int, ...], *, portable: bool) -> tuple[Backup, dict[str, Path]]:
        root = store.root(self._ctx.config)
        files: dict[str, Path] = {}

        def evidence() -> Iterator[Path]:
            for path in proof.files_of(self._ctx, ids):
                files[path.relative_to(root.resolve()).as_posix()] = path
            # The reading transaction must not stay open while the rest is done.
            self._ctx.session.rollback()
            return iter(root / key for key in files)

        made = copies.make(
            self._ctx.config,
            self._engine,
            folder,
            self._now,
            evidence=evidence,
            portable=portable,
            told=self._step(0, T("Copying the database")),
        )
        report = self._report
        report.method, report.schema_revision = made.method, made.schema
        report.counts = {one.name: one.rows for one in made.tables}
        report.table_count = len(made.tables)
        return made, files

    def _seal(self, made: Backup, key: SealKey, work: Path) -> Path:
        target = work if self._ctx.dry_run else self._folder
        target /= rules.file_name(self._now, self._run_id)
        # A drill that is stopped, or whose run was taken away, leaves no backup that no run tells of.
        self._ctx.on_rollback(lambda: _unless_recorded(self._ctx, self._run_id, target))
        told = self._step(1, T("Sealing the backup"))
        done = sealed.pack(made.folder, target, key, self._now, lambda part, whole: told("", part, whole))
        if not self._ctx.dry_run:
            self._report.backup_file = str(target)
        self._report.size_bytes, self._report.backup_sha256 = done.size, done.sha256
        return target

    def _prove(
        self, made: Backup, file: Path, key: SealKey, ids: tuple[int, ...], sources: dict[str, Path], folder: Path
    ) -> None:
        report, began = self._report, time.monotonic()
        self._step(2, T("Opening the backup"))("", 0, 1)
        folder.mkdir()
        found = sealed.unpack(file, folder, key, sha256=report.backup_sha256)
        self._step(3, T("Restoring into an empty database"))("", 0, 1)
        with database_scratch.restored(self._engine.url, folder, found.database, found.method, self._now) as scratch:
            results = compare(made.tables, scratch.facts(self._step(4, T("Comparing the tables"))))
            report.recovery_seconds = round(time.monotonic() - began, 3)
            with proof.opened(scratch) as engine:
                newest = proof.newest_row(engine, self._now)
                shown = proof.evidence(engine, ids, folder / copies.EVIDENCE, sources)
        self._judge(results, shown)
        report.newest_row_at, report.newest_table = newest.at, newest.table
        loss = rules.possible_loss(newest.at, self._now)
        report.possible_loss_seconds = int(loss.total_seconds()) if loss is not None else None

    def _judge(self, results: tuple[TableResult, ...], shown: proof.EvidenceProof) -> None:
        report, wrong = self._report, differing(results)
        report.tables = [asdict(one) for one in results]
        report.differing_count = len(wrong)
        report.evidence = asdict(shown)
        if wrong:
            names = ", ".join(one.name for one in wrong[:5])
            report.cause = "differs"
            report.note(T("%(count)s tables of the restored copy differ: %(names)s.", count=len(wrong), names=names))
        if shown.broken:
            report.cause = report.cause or "evidence"
            report.note(
                T("%(count)s evidence files of the restored copy cannot be opened whole.", count=len(shown.broken))
            )
        report.restore_valid = not wrong and not shown.broken

    def _prune(self) -> None:
        """Remove what is older than the retention, but never the newest backup that was proven and is still whole."""
        names = [path.name for path in self._folder.glob("dr-rehearsal-*.backup")]
        keep = {Path(self._report.backup_file or "").name}
        if not self._report.restore_valid:
            keep |= set(kept.worth_keeping(self._ctx))
            self._ctx.session.rollback()
        for name in rules.outdated(names, keep=keep, now=self._now, retention_days=self._report.retention_days):
            (self._folder / name).unlink(missing_ok=True)
            self._report.pruned_files += 1

    def _step(self, number: int, said: Text) -> Callable[[str, int, int], None]:
        """Return what reports the progress of one of the steps, as hundredths of the whole."""

        def told(_name: str, done: int, total: int) -> None:
            part = done / total if total else 0
            progress(self._ctx, int(100 * (number + part) / _STEPS), 100, said)

        return told
