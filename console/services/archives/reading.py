"""Reads kept archives again, in turns: the copy in the folder and the one beside the run, each against its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select, update

from console.core.context import Context
from console.domain.archives.archives import CHANGED, FAULTS, MISSING, UNFILED
from console.models.archives import StoredFile
from console.services.archives import files

FOLDER, DATABASE = "folder", "database"
# A kind of large files does not keep a night busy: at least one of it is read, the next ones in the nights after.
MOST_BYTES = 2**30


@dataclass(frozen=True)
class Reading:
    """One archive that was read: what is wrong with it, and `place` is where; None when it is what was stored."""

    id: int
    kind: str
    label: str
    name: str
    problem: str | None = None
    place: str | None = None


def in_turn(ctx: Context, kind: str, sample: int) -> list[Reading]:
    """Read up to `sample` archives of a kind: those found broken first, then those read longest ago."""
    of_kind = select(
        StoredFile.id, StoredFile.label, StoredFile.name, StoredFile.size, StoredFile.sha256, StoredFile.filed
    ).where(StoredFile.kind == kind)
    broken = of_kind.where(StoredFile.problem.is_not(None)).order_by(StoredFile.id).limit(sample)
    rows = list(ctx.session.execute(broken))
    turn = (StoredFile.checked_at.asc().nulls_first(), StoredFile.id)
    others = of_kind.where(StoredFile.problem.is_(None)).order_by(*turn).limit(sample - len(rows))
    rows += ctx.session.execute(others) if len(rows) < sample else ()
    made: list[Reading] = []
    total = 0
    for file_id, label, name, size, sha256, filed in rows:
        total += size
        if made and total > MOST_BYTES:
            break
        problem, place = _look(ctx, file_id, kind, name, sha256, filed=filed)
        made.append(Reading(file_id, kind, label, name, problem, place))
    return made


def _look(
    ctx: Context, file_id: int, kind: str, name: str, sha256: str, *, filed: bool
) -> tuple[str | None, str | None]:
    # One content at a time, so that the memory of a night is that of one archive.
    content = ctx.session.scalar(select(StoredFile.content).where(StoredFile.id == file_id))
    if content is not None and hashlib.sha256(content).hexdigest() != sha256:
        return CHANGED, DATABASE
    state = files.state_of(ctx, kind, name, sha256, filed=filed)
    if state == UNFILED and content is None:
        return MISSING, DATABASE
    return (state, FOLDER) if state in FAULTS else (None, None)


def remember(ctx: Context, readings: Iterable[Reading]) -> None:
    """Note when the archives were read and what was wrong; the transaction writes already."""
    by_problem: dict[str | None, list[int]] = {}
    for one in readings:
        by_problem.setdefault(one.problem, []).append(one.id)
    for problem, ids in by_problem.items():
        ctx.session.execute(
            update(StoredFile).where(StoredFile.id.in_(ids)).values(checked_at=ctx.now(), problem=problem)
        )
