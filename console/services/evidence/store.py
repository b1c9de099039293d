"""Where the bytes of evidence live: files under one folder, or pieces in the database. Rows say which.

Only `evidence` and its jobs use this; nobody else opens these files.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import IO, BinaryIO

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from console.core.config import Config
from console.core.context import Context
from console.domain.errors import BadRequest, Gone, StoreUnavailable, TooLarge
from console.domain.evidence import evidence as rules
from console.models.evidence import EvidenceChunk, EvidenceFile, EvidenceThumbnail

log = structlog.get_logger(__name__)

PIECE = 256 * 1024
INCOMING = ".incoming"
SET_ASIDE = ".set-aside"


@dataclass
class Staged:
    """A complete upload that is not kept yet: its open file, its size and hash; `path` is None without a name."""

    content: BinaryIO
    size: int
    sha256: str
    path: Path | None


def backend(config: Config) -> str:
    """Return the backend for new files: `fs` by its three names, anything else is `db`."""
    word = str(config["EVIDENCE_STORAGE_BACKEND"]).strip().lower()
    return rules.FS if word in ("fs", "filesystem", "file") else rules.DB


def root(config: Config) -> Path:
    """Return the folder of the files."""
    return config.path("EVIDENCE_STORAGE_PATH")


def path_of(config: Config, key: str | None) -> Path | None:
    """Return the path of a storage key, or None for a key that leads out of the folder (path guard)."""
    parts = rules.key_parts(key)
    if parts is None:
        return None
    folder = root(config).resolve()
    path = folder.joinpath(*parts).resolve()
    return path if path.is_relative_to(folder) and path != folder else None


@contextmanager
def staged(config: Config, stream: BinaryIO, limit: int = rules.MAX_BYTES) -> Iterator[Staged]:
    """Copy an upload to a file nobody sees yet, counting and hashing; at the end it is gone unless it was kept.

    Raises BadRequest for an empty one, TooLarge above `limit` bytes, StoreUnavailable when it cannot be written.
    """
    with ExitStack() as stack:
        try:
            content, path = _new_file(config, stack)
            size, found = _copy(stream, content, limit)
        except OSError as error:
            raise _unavailable(error) from error
        yield Staged(content, size, found, path)


def _new_file(config: Config, stack: ExitStack) -> tuple[BinaryIO, Path | None]:
    if backend(config) == rules.DB:
        return stack.enter_context(tempfile.TemporaryFile()), None
    folder = root(config) / INCOMING
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{token_hex(16)}.part"
    stack.callback(path.unlink, missing_ok=True)
    # Unbuffered: closing must not try once more to write to a disk that is full.
    return stack.enter_context(path.open("xb+", buffering=0)), path


def _copy(stream: BinaryIO, content: BinaryIO, limit: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := stream.read(PIECE):
        size += len(piece)
        if size > limit:
            raise TooLarge(rules.TOO_LARGE, told=rules.TOO_LARGE_TOLD)
        digest.update(piece)
        _write(content, piece)
    if not size:
        raise BadRequest(rules.EMPTY, code="empty_file", told=rules.EMPTY_TOLD)
    return size, digest.hexdigest()


def _write(content: BinaryIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[content.write(rest) :]


def rewrite(upload: Staged, data: bytes) -> None:
    """Put other bytes in the place of a staged upload; raises StoreUnavailable when they cannot be written."""
    try:
        upload.content.seek(0)
        upload.content.truncate()
        _write(upload.content, data)
    except OSError as error:
        raise _unavailable(error) from error
    upload.size, upload.sha256 = len(data), hashlib.sha256(data).hexdigest()


def read(content: BinaryIO, most: int) -> bytes:
    """Read from where a stream stands, at most so many bytes; unbuffered files give less than they are asked for."""
    made = bytearray()
    while len(made) < most and (piece := content.read(most - len(made))):
        made += piece
    return bytes(made)


def keep(ctx: Context, upload: Staged, row: EvidenceFile, now: datetime) -> None:
    """Keep a staged upload as the content of `row` and store the row; undone with the transaction.

    The file is complete on the disk before the row can be committed. Raises StoreUnavailable when it cannot be.
    """
    if upload.path is None:
        row.storage_backend = rules.DB
        ctx.session.add(row)
        ctx.session.flush()
        upload.content.seek(0)
        for place, piece in enumerate(iter(lambda: upload.content.read(PIECE), b"")):
            values = {"evidence_id": row.id, "place": place, "content": piece}
            ctx.session.execute(insert(EvidenceChunk).values(values))
        return
    key = rules.storage_key(now, upload.sha256, token_hex(8), row.file_name)
    path = root(ctx.config).joinpath(*key.split("/"))
    ctx.on_rollback(lambda: _unless_known(ctx, key, path))
    try:
        os.fsync(upload.content.fileno())
        path.parent.mkdir(parents=True, exist_ok=True)
        upload.path.rename(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unavailable(error) from error
    row.storage_backend, row.storage_key = rules.FS, key
    ctx.session.add(row)
    ctx.session.flush()


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _unless_known(ctx: Context, key: str, path: Path) -> None:
    """Take a file back whose row was undone.

    A COMMIT whose answer got lost may have taken place: the row is looked for, and when that cannot be done the file
    is left to the sweep, since evidence without content is worse than content without a row.
    """
    try:
        known = ctx.session.scalar(select(EvidenceFile.id).where(EvidenceFile.storage_key == key))
        ctx.session.rollback()
    except SQLAlchemyError as error:
        log.warning("evidence_left_to_sweep", key=key, error=type(error).__name__)
        return
    if known is None:
        with suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def opened(ctx: Context, row: EvidenceFile) -> Iterator[BinaryIO]:
    """Return the content of a file as a seekable stream; raises Gone when it is not there (any more)."""
    content = content_of(ctx, row)
    try:
        yield content
    finally:
        content.close()


def content_of(ctx: Context, row: EvidenceFile) -> BinaryIO:
    """Return the content of a file as an open, seekable stream that the caller closes; raises Gone when there is none.

    Reads follow the row's own backend, so that both kinds stand side by side.
    """
    if row.storage_backend == rules.FS:
        path = path_of(ctx.config, row.storage_key)
        if path is None or path.is_symlink():
            raise Gone(rules.UNAVAILABLE, told=rules.UNAVAILABLE_TOLD)
        try:
            return path.open("rb")
        except OSError as error:
            raise Gone(rules.UNAVAILABLE, told=rules.UNAVAILABLE_TOLD) from error
    return _from_database(ctx, row)


def _from_database(ctx: Context, row: EvidenceFile) -> BinaryIO:
    # On the disk: the memory of a process does not grow with its readers.
    with ExitStack() as stack:
        content = stack.enter_context(tempfile.TemporaryFile())
        wanted = select(EvidenceChunk.content).where(EvidenceChunk.evidence_id == row.id)
        place = 0
        while (piece := ctx.session.scalar(wanted.where(EvidenceChunk.place == place))) is not None:
            content.write(piece)
            place += 1
        if not place:
            raise Gone(rules.UNAVAILABLE, told=rules.UNAVAILABLE_TOLD)
        content.seek(0)
        stack.pop_all()
        return content


def put_back(ctx: Context, row: EvidenceFile, content: bytes) -> None:
    """Write a file that went missing to its place again; where that cannot be done it stays missing."""
    path = path_of(ctx.config, row.storage_key) if row.storage_backend == rules.FS else None
    if path is None or path.is_symlink():
        return
    draft = root(ctx.config) / INCOMING / token_hex(16)
    try:
        for folder in (draft.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(content)
        draft.rename(path)
    except OSError as error:
        log.warning("evidence_not_restored", key=row.storage_key, error=type(error).__name__)
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def drop(ctx: Context, row: EvidenceFile) -> None:
    """Delete the content of a row with this transaction; a file goes once it has been committed."""
    ctx.session.execute(delete(EvidenceThumbnail).where(EvidenceThumbnail.evidence_id == row.id))
    if row.storage_backend == rules.DB:
        ctx.session.execute(delete(EvidenceChunk).where(EvidenceChunk.evidence_id == row.id))
        return
    path = path_of(ctx.config, row.storage_key)
    if path is not None:
        ctx.after_commit(lambda: _unlink(path))


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # The sweep finds it: no living row names it any more.
        log.warning("evidence_not_deleted", error=type(error).__name__)


def digest(content: IO[bytes]) -> str:
    """Return the SHA-256 of a stream from its start, and leave it there again."""
    content.seek(0)
    found = hashlib.sha256()
    while piece := content.read(PIECE):
        found.update(piece)
    content.seek(0)
    return found.hexdigest()


def _unavailable(error: OSError) -> StoreUnavailable:
    log.error("evidence_storage_failed", error=type(error).__name__, number=error.errno)
    return StoreUnavailable("Evidence storage is unavailable")
