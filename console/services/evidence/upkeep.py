"""What evidence needs besides people: the scans that could not be made at once, and files that no row names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from sqlalchemy import select, update

from console.core.context import Context
from console.domain.errors import DomainError
from console.domain.evidence import evidence as rules
from console.domain.evidence.evidence import Scan
from console.domain.programme.trackers import programme as programme_of
from console.models.evidence import EvidenceFile
from console.services.audit import record as audit
from console.services.evidence import evidence
from console.services.evidence import scan as evidence_scan
from console.services.evidence import store as evidence_store
from console.services.evidence import subjects as subject_files
from console.services.evidence.subjects import Subjects
from console.services.jobs.progress import progress
from console.services.jobs.runs import changed
from console.services.tracker.store import Event

KEYS_AT_ONCE = 500


@dataclass(frozen=True)
class Scanned:
    """What became of the files that waited for the scanner."""

    scanned_count: int
    clean_count: int
    quarantined_count: int
    still_pending_count: int
    missing_count: int
    evidence_ids: tuple[int, ...]


@dataclass(frozen=True)
class Swept:
    """What the sweep found in the folder; a dry run reports the same and touches nothing."""

    seen_count: int
    set_aside_count: int
    set_aside_bytes: int
    deleted_count: int
    unfinished_count: int
    examples: tuple[str, ...]
    dry_run: bool


def scan_pending(ctx: Context, *, subjects: Subjects, limit: int = 200) -> Scanned:
    """Scan up to `limit` of the files that wait for it, oldest first; those whose content is missing hold up nobody.

    `subjects` are those that files may belong to besides items of trackers, by their word: they are told.
    What the scanner condemns is quarantined: it counts as evidence no longer and cannot be downloaded. Everything is
    read and judged before the transaction may write.
    """
    found: list[tuple[int, Scan]] = []
    missing = 0
    for row in _waiting(ctx, limit):
        if len(found) == limit:
            break
        try:
            with evidence_store.opened(ctx, row) as content:
                found.append((row.id, evidence_scan.scan(ctx.config, content, row.content_type)))
        except (DomainError, OSError):
            missing += 1
        progress(ctx, len(found) + missing)
    if not ctx.writing:
        ctx.begin_write()
    now = ctx.now()
    judged = [(key, scan) for key, scan in found if scan.status != rules.PENDING]
    settled = [(key, scan) for key, scan in judged if _settle(ctx, key, scan, now, subjects)]
    bad = [key for key, scan in settled if scan.status == rules.INFECTED]
    return Scanned(
        scanned_count=len(found),
        clean_count=len(settled) - len(bad),
        quarantined_count=len(bad),
        still_pending_count=sum(scan.status == rules.PENDING for _key, scan in found),
        missing_count=missing,
        evidence_ids=tuple(key for key, _scan in settled),
    )


def _waiting(ctx: Context, at_once: int) -> Iterator[EvidenceFile]:
    """Yield the files that wait for the scanner, oldest first."""
    last = 0
    while True:
        rows = ctx.session.scalars(
            select(EvidenceFile)
            .where(
                EvidenceFile.malware_scan_status == rules.PENDING,
                EvidenceFile.removed_at.is_(None),
                EvidenceFile.id > last,
            )
            .order_by(EvidenceFile.id)
            .limit(at_once)
        ).all()
        yield from rows
        if len(rows) < at_once:
            return
        last = rows[-1].id


def _settle(ctx: Context, evidence_id: int, scan: Scan, now: datetime, subjects: Subjects) -> bool:
    """Store a verdict unless somebody else did, or the file was removed meanwhile."""
    status = rules.QUARANTINED if scan.status == rules.INFECTED else scan.status
    statement = update(EvidenceFile).where(
        EvidenceFile.id == evidence_id,
        EvidenceFile.malware_scan_status == rules.PENDING,
        EvidenceFile.removed_at.is_(None),
    )
    values = {
        "malware_scan_status": status,
        "malware_scan_engine": scan.engine,
        "malware_scan_reason": scan.reason,
        "malware_scanned_at": now,
    }
    if changed(ctx, statement.values(**values)) != 1:
        return False
    row = ctx.session.get_one(EvidenceFile, evidence_id, populate_existing=True)
    if status == rules.QUARANTINED and row.module in subjects:
        subject_files.quarantined(ctx, subjects[row.module], row)
    programme = programme_of(row.module)
    if status == rules.QUARANTINED and programme is not None:
        event = Event("evidence_quarantined", {}, {"text": f"{row.file_name}: {scan.reason}"})
        evidence.noted(ctx, programme, row, now, event, rules.REMOVED, -1)
        audit.record(
            ctx,
            f"{programme.audit_prefix}_evidence_quarantine",
            programme.evidence_resource,
            row.id,
            status="warning",
            detail={"site": row.site, "file_name": row.file_name, "sha256": row.sha256, "scan_reason": scan.reason},
        )
    return True


def sweep(ctx: Context, *, grace_hours: int = 24, keep_days: int = 30, limit: int = 10_000) -> Swept:
    """Set files aside that no living row names, and delete those that lie there for more than `keep_days`.

    Younger files than `grace_hours` are left alone: their row may be on its way. Nothing is deleted at once, since a
    sweep that looks at the wrong database would otherwise delete everything.
    """
    dry_run, now = ctx.dry_run, ctx.now()
    folder = evidence_store.root(ctx.config)
    seen, orphans = 0, []
    walk = _files(folder, before=now - timedelta(hours=grace_hours))
    while paths := list(islice(walk, KEYS_AT_ONCE)):
        seen += len(paths)
        named = _named(ctx, [path.relative_to(folder).as_posix() for path in paths])
        orphans += [path for path in paths if path.relative_to(folder).as_posix() not in named]
        progress(ctx, seen)
        if len(orphans) >= limit:
            break
    orphans = orphans[:limit]
    size = sum(_size(path) for path in orphans)
    if not dry_run:
        for path in orphans:
            _set_aside(folder, path, now)
    old = list(_old(folder / evidence_store.SET_ASIDE, before=now - timedelta(days=keep_days)))
    unfinished = list(_old(folder / evidence_store.INCOMING, before=now - timedelta(hours=grace_hours)))
    if not dry_run:
        _delete([*old, *unfinished])
    examples = tuple(path.relative_to(folder).as_posix() for path in orphans[:20])
    return Swept(seen, len(orphans), size, len(old), len(unfinished), examples, dry_run)


def _named(ctx: Context, keys: list[str]) -> set[str]:
    living = EvidenceFile.removed_at.is_(None)
    wanted = select(EvidenceFile.storage_key).where(EvidenceFile.storage_key.in_(keys), living)
    return {key for key in ctx.session.scalars(wanted) if key is not None}


def _files(folder: Path, *, before: datetime) -> Iterator[Path]:
    """Walk the day folders of the storage, in order; what has another name is nobody's business here."""
    for parent, folders, names in os.walk(folder):
        top = Path(parent) == folder
        folders[:] = sorted(name for name in folders if name.isdigit())
        for name in () if top else sorted(names):
            path = Path(parent) / name
            if not path.is_symlink() and _changed_at(path) < before:
                yield path


def _old(folder: Path, *, before: datetime) -> Iterator[Path]:
    for parent, _folders, names in os.walk(folder):
        yield from (path for name in names if _changed_at(path := Path(parent) / name) < before)


def _changed_at(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    except OSError:
        # Gone while we looked: as young as can be.
        return datetime.max.replace(tzinfo=UTC)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _set_aside(folder: Path, path: Path, now: datetime) -> None:
    """Move a file out of the way; its time from now on is when it was set aside."""
    target = folder / evidence_store.SET_ASIDE / path.relative_to(folder).as_posix().replace("/", "-")
    with suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        os.utime(target, (now.timestamp(), now.timestamp()))


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
