"""Verifying the audit chain as a stream: constant memory, every kind of tampering named by row (contract 9.3)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple

from console.domain.audit.entry import checkpoint_signature, entry_text, row_message, same

ISSUES_KEPT = 100

Reason = Literal[
    "prev_hash_mismatch",
    "entry_hash_mismatch",
    "sequence_gap",
    "keyed_hash_missing",
    "keyed_hash_mismatch",
    "keyed_hash_unknown_key",
    "head_mismatch",
    "checkpoint_mismatch",
    "checkpoint_invalid",
    "checkpoint_missing",
    "checkpoint_file_incomplete",
    "chain_missing",
]


class ChainRow(NamedTuple):
    """One row in the order in which the columns are read.

    `created_at` is the canonical text of the time column, `created_text` the text stored beside it; both must agree.
    """

    id: int
    seq: int
    actor_user_id: int | None
    actor_username: str
    action: str
    resource_type: str
    resource_id: str
    status: str
    detail_json: str
    created_at: str
    created_text: str | None
    prev_hash: str | None
    entry_hash: str | None
    keyed_hash: str | None
    key_id: str | None
    request_id: str | None


@dataclass(frozen=True)
class Issue:
    """What is wrong with which row; `id` is null when the row itself is missing."""

    id: int | None
    reason: Reason
    seq: int | None = None


@dataclass(frozen=True)
class Anchor:
    """The row before the window: its place and its stored hash; zero and empty at the beginning of the chain."""

    seq: int = 0
    entry_hash: str = ""


@dataclass(frozen=True)
class ChainReport:
    """The result of a verification; `chain_ok` is true when nothing at all was found."""

    checked_count: int
    issue_count: int
    issues: tuple[Issue, ...]
    initial_prev_hash: str | None
    last_entry_hash: str | None
    first_seq: int | None
    last_seq: int | None

    @property
    def chain_ok(self) -> bool:
        """Return whether the rows are what was written."""
        return self.issue_count == 0


@dataclass
class ChainVerifier:
    """Checks rows in sequence, batch by batch.

    `keys` are the known chain keys by their id; without any the keyed hashes are left unchecked (a reader who was not
    given the key). `marks` are the hashes that signed checkpoints promise for certain sequence numbers. `known_gap`
    tells of a place whether evidence says that rows before it were already missing.
    """

    anchor: Anchor = field(default_factory=Anchor)
    keys: Mapping[str, bytes] = field(default_factory=dict)
    marks: Mapping[int, str] = field(default_factory=dict)
    known_gap: Callable[[int], bool] = field(default=lambda _seq: False)
    checked_count: int = 0
    issue_count: int = 0
    issues: list[Issue] = field(default_factory=list)
    first_seq: int | None = None

    def __post_init__(self) -> None:
        self._running = self.anchor.entry_hash
        self._seq = self.anchor.seq
        self._stored: str | None = None

    @property
    def last_seq(self) -> int:
        """Return the sequence number that was reached; that of the anchor before the first row."""
        return self._seq

    @property
    def last_hash(self) -> str:
        """Return the running hash that the next row must name as its predecessor."""
        return self._running

    def note(self, row_id: int | None, reason: Reason, seq: int | None = None) -> None:
        """Count an issue and keep the first hundred."""
        self.issue_count += 1
        if len(self.issues) < ISSUES_KEPT:
            self.issues.append(Issue(row_id, reason, seq))

    def feed(self, rows: Iterable[ChainRow]) -> None:
        """Check rows in ascending sequence; call it again with the next batch.

        The running value follows the stored hash, so that one changed row does not make all later ones fail.
        """
        running, last_seq, keys, marks = self._running, self._seq, self.keys, self.marks
        stored: str | None = self._stored
        for (
            row_id, seq, actor_user_id, actor_username, action, resource_type, resource_id, status, detail_json,
            created_at, created_text, prev_hash, entry_hash, keyed, key_name, request_id,
        ) in rows:  # fmt: skip
            if seq != last_seq + 1:
                self._check_gap(row_id, last_seq, seq)
            if (prev_hash or "") != running:
                self.note(row_id, "prev_hash_mismatch", seq)
            text = entry_text(
                running, actor_user_id, actor_username, action, resource_type, resource_id, status, detail_json,
                created_at,
            )  # fmt: skip
            expected = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            if entry_hash != expected or created_text != created_at:
                self.note(row_id, "entry_hash_mismatch", seq)
            if keys:
                key = keys.get(key_name or "")
                if not keyed:
                    self.note(row_id, "keyed_hash_missing", seq)
                elif key is None:
                    self.note(row_id, "keyed_hash_unknown_key", seq)
                elif hmac.digest(key, row_message(seq, entry_hash or "", request_id or ""), "sha256").hex() != keyed:
                    self.note(row_id, "keyed_hash_mismatch", seq)
            if marks and seq in marks and entry_hash != marks[seq]:
                self.note(row_id, "checkpoint_mismatch", seq)
            if self.first_seq is None:
                self.first_seq = seq
            running = entry_hash or expected
            stored = entry_hash
            last_seq = seq
            self.checked_count += 1
        self._running, self._seq, self._stored = running, last_seq, stored

    def check_end(self, *, head_seq: int, head_hash: str) -> None:
        """Compare what was reached with the stored head: catches deletion of the newest rows."""
        cut_off = head_seq > self._seq and self._running == head_hash and self.known_gap(head_seq + 1)
        if (self._seq, self._running) != (head_seq, head_hash) and not cut_off:
            self.note(None, "head_mismatch", head_seq)

    def check_next(self, row_id: int, seq: int) -> None:
        """Compare the end of a window with the first row after it: catches deletion at the edge."""
        if seq != self._seq + 1:
            self._check_gap(row_id, self._seq, seq)

    def _check_gap(self, row_id: int, before: int, seq: int) -> None:
        if seq <= before or not self.known_gap(seq):
            self.note(row_id, "sequence_gap", seq)

    def report(self) -> ChainReport:
        """Return the result so far."""
        return ChainReport(
            checked_count=self.checked_count,
            issue_count=self.issue_count,
            issues=tuple(self.issues),
            initial_prev_hash=self.anchor.entry_hash or None,
            last_entry_hash=self._stored,
            first_seq=self.first_seq,
            last_seq=self._seq if self.checked_count else None,
        )


@dataclass(frozen=True)
class Checkpoint:
    """A signed statement: at `signed_at` the chain had `count` rows and the last one, `seq`, had this hash."""

    seq: int
    head_hash: str
    count: int
    signed_at: str
    signature: str
    key_id: str
    previous: str | None = None

    def genuine(self, keys: Mapping[str, bytes]) -> bool:
        """Return whether one of the known keys signed it."""
        key = keys.get(self.key_id)
        if key is None:
            return False
        expected = checkpoint_signature(
            key,
            seq=self.seq,
            head_hash=self.head_hash,
            count=self.count,
            signed_at=self.signed_at,
            previous=self.previous,
        )
        return same(self.signature, expected)


def accepted_hash(promised: str, replaced: Iterable[tuple[str, str]]) -> str:
    """Return the hash that a row under a checkpoint must have today.

    `replaced` are the old and new hashes of that row from genuine rebaseline evidence, oldest first; they are
    followed from the promised hash. Without evidence the promised one stands.
    """
    current = promised
    for old, new in replaced:
        if old == current:
            current = new
    return current
