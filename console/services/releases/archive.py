"""The file of a smoke record: written once its run has an id and a status, hashed from the disk, pruned by age."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from console.core.config import Config
from console.core.serialize import to_json

PATTERN = "deploy-smoke-*.json"
FALLBACK, NAME_LIMIT = "deploy-smoke", 80
# What lies about a record is at most this large; a larger file is another one.
READ_AT_MOST = 4 * 1024 * 1024
KEPT, CHANGED, GONE, PRUNED, NOT_KEPT = "kept", "changed", "gone", "pruned", "not_kept"


@dataclass(frozen=True)
class Archived:
    """What became of the file of a record, with the published fields in their order."""

    enabled: bool
    path: str
    retention_days: int
    json_file: str | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    pruned_files: int = 0
    error: str | None = None


def keep(config: Config, document: Mapping[str, Any], *, name: str, run_id: int, at: datetime) -> Archived:
    """Write the document of a run that ended `at` (aware UTC), remove what is too old, and tell what lies there now.

    The file appears whole or not at all, and never over another one; `sha256` is that of the bytes read back. Never
    raises for what the disk does: `error` says it.
    """
    root, days = config.path("DEPLOY_SMOKE_ARCHIVE_PATH"), config["DEPLOY_SMOKE_ARCHIVE_RETENTION_DAYS"]
    if not config["DEPLOY_SMOKE_ARCHIVE_ENABLED"]:
        return Archived(enabled=False, path=str(root), retention_days=days)
    moment = at.astimezone(UTC)
    stem = f"deploy-smoke-{moment:%Y%m%dT%H%M%SZ}-{safe_name(name)}-{run_id}"
    try:
        target = _placed(root / f"{moment:%Y}" / f"{moment:%m}", stem, (to_json(document) + "\n").encode())
        content = target.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Archived(enabled=True, path=str(root), retention_days=days, error=reason)
    return Archived(
        enabled=True,
        path=str(root),
        retention_days=days,
        json_file=target.relative_to(root).as_posix(),
        sha256=sha256(content).hexdigest(),
        size_bytes=len(content),
        pruned_files=prune(root, older_than=at - timedelta(days=days)),
    )


def remove(config: Config, kept: Archived) -> None:
    """Take back the file of a record that was not kept after all."""
    if kept.json_file:
        with suppress(OSError):
            (config.path("DEPLOY_SMOKE_ARCHIVE_PATH") / kept.json_file).unlink(missing_ok=True)


def safe_name(text: str) -> str:
    """Return a deploy id as a part of a file name: at most 80 letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-._")[:NAME_LIMIT] or FALLBACK


def prune(root: Path, *, older_than: datetime) -> int:
    """Remove the files of records below `root` that were last written before an instant; returns how many."""
    removed = 0
    for path in root.rglob(PATTERN):
        with suppress(OSError):
            seen = path.lstat()
            if stat.S_ISREG(seen.st_mode) and seen.st_mtime < older_than.timestamp():
                path.unlink()
                removed += 1
    return removed


def state_of(config: Config, stored: Mapping[str, Any], *, at: datetime, now: datetime) -> str:
    """Look at the file of a record made `at`: kept, changed, gone, pruned (gone, and old enough), or never kept."""
    name = stored.get("json_file")
    if not name:
        return NOT_KEPT
    root = config.path("DEPLOY_SMOKE_ARCHIVE_PATH")
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        return CHANGED
    try:
        with path.open("rb") as file:
            content = file.read(READ_AT_MOST)
    except OSError:
        return PRUNED if now - at > timedelta(days=config["DEPLOY_SMOKE_ARCHIVE_RETENTION_DAYS"]) else GONE
    return KEPT if sha256(content).hexdigest() == stored.get("sha256") else CHANGED


def _placed(folder: Path, stem: str, content: bytes) -> Path:
    """Write a file whole, with a number behind its name when another one has that already; returns where it lies."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{stem}.{token_hex(8)}"
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        for number in count(1):
            path = folder / (f"{stem}.json" if number == 1 else f"{stem}-{number}.json")
            # After a restore run ids are given again; a link never replaces what is there.
            with suppress(FileExistsError):
                os.link(draft, path)
                return path
        raise AssertionError("names never run out")
    finally:
        draft.unlink(missing_ok=True)
