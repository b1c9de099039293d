"""Archives of runs: kept in the folder of their kind and beside their run, judged by their hash, pruned by their age.

The copy in the database is written with the run, so that it is there whatever becomes of a disk; the file in the folder
is for people and programs that read it there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError

from console.core.context import Context
from console.domain.archives import archives as rules
from console.domain.archives.archives import KINDS, ArchiveKind
from console.domain.errors import Gone, NotFound
from console.domain.text import T
from console.models.archives import StoredFile

log = structlog.get_logger(__name__)

PIECE = 256 * 1024


@dataclass(frozen=True)
class Made:
    """A file as a run made it."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Kept:
    """What became of the files of a run: the names of those in the folder, how many old ones went, what failed."""

    enabled: bool
    path: str
    retention_days: int
    filed: tuple[str, ...]
    pruned_files: int
    error: str | None


@dataclass(frozen=True)
class Content:
    """An archive to be handed out; its bytes are those that the run wrote."""

    name: str
    content: bytes
    media_type: str


def keep(
    ctx: Context,
    kind: ArchiveKind,
    made: Sequence[Made],
    *,
    run_id: int | None,
    label: str,
    enabled: bool | None = None,
) -> Kept:
    """Store the files of a run and prune what is too old; a folder that fails only fills `error`.

    `enabled` says for this run whether files go to the folder, otherwise the settings do. Undone with the transaction.
    A dry run keeps and prunes nothing.
    """
    enabled = bool(ctx.config[kind.enabled]) if enabled is None else enabled
    days = int(ctx.config[kind.retention])
    folder = ctx.config.path(kind.path)
    if ctx.dry_run:
        return Kept(enabled, str(folder), days, (), 0, None)
    pruned, error = _prune(ctx, kind, folder, ctx.now() - timedelta(days=days))
    filed: list[str] = []
    if enabled and error is None:
        filed, error = _file(ctx, folder, made)
    for one in made:
        ctx.session.add(
            StoredFile(
                kind=kind.key,
                run_id=run_id,
                label=label,
                name=one.name,
                media_type=one.media_type,
                size=len(one.content),
                sha256=sha256_of(one.content),
                filed=one.name in filed,
                created_at=ctx.now(),
                content=one.content,
            )
        )
    ctx.session.flush()
    return Kept(enabled, str(folder), days, tuple(filed), pruned, error)


def _file(ctx: Context, folder: Path, made: Sequence[Made]) -> tuple[list[str], str | None]:
    filed: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in made:
            _write(folder / one.name, one.content)
            filed.append(one.name)
            _undo_with(ctx, folder / one.name)
    except OSError as error:
        log.warning("archive_not_written", error=type(error).__name__, number=error.errno)
        return filed, error.strerror or type(error).__name__
    return filed, None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _undo_with(ctx: Context, path: Path) -> None:
    def look() -> None:
        # A COMMIT whose answer got lost may have taken place: a file whose row is there stays.
        with suppress(SQLAlchemyError, OSError):
            known = ctx.session.scalar(select(StoredFile.id).where(StoredFile.name == path.name))
            ctx.session.rollback()
            if known is None:
                path.unlink(missing_ok=True)

    ctx.on_rollback(look)


def _prune(ctx: Context, kind: ArchiveKind, folder: Path, before: datetime) -> tuple[int, str | None]:
    """Let go of what is older than `before`: rows now, files once that is committed. Returns how many files go."""
    old = (StoredFile.kind == kind.key, StoredFile.created_at < before)
    names = set(ctx.session.scalars(select(StoredFile.name).where(*old)))
    ctx.session.execute(delete(StoredFile).where(*old), execution_options={"synchronize_session": False})
    try:
        doomed = [path for path in _archives(folder, kind) if path.name in names or _written(path) < before.timestamp()]
    except OSError as error:
        return 0, error.strerror or type(error).__name__
    ctx.after_commit(lambda: _unlink(doomed))
    return len(doomed), None


def _archives(folder: Path, kind: ArchiveKind) -> Iterable[Path]:
    return [path for path in folder.iterdir() if kind.owns(path.name)] if folder.is_dir() else []


def _written(path: Path) -> float:
    return path.lstat().st_mtime


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("archive_not_deleted", error=type(error).__name__)


def state_of(ctx: Context, kind: str, name: str, sha256: str, *, filed: bool) -> str:
    """Read the file of an archive again and return what became of it (`console/domain/archives`)."""
    if not filed or kind not in KINDS:
        return rules.UNFILED
    try:
        found = digest_of(_path(ctx, KINDS[kind], name))
    except OSError as error:
        log.info("archive_not_readable", error=type(error).__name__)
        return rules.UNREADABLE
    return rules.judge(found, sha256)


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 of a content, as it is kept beside it."""
    return hashlib.sha256(content).hexdigest()


def digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, None when there is none; a link is none. Raises OSError when it cannot be read."""
    if path.is_symlink():
        return None
    made = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                made.update(piece)
    except FileNotFoundError:
        return None
    return made.hexdigest()


def _path(ctx: Context, kind: ArchiveKind, name: str) -> Path:
    # A name from the database leads into the folder and nowhere else.
    return ctx.config.path(kind.path) / Path(name).name


def content_of(ctx: Context, file_id: int, kind: ArchiveKind) -> Content:
    """Return an archive as it was made; the caller has checked who may read it.

    Raises NotFound for one that there is not, and Gone when neither copy is what was stored.
    """
    row = ctx.session.get(StoredFile, file_id)
    if row is None or row.kind != kind.key:
        raise NotFound(T("There is no such archive"))
    content = row.content
    if content is None or hashlib.sha256(content).hexdigest() != row.sha256:
        content = _from_folder(ctx, kind, row)
    if content is None:
        raise Gone(T("The archive is not what was stored; it is not handed out"))
    return Content(row.name, content, row.media_type)


def _from_folder(ctx: Context, kind: ArchiveKind, row: StoredFile) -> bytes | None:
    with suppress(OSError):
        content = _path(ctx, kind, row.name).read_bytes()
        if hashlib.sha256(content).hexdigest() == row.sha256:
            return content
    return None
