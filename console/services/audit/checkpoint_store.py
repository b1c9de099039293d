"""What signed checkpoints promise about the chain, in the database and in files outside of it."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from console.core.context import Context
from console.domain.audit.chain import ChainVerifier, Checkpoint, accepted_hash
from console.domain.audit.entry import canonical_json, instant_text, same, signature
from console.models.audit import AuditAcknowledgement, AuditCheckpoint, AuditRebaseline, AuditRebaselineRow
from console.services.audit.append import LOGS
from console.services.audit.keys import chain_keys
from console.services.audit.reader import ChainState, hash_at, state_of

log = structlog.get_logger("audit")

FILE_NAME = "audit-checkpoints-{chain}-{month}.jsonl"
FILE_GLOB = "audit-checkpoints-{chain}-*.jsonl"
_FILE = re.compile(r"audit-checkpoints-(\w+)-[0-9]{4}-[0-9]{2}\.jsonl")
_LINE = ("seq", "head_hash", "count", "signed_at", "signature", "key_id")


@dataclass
class Promises:
    """The hashes that rows must have today, and places whose checkpoint cannot be trusted."""

    marks: dict[int, str] = field(default_factory=dict)
    invalid: list[int] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)
    unkept: list[int] = field(default_factory=list)
    missing: list[int] = field(default_factory=list)
    newest: int = 0

    def tell(self, verifier: ChainVerifier, *, head_seq: int) -> None:
        """Report what needs no row to be wrong: checkpoints forged, gone or not in their file, rows or logs gone."""
        for seq in self.invalid:
            verifier.note(None, "checkpoint_invalid", seq)
        for seq in self.absent:
            verifier.note(None, "checkpoint_missing", seq)
        for seq in self.unkept:
            verifier.note(None, "checkpoint_file_incomplete", seq)
        for seq in self.missing:
            verifier.note(None, "chain_missing", seq)
        if self.newest > head_seq:
            verifier.note(None, "checkpoint_mismatch", self.newest)


def as_checkpoint(row: AuditCheckpoint) -> Checkpoint:
    """Return a stored checkpoint in the form that is signed."""
    return Checkpoint(
        row.seq, row.head_hash, row.count, instant_text(row.signed_at), row.signature, row.key_id, row.previous
    )


def chain_name(session: Session) -> str | None:
    """Name the chain of this database by the request that wrote its first row, or None when that row is gone.

    A folder may have served another database before; its checkpoints say nothing about this one. The request is part
    of the row's keyed hash, so changing it to be rid of the files is found.
    """
    row = session.execute(select(LOGS.c.request_id, LOGS.c.created_text).where(LOGS.c.seq == 1)).one_or_none()
    return _named_by(row.request_id or str(row.created_text)) if row is not None else None


def _named_by(word: str) -> str:
    return sha256(f"audit-chain:v1:{word}".encode()).hexdigest()[:12]


def files_of(ctx: Context, state: ChainState | None = None) -> list[Path]:
    """Return the files of this chain, oldest first; all there are when its first row is gone.

    `state` is the state of the chain of a caller that has read it already.
    """
    state = state or state_of(ctx.session)
    if state.is_empty:
        return []
    name = _named_by(state.named_by) if state.named_by is not None else "*"
    return sorted(ctx.config.path("AUDIT_CHECKPOINT_PATH").glob(FILE_GLOB.format(chain=name)))


def other_chains(ctx: Context, own: Collection[Path]) -> int:
    """Return how many files in the folder belong to another chain: another database, or one that was emptied."""
    every = ctx.config.path("AUDIT_CHECKPOINT_PATH").glob(FILE_GLOB.format(chain="*"))
    return len(set(every) - set(own))


@dataclass(frozen=True)
class LostChain:
    """A log of which genuine checkpoints remain while it is gone: its name, and how far the newest one reaches."""

    chain: str
    seq: int


def lost_chains(ctx: Context, files: Collection[Path] | None = None) -> list[LostChain]:
    """Return the logs that our own key signed and that are not there, unless somebody acknowledged their loss.

    `files` are those of this chain, for a caller that knows them.
    """
    every = sorted(ctx.config.path("AUDIT_CHECKPOINT_PATH").glob(FILE_GLOB.format(chain="*")), reverse=True)
    if not every:
        return []
    own, keys, found = set(files_of(ctx) if files is None else files), chain_keys(ctx.config).known, []
    names: dict[str, list[Path]] = {}
    for path in every:
        if path not in own and (match := _FILE.fullmatch(path.name)):
            names.setdefault(match[1], []).append(path)
    known = acknowledged(ctx) if names else {}
    for chain, paths in sorted(names.items()):
        lines = (line for path in paths for line in reversed(path.read_bytes().splitlines()))
        newest = next((made for line in lines if (made := _read_line(line)) and made.genuine(keys)), None)
        if newest is not None and newest.seq > known.get(chain, 0):
            found.append(LostChain(chain, newest.seq))
    return found


def acknowledgement_facts(row: AuditAcknowledgement) -> dict[str, Any]:
    """Return what the signature of an acknowledgement covers."""
    names: tuple[str, ...] = ("chain", "seq", "reason", "actor_username")
    if row.after_seq is not None:
        names += ("after_seq", "left_signature")
    return {**{name: getattr(row, name) for name in names}, "acknowledged_at": instant_text(row.acknowledged_at)}


def _acknowledgements(ctx: Context) -> Iterator[AuditAcknowledgement]:
    keys = chain_keys(ctx.config).known
    for row in ctx.session.scalars(select(AuditAcknowledgement).order_by(AuditAcknowledgement.id)):
        key = keys.get(row.key_id)
        if key is not None and same(row.signature, signature(key, "acknowledgement", acknowledgement_facts(row))):
            yield row


def acknowledged(ctx: Context) -> dict[str, int]:
    """Return, for each chain, up to which place somebody acknowledged that its log or its file is gone."""
    found = dict[str, int]()
    for row in _acknowledgements(ctx):
        if row.after_seq is None:
            found[row.chain] = max(row.seq, found.get(row.chain, 0))
    return found


@dataclass(frozen=True)
class OlderCopy:
    """A database that an older backup seems to have brought back.

    Its rows agree with signed checkpoints up to `after_seq`; a genuine checkpoint in the files, `left_signature`,
    reaches `seq` and says something else.
    """

    chain: str
    after_seq: int
    seq: int
    left_signature: str


@dataclass(frozen=True)
class RestoredPart:
    """An acknowledged restore: the entries after `after_seq` up to `seq` are gone, a new part follows `after_seq`."""

    after_seq: int
    seq: int
    left_signature: str
    reason: str
    actor_username: str
    acknowledged_at: datetime

    def covers(self, checkpoint: Checkpoint) -> bool:
        """Return whether a checkpoint is a statement about the entries that are gone, not about the new part."""
        within = self.after_seq < checkpoint.seq <= self.seq
        return within and checkpoint.signed_at <= instant_text(self.acknowledged_at)


def restored_parts(ctx: Context) -> tuple[RestoredPart, ...]:
    """Return the acknowledged restores of this chain, oldest first."""
    rows = [row for row in _acknowledgements(ctx) if row.after_seq is not None]
    chain = chain_name(ctx.session) if rows else None
    return tuple(
        RestoredPart(
            row.after_seq, row.seq, row.left_signature or "", row.reason, row.actor_username, row.acknowledged_at
        )
        for row in rows
        if row.chain == chain and row.after_seq is not None
    )


def left_behind(ctx: Context) -> Callable[[Checkpoint], bool]:
    """Return a function that tells of a line in a file whether an acknowledged restore left it behind.

    What the database itself has as a checkpoint always holds. Nothing is read before the first line is asked about.
    """
    keys = chain_keys(ctx.config).known
    parts = cache(lambda: restored_parts(ctx))
    stored = cache(lambda: set(ctx.session.scalars(select(AuditCheckpoint.signature))))

    def left(checkpoint: Checkpoint) -> bool:
        covered = any(part.covers(checkpoint) for part in parts())
        return covered and checkpoint.signature not in stored() and checkpoint.genuine(keys)

    return left


def older_copy(ctx: Context) -> OlderCopy | None:
    """Return how an older backup differs from newer checkpoint files, or None when nothing looks like one."""
    chain = chain_name(ctx.session)
    if chain is None:
        return None
    stored = dict[str, int](ctx.session.execute(select(AuditCheckpoint.signature, AuditCheckpoint.seq)).all())
    agreed, newest = max(stored.values(), default=0), None
    keys, left = chain_keys(ctx.config).known, left_behind(ctx)
    for line in kept_in_files(ctx):
        if line is None or line.signature in stored or left(line) or not line.genuine(keys):
            continue
        if hash_at(ctx.session, line.seq) == line.head_hash:
            agreed = max(agreed, line.seq)
        elif newest is None or line.seq > newest.seq:
            newest = line
    if newest is None or newest.seq <= agreed:
        return None
    return OlderCopy(chain, agreed, newest.seq, newest.signature)


def this_machine() -> str:
    """Return the name under which checkpoints say where their line was kept."""
    return socket.gethostname()[:64]


def unkept(ctx: Context, rows: Iterable[AuditCheckpoint], kept: Container[str]) -> list[int]:
    """Return the places of checkpoints whose line is gone from the folder in which this very machine kept it."""
    here = this_machine()
    gone = [row.seq for row in rows if row.kept_by == here and row.signature not in kept]
    known = acknowledged(ctx).get(chain_name(ctx.session) or "", 0) if gone else 0
    return [seq for seq in gone if seq > known]


def kept_in_files(ctx: Context) -> Iterator[Checkpoint | None]:
    """Read the checkpoints kept outside the database, oldest first; None stands for a line that cannot be read.

    A last line without its end is the trace of a machine that stopped while writing, not of tampering.
    """
    for path in files_of(ctx):
        with path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    yield _read_line(line)


def _read_line(line: bytes) -> Checkpoint | None:
    try:
        value = json.loads(line)
        # Lines made before checkpoints named each other lack the last one.
        return Checkpoint(**{name: value[name] for name in _LINE}, previous=value.get("previous"))
    except (ValueError, KeyError, TypeError):
        return None


def newest_in_files(
    ctx: Context, stored: AuditCheckpoint | None, files: Sequence[Path] | None = None
) -> Checkpoint | None:
    """Return the last whole line about what the database holds (no acknowledged restore left it behind), or None.

    `files` as for `lost_chains`.

    Usually it is the line of `stored`, the newest checkpoint of the database, and nothing has to be asked.
    """
    left, own = left_behind(ctx), stored.signature if stored is not None else None
    for path in reversed(files_of(ctx) if files is None else files):
        for line in _from_the_end(path):
            checkpoint = _read_line(line)
            if checkpoint is None or checkpoint.signature == own or not left(checkpoint):
                return checkpoint
    return None


def _from_the_end(path: Path) -> Iterator[bytes]:
    """Read the whole lines of a file, newest first; usually only its end is needed."""
    with path.open("rb") as file:
        start = file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
        pieces = file.read().splitlines(keepends=True)
        half = pieces.pop(0) if start and pieces else b""
        yield from reversed(_whole(pieces))
        file.seek(0)
        yield from reversed(_whole(file.read(start + len(half)).splitlines(keepends=True)))


def _whole(lines: list[bytes]) -> list[bytes]:
    return [line for line in lines if line.endswith(b"\n")]


def file_name(ctx: Context, checkpoint: Checkpoint) -> str:
    """Return the name of the file outside the database that a checkpoint belongs to."""
    return FILE_NAME.format(chain=chain_name(ctx.session) or "unnamed", month=checkpoint.signed_at[:7])


def line_of(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as it stands in its file, without the line break."""
    return canonical_json(asdict(checkpoint))


def keep_in_file(ctx: Context, checkpoint: Checkpoint) -> Path | None:
    """Add a checkpoint to this month's file outside the database, and to the copy of it if one is wanted.

    Returns None, and leaves a log line, when the file cannot be written.
    """
    name = file_name(ctx, checkpoint)
    if ctx.config["AUDIT_CHECKPOINT_COPY_PATH"]:
        _keep_line(ctx.config.path("AUDIT_CHECKPOINT_COPY_PATH"), name, checkpoint)
    return _keep_line(ctx.config.path("AUDIT_CHECKPOINT_PATH"), name, checkpoint)


def _keep_line(folder: Path, name: str, checkpoint: Checkpoint) -> Path | None:
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        with os.fdopen(descriptor, "ab") as file:
            file.write(line_of(checkpoint).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        log.warning("audit_checkpoint_file_failed", error=str(error))
        return None
    return path


def promises(ctx: Context, *, first: int, last: int) -> Promises:
    """Gather what all genuine checkpoints say about a stretch, and how far the newest one reaches."""
    keys = chain_keys(ctx.config).known
    found = Promises()
    stored = select(AuditCheckpoint).order_by(AuditCheckpoint.seq)
    rows = list(ctx.session.scalars(stored))
    said: list[Checkpoint] = [as_checkpoint(row) for row in rows]
    in_files: set[str] = set()
    left = left_behind(ctx)
    for kept in kept_in_files(ctx):
        if kept is None:
            found.invalid.append(0)
            continue
        in_files.add(kept.signature)
        if not left(kept):
            said.append(kept)
    # One finding says it all: whoever looks sees which lines remain.
    found.unkept = unkept(ctx, rows, in_files)[-1:]
    found.missing = [lost.seq for lost in lost_chains(ctx)]
    signatures = in_files | {row.signature for row in rows}
    by_place: dict[int, set[str]] = {}
    for checkpoint in said:
        if not checkpoint.genuine(keys):
            found.invalid.append(checkpoint.seq)
            continue
        found.newest = max(found.newest, checkpoint.seq)
        if checkpoint.previous and checkpoint.previous not in signatures and checkpoint.seq not in found.absent:
            found.absent.append(checkpoint.seq)
        if first <= checkpoint.seq <= last:
            by_place.setdefault(checkpoint.seq, set()).add(checkpoint.head_hash)
    replaced = replacements(ctx.session, keys, by_place)
    for seq, promised in by_place.items():
        today = {accepted_hash(one, replaced.get(seq, ())) for one in promised}
        found.marks[seq] = today.pop()
        if today:
            # Two genuine statements about one place that evidence does not reconcile: the chain was rolled back.
            found.invalid.append(seq)
    return found


def row_facts(row: AuditRebaselineRow) -> dict[str, Any]:
    """Return what the signature of a piece of rebaseline evidence covers."""
    names = (
        "rebaseline_id", "seq", "row_id", "old_prev_hash", "old_entry_hash", "old_keyed_hash", "old_key_id",
        "old_created_text", "missing_before", "new_prev_hash", "new_entry_hash",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def evidence_mac(key: bytes, row: AuditRebaselineRow) -> str:
    """Sign a piece of rebaseline evidence."""
    return signature(key, "rebaseline-row", row_facts(row))


def _genuine(
    session: Session, keys: Mapping[str, bytes], condition: ColumnElement[bool]
) -> Iterator[AuditRebaselineRow]:
    query = (
        select(AuditRebaselineRow, AuditRebaseline.key_id)
        .join(AuditRebaseline, AuditRebaseline.id == AuditRebaselineRow.rebaseline_id)
        .where(condition)
        .order_by(AuditRebaselineRow.rebaseline_id)
    )
    for row, key_name in session.execute(query):
        key = keys.get(key_name)
        if key is not None and same(row.mac, evidence_mac(key, row)):
            yield row


def replacements(
    session: Session, keys: Mapping[str, bytes], places: Iterable[int]
) -> dict[int, list[tuple[str, str]]]:
    """Give, for rows under checkpoints, the old and new hashes from genuine evidence, oldest first."""
    found: dict[int, list[tuple[str, str]]] = {}
    if session.execute(select(AuditRebaseline.id).limit(1)).first() is None:
        return found
    wanted = sorted(places)
    for start in range(0, len(wanted), 500):
        for row in _genuine(session, keys, AuditRebaselineRow.seq.in_(wanted[start : start + 500])):
            found.setdefault(row.seq, []).append((row.old_entry_hash or "", row.new_entry_hash))
    return found


def gap_teller(session: Session, keys: Mapping[str, bytes]) -> Callable[[int], bool]:
    """Return a function that tells whether genuine evidence says that rows before a place were already missing."""

    def known(seq: int) -> bool:
        condition = and_(AuditRebaselineRow.seq == seq, AuditRebaselineRow.missing_before > 0)
        return next(_genuine(session, keys, condition), None) is not None

    return known
