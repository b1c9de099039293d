"""What is kept of hashes before they are written anew: signed, append-only, reported for ever (defect A3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select

from console.core.context import Context
from console.core.records import view_of
from console.domain.audit.chain import ChainRow
from console.domain.audit.entry import canonical_json, instant_text, same, signature
from console.models.audit import AuditRebaseline, AuditRebaselineRow
from console.services.audit.checkpoint_store import evidence_mac, row_facts
from console.services.audit.keys import chain_keys


@dataclass(frozen=True)
class Change:
    """A row as it stands, the values it is going to have, and how many rows are missing in front of it."""

    row: ChainRow
    values: dict[str, Any]
    missing_before: int


@dataclass(frozen=True)
class RebaselinedRange:
    """A stretch whose hashes were written anew; `evidence_ok` tells whether the kept copy is genuine and complete."""

    id: int
    rebaselined_at: datetime
    actor_username: str
    reason: str
    from_month: str | None
    first_seq: int
    last_seq: int
    changed_count: int
    snapshot_sha256: str
    evidence_ok: bool


class Evidence:
    """The copy of what is about to be overwritten; it comes into being with the first difference."""

    def __init__(self, ctx: Context, from_month: str | None, *, confirmed: bool, reason: str, dry_run: bool) -> None:
        self.ctx, self.dry_run, self.keys = ctx, dry_run, chain_keys(ctx.config)
        self.header = AuditRebaseline(
            from_month=from_month,
            actor_user_id=ctx.actor.user_id,
            actor_username=ctx.actor.username,
            reason=reason,
            confirmed=confirmed,
            request_id=ctx.request_id[:64],
            rebaselined_at=ctx.now(),
            first_seq=0,
            last_seq=0,
            changed_count=0,
            snapshot_sha256="",
            signature="",
            key_id=self.keys.current_id,
        )
        self.rows = 0
        self.digest = sha256()

    def keep(self, changed: list[Change]) -> None:
        """Keep the hashes of rows that are about to be written anew."""
        self._add(
            [
                self._piece(
                    change.row.seq,
                    change.row.id,
                    change.missing_before,
                    change.values["new_prev_hash"],
                    change.values["new_entry_hash"],
                    change.row,
                )
                for change in changed
            ]
        )

    def keep_cut_off(self, last: int, head_seq: int, prev_hash: str | None) -> None:
        """Keep that the newest rows were gone; the next row of the chain will follow that gap."""
        if not self.dry_run:
            self._add([self._piece(head_seq + 1, 0, head_seq - last, prev_hash, "")])

    def _piece(
        self, seq: int, row_id: int, missing: int, prev_hash: str | None, digest: str, old: ChainRow | None = None
    ) -> AuditRebaselineRow:
        if not self.rows and self.header.id is None:
            self.ctx.session.add(self.header)
            self.ctx.session.flush()
        row = AuditRebaselineRow(
            rebaseline_id=self.header.id,
            seq=seq,
            row_id=row_id,
            old_prev_hash=old.prev_hash if old else None,
            old_entry_hash=old.entry_hash if old else None,
            old_keyed_hash=old.keyed_hash if old else None,
            old_key_id=old.key_id if old else None,
            old_created_text=old.created_text if old else None,
            missing_before=missing,
            new_prev_hash=prev_hash,
            new_entry_hash=digest,
        )
        row.mac = evidence_mac(self.keys.current, row)
        return row

    def _add(self, pieces: list[AuditRebaselineRow]) -> None:
        for piece in pieces:
            self.digest.update(canonical_json(row_facts(piece)).encode() + b"\n")
        if not self.rows:
            self.header.first_seq = pieces[0].seq
        self.header.last_seq = pieces[-1].seq
        self.rows += len(pieces)
        self.ctx.session.add_all(pieces)
        self.ctx.session.flush()
        for piece in pieces:
            # Two hundred thousand of them need not stay in memory.
            self.ctx.session.expunge(piece)

    def close(self) -> AuditRebaseline | None:
        """Seal the evidence and return its header; None when nothing differed or nothing was to be written."""
        if not self.rows:
            return None
        self.header.changed_count = self.rows
        self.header.snapshot_sha256 = self.digest.hexdigest()
        self.header.signature = _header_signature(self.keys.current, self.header)
        self.ctx.session.flush()
        return self.header


def _header_signature(key: bytes, header: AuditRebaseline) -> str:
    names = (
        "id", "from_month", "actor_user_id", "actor_username", "reason", "confirmed", "request_id", "first_seq",
        "last_seq", "changed_count", "snapshot_sha256",
    )  # fmt: skip
    facts = {name: getattr(header, name) for name in names}
    return signature(key, "rebaseline", {**facts, "rebaselined_at": instant_text(header.rebaselined_at)})


def ranges(ctx: Context, *, first: int | None = None, last: int | None = None) -> tuple[RebaselinedRange, ...]:
    """Return the rebaselines that touched a stretch (all without bounds), oldest first."""
    query = select(AuditRebaseline).order_by(AuditRebaseline.id)
    if first is not None and last is not None:
        query = query.where(AuditRebaseline.first_seq <= last, AuditRebaseline.last_seq >= first)
    rows = list(ctx.session.scalars(query))
    count = (
        select(AuditRebaselineRow.rebaseline_id, func.count())
        .where(AuditRebaselineRow.rebaseline_id.in_([row.id for row in rows]))
        .group_by(AuditRebaselineRow.rebaseline_id)
    )
    counted: dict[int, int] = dict(ctx.session.execute(count).all())
    keys = chain_keys(ctx.config).known
    return tuple(
        view_of(
            RebaselinedRange,
            row,
            evidence_ok=counted.get(row.id) == row.changed_count
            and row.key_id in keys
            and same(row.signature, _header_signature(keys[row.key_id], row)),
        )
        for row in rows
    )
