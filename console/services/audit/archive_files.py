"""Monthly archives kept as files: written once, never over each other (contract 10.8; defect A9)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any

from console.core.context import Context
from console.domain.audit.archive import month_before, month_of, stable_digest
from console.domain.audit.entry import canonical_json
from console.domain.errors import Conflict, Invalid, StoreUnavailable
from console.domain.text import T
from console.services.audit.archive import Archive, build
from console.services.audit.record import record
from console.services.audit.verify import Progress


@dataclass(frozen=True)
class KeptArchive:
    """What became of a month: the facts of its archive without the entries, and the file that holds it.

    `output_file` is None when no file was asked for or the run was dry; `unchanged` means that a file of the same
    rows was there already.
    """

    archive: Archive
    output_file: str | None
    unchanged: bool

    def facts(self) -> dict[str, Any]:
        """Return the result of the job: the document without its entries, and its file."""
        return {**self.archive.facts(), "output_file": self.output_file, "unchanged": self.unchanged}


def keep_month(
    ctx: Context,
    *,
    month: str | None = None,
    max_entries: int = 10_000,
    folder: Path | None = None,
    write_file: bool = False,
    include_unfinished: bool = False,
    progress: Progress | None = None,
) -> KeptArchive:
    """Make the archive of a month (by default the last whole one), keep it as a file, and put it on record.

    The month is verified in a reading transaction. Raises BadRequest for what is no month, Conflict for one that has
    not ended unless `include_unfinished`, StoreUnavailable when the file cannot be written.
    """
    wanted = month_of(month) if month else month_before(ctx.now())
    if not wanted.over(ctx.now()) and not include_unfinished:
        raise Conflict(T("The month %(month)s has not ended yet", month=wanted.text), code="month_unfinished")
    made = build(ctx, wanted, max_entries=max_entries, progress=progress)
    path, unchanged = None, False
    if write_file and not ctx.dry_run:
        path, unchanged = write_once(made, folder or ctx.config.path("AUDIT_ARCHIVE_PATH"))
    ctx.begin_write()
    document = made.document
    record(
        ctx,
        "admin_audit_archive_monthly_run",
        "admin_audit_log",
        wanted.text,
        status="success" if made.chain_ok else "critical",
        detail={
            "month": wanted.text,
            "entry_count": document["entry_count"],
            "total_count": document["total_count"],
            "chain_ok": made.chain_ok,
            "issue_count": document["chain"]["issue_count"],
            "archive_sha256": document["archive_sha256"],
            "file": path.name if path else None,
            "unchanged": unchanged,
        },
    )
    return KeptArchive(made, str(path) if path else None, unchanged)


def folder_within(ctx: Context, given: str | None) -> Path:
    """Return the folder that a job may write archives to.

    Whoever may start a job must not thereby write anywhere on the machine: a folder of their own choice has to lie in
    DATA_DIR or AUDIT_ARCHIVE_PATH. Raises Invalid otherwise.
    """
    kept = ctx.config.path("AUDIT_ARCHIVE_PATH")
    if not given:
        return kept
    data = ctx.config.path("DATA_DIR")
    # "data/audit-archives" is the published default and means the data folder, wherever that is.
    wanted = Path(given)
    folder = (data.joinpath(*wanted.parts[1:]) if wanted.parts[:1] == ("data",) else data / wanted).resolve()
    if not any(folder.is_relative_to(root.resolve()) for root in (kept, data)):
        raise Invalid(T("The folder must lie inside the data folder"))
    return folder


def write_once(made: Archive, folder: Path) -> tuple[Path, bool]:
    """Write an archive under its published name, or with a number behind it when another content has that name.

    Returns the path and whether a file of the same rows was there already. The file appears whole or not at all.
    """
    name = f"audit-archive-{made.month.text}"
    digest = made.stable_digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f".{name}.{token_hex(8)}"
        try:
            with draft.open("xb") as file:
                for piece in made.as_file():
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            return _placed(draft, folder, name, digest)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise StoreUnavailable(T("The archive cannot be written: %(reason)s", reason=reason)) from error


def _placed(draft: Path, folder: Path, name: str, digest: str) -> tuple[Path, bool]:
    for path in _names(folder, name):
        if path.exists():
            if _stable_digest_of(path) == digest:
                return path, True
            continue
        try:
            # A link never replaces what another process has just put there.
            os.link(draft, path)
        except FileExistsError:
            continue
        return path, False
    raise AssertionError("names never run out")


def _names(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}.json"
    for number in count(2):
        yield folder / f"{name}-{number}.json"


def _stable_digest_of(path: Path) -> str | None:
    try:
        document = json.loads(path.read_bytes())
        entries = [canonical_json(entry) for entry in document["entries"]]
        return stable_digest({**document, "entries": None}, entries)
    except (ValueError, KeyError, TypeError, AttributeError):
        # Something else, or half of something, has the name: it is left alone.
        return None
