"""The kept copies of drills, read again to their end: every piece against its seal, the whole against its run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, select

from console.adapters.copy_error import CopyError
from console.core.context import Context
from console.domain.archives.archives import CHANGED, MISSING, UNREADABLE
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import FINISHED
from console.models.jobs import JobRun
from console.services.backup import sealed
from console.services.backup.keys import backup_key
from console.services.recovery import history

MOST_COPIES = 400
# Of every kept copy the file is looked at; to its end so much of them is read in one night, one copy at least.
MOST_BYTES = 2**30
# A key that does not fit says nothing about the bytes.
_WRONG_KEY = "wrong_key"
_UNREADABLE = ("no_key", _WRONG_KEY)


@dataclass(frozen=True)
class Copy:
    """The sealed backup of a drill, as its run recorded it; `needed` is the newest one that proved a restore."""

    run_id: int
    path: Path
    size: int
    sha256: str
    needed: bool = False


@dataclass(frozen=True)
class CopyReading:
    """What a look at one copy found: `problem` is `changed`, `missing` or `unreadable`, `cause` the error's code."""

    copy: Copy
    problem: str | None = None
    cause: str | None = None


def kept(ctx: Context) -> list[Copy]:
    """Return the copies that should be there, newest first: those that are, and the newest that was proven.

    An older one may be taken away by hand, once a newer one has proven itself.
    """
    since = ctx.now() - timedelta(days=ctx.config["DR_REHEARSAL_RETENTION_DAYS"])
    found = {one.run_id: one for one in _recorded(ctx, JobRun.finished_at >= since)}
    proven = history.last_proven(ctx)
    if proven is not None and proven.detail.get("backup_file"):
        found[proven.id] = replace(_copy(proven.id, proven.detail), needed=True)
    newest_first = sorted(found.values(), key=lambda one: one.run_id, reverse=True)
    return [one for one in newest_first if one.needed or one.path.exists()]


def _recorded(ctx: Context, *conditions: ColumnElement[bool]) -> list[Copy]:
    statement = (
        select(JobRun.id, JobRun.detail_json)
        .where(
            JobRun.job_name == job_names.DR_REHEARSAL,
            JobRun.state == FINISHED,
            JobRun.dry_run.is_(False),
            JobRun.detail_json["backup_file"].as_string().is_not(None),
            *conditions,
        )
        .order_by(JobRun.id.desc())
        .limit(MOST_COPIES)
    )
    return [_copy(run_id, detail) for run_id, detail in ctx.session.execute(statement)]


def _copy(run_id: int, detail: Mapping[str, Any]) -> Copy:
    path, size, sha256 = detail["backup_file"], detail.get("size_bytes"), detail.get("backup_sha256")
    return Copy(run_id, Path(path), size or 0, sha256 or "")


def in_turn(ctx: Context, first: Collection[int] = ()) -> list[CopyReading]:
    """Look at all kept copies and read some to their end: the newest, those of the runs `first`, others in turns.

    What was found broken before belongs into `first`, so that it stays known until it is mended.
    """
    found, read = [], 0
    for copy in _order(kept(ctx), first, ctx.now().toordinal()):
        reading = _glance(copy)
        if reading.problem is None and (read == 0 or read + copy.size <= MOST_BYTES):
            read += copy.size
            reading = look(ctx, copy)
            if reading.cause == _WRONG_KEY and not copy.needed:
                # Sealed before the key was changed on purpose.
                reading = CopyReading(copy)
        found.append(reading)
    return found


def _order(copies: list[Copy], first: Collection[int], day: int) -> list[Copy]:
    """Return the newest copy, then those that come first anyway, then the others, each day beginning elsewhere."""
    known = [one for one in copies[1:] if one.run_id in first]
    others = [one for one in copies[1:] if one.run_id not in first]
    turn = day % len(others) if others else 0
    return [*copies[:1], *known, *others[turn:], *others[:turn]]


def _glance(copy: Copy) -> CopyReading:
    try:
        size = copy.path.stat().st_size
    except FileNotFoundError:
        return CopyReading(copy, MISSING, "missing")
    except OSError as error:
        return CopyReading(copy, UNREADABLE, type(error).__name__)
    return CopyReading(copy) if size == copy.size else CopyReading(copy, CHANGED, "size")


def look(ctx: Context, copy: Copy) -> CopyReading:
    """Read one copy to its end; nothing of it is kept."""
    try:
        sealed.verify(copy.path, backup_key(ctx.config), sha256=copy.sha256 or None)
    except CopyError as error:
        return CopyReading(copy, UNREADABLE if error.code in _UNREADABLE else CHANGED, error.code)
    except FileNotFoundError:
        return CopyReading(copy, MISSING, "missing")
    except OSError as error:
        return CopyReading(copy, UNREADABLE, type(error).__name__)
    return CopyReading(copy)


def worth_keeping(ctx: Context) -> Iterator[str]:
    """Yield the names of the copies that proved a restore, newest first, down to the first that is still whole."""
    for copy in _recorded(ctx, JobRun.detail_json["restore_valid"].as_boolean().is_(True)):
        yield copy.path.name
        if look(ctx, copy).problem is None:
            return
