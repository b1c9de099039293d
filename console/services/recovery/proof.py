"""What a restored copy shows: its tables, its newest row, and whether its evidence can be opened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Engine, Integer, Table, create_engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from console.adapters.copy_error import CopyError
from console.adapters.database_scratch import Scratch
from console.core.context import Context
from console.domain.evidence import evidence as rules
from console.domain.recovery.drill import spread
from console.domain.text import T
from console.models.base import Base
from console.models.evidence import EvidenceChunk, EvidenceFile
from console.models.types import UtcDateTime
from console.services.evidence import store

# Written by the machine itself all the time: their newest row says nothing about what people would lose.
MACHINE_TABLES = frozenset(
    {
        *("api_latency_samples", "audit_chain_head", "audit_checkpoints", "backlog_samples", "job_runs"),
        *("job_schedules", "passkey_challenges", "preflight_snapshots", "revisions", "run_facts", "sent_forms"),
        *("shadow_decisions", "shadow_runs", "tracker_tallies", "web_sessions"),
    }
)


@dataclass(frozen=True)
class Newest:
    """The newest row of a copy: when it was written (aware UTC) and in which table; None in an empty one."""

    at: datetime | None = None
    table: str | None = None


@dataclass(frozen=True)
class EvidenceProof:
    """How many evidence files were looked at in the copy and could be opened whole; the ids of those that could not."""

    sampled: int
    opened: int
    broken: tuple[int, ...]


def sample(ctx: Context, turn: int) -> tuple[int, ...]:
    """Return the ids of the evidence that this drill takes along: spread over all of it, others every time."""
    living = select(EvidenceFile.id).where(EvidenceFile.removed_at.is_(None)).order_by(EvidenceFile.id)
    return tuple(spread(list(ctx.session.scalars(living)), ctx.config["DR_REHEARSAL_EVIDENCE_SAMPLE"], turn))


def files_of(ctx: Context, ids: Sequence[int]) -> list[Path]:
    """Return the files of a sample that are kept outside the database and are there."""
    wanted = select(EvidenceFile.storage_key).where(
        EvidenceFile.id.in_(ids), EvidenceFile.storage_backend == rules.FS, EvidenceFile.removed_at.is_(None)
    )
    found = (store.path_of(ctx.config, key) for key in ctx.session.scalars(wanted))
    return sorted(path for path in found if path is not None and path.is_file())


@contextmanager
def opened(scratch: Scratch) -> Iterator[Engine]:
    """Return an engine on a restored copy; raises CopyError when the copy cannot be read."""
    options = {"options": f"-csearch_path={scratch.schema}"} if scratch.schema else {}
    engine = create_engine(scratch.url, connect_args=options, poolclass=NullPool, hide_parameters=True)
    try:
        yield engine
    except SQLAlchemyError as error:
        raise CopyError(T("The restored copy cannot be read: %(reason)s.", reason=type(error).__name__)) from error
    finally:
        engine.dispose()


def newest_row(engine: Engine, until: datetime) -> Newest:
    """Return the newest row of the copy that people or programs made, judged by the last row of every table."""
    found = Newest()
    with engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            key, instants = _key(table), _instants(table)
            if key is None or not instants or table.name in MACHINE_TABLES:
                continue
            row = connection.execute(select(*instants).order_by(key.desc()).limit(1)).one_or_none()
            times = [at for at in row or () if at is not None and at <= until]
            if times and (found.at is None or max(times) > found.at):
                found = Newest(max(times), table.name)
    return found


def _key(table: Table) -> Column[Any] | None:
    keys = list(table.primary_key.columns)
    return keys[0] if len(keys) == 1 and isinstance(keys[0].type, Integer) else None


def _instants(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if isinstance(column.type, UtcDateTime)]


def evidence(engine: Engine, ids: Sequence[int], folder: Path, sources: Mapping[str, Path]) -> EvidenceProof:
    """Open the sampled evidence as the copy has it and compare it with the hash of its row in the copy.

    `folder` holds the unpacked files below their storage keys; `sources` is what lay in the storage when the copy was
    made: what was gone already then is the integrity batch's to find, not the drill's.
    """
    wanted = (
        select(EvidenceFile.id, EvidenceFile.storage_backend, EvidenceFile.storage_key, EvidenceFile.sha256)
        .where(EvidenceFile.id.in_(ids), EvidenceFile.removed_at.is_(None))
        .order_by(EvidenceFile.id)
    )
    sampled, broken = 0, []
    with engine.connect() as connection:
        for row in connection.execute(wanted).all():
            if row.storage_backend == rules.FS:
                if row.storage_key not in sources:
                    continue
                digest = _file_digest(folder.joinpath(*str(row.storage_key).split("/")))
            else:
                pieces = select(EvidenceChunk.content).where(EvidenceChunk.evidence_id == row.id)
                in_order = pieces.order_by(EvidenceChunk.place).execution_options(yield_per=4)
                digest = _digest(connection.scalars(in_order))
            sampled += 1
            if digest is None or (row.sha256 and digest != row.sha256):
                broken.append(row.id)
    return EvidenceProof(sampled, sampled - len(broken), tuple(broken))


def _file_digest(path: Path) -> str | None:
    try:
        with path.open("rb") as content:
            return store.digest(content)
    except OSError:
        return None


def _digest(pieces: Iterator[bytes] | Any) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
