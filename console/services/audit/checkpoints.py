"""Signed checkpoints: a statement about the chain that its database alone cannot take back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.audit.chain import Anchor, ChainReport, Checkpoint
from console.domain.audit.entry import checkpoint_signature, instant_text
from console.domain.audit.entry import signature as sign
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.text import T
from console.models.audit import AuditAcknowledgement, AuditCheckpoint
from console.services.audit.checkpoint_store import (
    acknowledgement_facts,
    as_checkpoint,
    chain_name,
    keep_in_file,
    lost_chains,
    older_copy,
    this_machine,
)
from console.services.audit.keys import chain_keys
from console.services.audit.log import check_whole
from console.services.audit.reader import hash_at, head_of
from console.services.audit.record import record
from console.services.audit.verify import Progress, newest_checkpoint, verify_from


@dataclass(frozen=True)
class CheckpointResult:
    """What a verification found and, when it found nothing wrong, the checkpoint that was signed.

    `verified_from` is the first row that was looked at (1: the whole chain). `first_issue` names the first broken
    row. `seq` is None when there was nothing new to sign; `file` is None when no file could be written.
    """

    chain_ok: bool
    checked_count: int
    verified_from: int
    issue_count: int
    first_issue: dict[str, Any] | None
    seq: int | None
    head_hash: str | None
    file: str | None
    dry_run: bool


def checkpoint(
    ctx: Context,
    *,
    full: bool = False,
    progress: Progress | None = None,
    told: Callable[[Context, Checkpoint], None] | None = None,
) -> CheckpointResult:
    """Verify the rows since the last checkpoint (or all of them) and sign where the chain stands.

    `told` gets what was signed, in the transaction of the signature. A broken chain is not signed. The context must
    be reading: verification may take long, and only the signature itself is written. Raises PermissionDenied without
    `admins:manage`, `jobs:run`, or `audit:read` for all sites.
    """
    if not ctx.actor.can("jobs:run"):
        check_whole(ctx)
    start = Anchor() if full else _last_signed(ctx)
    report = verify_from(ctx, start, progress=progress)
    signed = None
    if report.chain_ok and report.last_seq is not None:
        signed = Anchor(report.last_seq, report.last_entry_hash or "")
    dry_run, file = ctx.dry_run, None
    if signed is not None and not dry_run:
        made, file = _sign(ctx, signed, verified_from=start.seq + 1)
        if told is not None:
            told(ctx, made)
    return CheckpointResult(
        chain_ok=report.chain_ok,
        checked_count=report.checked_count,
        verified_from=start.seq + 1,
        issue_count=report.issue_count,
        first_issue=first_issue(report),
        seq=signed.seq if signed else None,
        head_hash=signed.entry_hash if signed else None,
        file=file,
        dry_run=dry_run,
    )


def first_issue(report: ChainReport) -> dict[str, Any] | None:
    """Return the first broken row of a report as plain values, or None."""
    if not report.issues:
        return None
    issue = report.issues[0]
    return {"id": issue.id, "seq": issue.seq, "reason": issue.reason}


def _last_signed(ctx: Context) -> Anchor:
    row = newest_checkpoint(ctx)
    if row is None or not as_checkpoint(row).genuine(chain_keys(ctx.config).known):
        return Anchor()
    stored = hash_at(ctx.session, row.seq)
    # A row that is not what was signed makes everything after it doubtful: look at all of it.
    return Anchor(row.seq, stored) if stored == row.head_hash else Anchor()


def _sign(ctx: Context, end: Anchor, *, verified_from: int) -> tuple[Checkpoint, str | None]:
    ctx.begin_write()
    now, keys = ctx.now(), chain_keys(ctx.config)
    if head_of(ctx.session).seq < end.seq or hash_at(ctx.session, end.seq) != end.entry_hash:
        raise Conflict(T("The chain changed while it was verified"))
    signed_at = instant_text(now)
    before = ctx.session.scalar(select(AuditCheckpoint.signature).order_by(AuditCheckpoint.id.desc()).limit(1)) or ""
    signature = checkpoint_signature(
        keys.current, seq=end.seq, head_hash=end.entry_hash, count=end.seq, signed_at=signed_at, previous=before
    )
    made = Checkpoint(end.seq, end.entry_hash, end.seq, signed_at, signature, keys.current_id, before)
    # The line is written first: a checkpoint that promises one has it, also when the plug is pulled in between.
    path = keep_in_file(ctx, made)
    ctx.session.add(
        AuditCheckpoint(
            seq=made.seq,
            head_hash=made.head_hash,
            count=made.count,
            verified_from=verified_from,
            signed_at=now,
            signature=made.signature,
            key_id=made.key_id,
            previous=before,
            kept_by=this_machine() if path else None,
        )
    )
    ctx.session.flush()
    return made, path.name if path else None


def due(ctx: Context) -> bool:
    """Return whether so many entries, or so many minutes with any, have passed since the last checkpoint."""
    head, row = head_of(ctx.session), newest_checkpoint(ctx)
    new = head.seq - (row.seq if row else 0)
    waited = timedelta(minutes=ctx.config["AUDIT_CHECKPOINT_MINUTES"])
    return new >= ctx.config["AUDIT_CHECKPOINT_ENTRIES"] or (
        new > 0 and (row is None or ctx.now() - row.signed_at >= waited)
    )


def acknowledge(ctx: Context, chain: str, *, reason: str) -> int:
    """Acknowledge that the log (or the checkpoint file) of a chain is gone; return up to which place.

    When an older backup of this chain was restored, a new part begins after the last entry on which rows and
    checkpoints agree; the record of it names the checkpoint that was left behind. From then on verification no
    longer reports it; who and why stays on record. Raises PermissionDenied without
    `admins:manage` for all sites, Invalid without a reason, NotFound when nothing of that name is missing.
    """
    ctx.actor.require("admins:manage")
    ctx.actor.require_all_sites()
    reason = reason.strip()
    if not reason:
        raise Invalid.field("reason", T("A reason is needed"))
    ctx.begin_write()
    seq = next((lost.seq for lost in lost_chains(ctx) if lost.chain == chain), 0)
    older = older_copy(ctx) if chain == chain_name(ctx.session) else None
    if older is not None:
        seq = older.seq
    elif chain == chain_name(ctx.session):
        newest = newest_checkpoint(ctx)
        seq = newest.seq if newest else 0
    if not seq:
        raise NotFound(T("No log of that name is missing"))
    keys = chain_keys(ctx.config)
    row = AuditAcknowledgement(
        chain=chain,
        seq=seq,
        reason=reason,
        actor_username=ctx.actor.username,
        acknowledged_at=ctx.now(),
        key_id=keys.current_id,
        after_seq=older.after_seq if older else None,
        left_signature=older.left_signature if older else None,
    )
    row.signature = sign(keys.current, "acknowledgement", acknowledgement_facts(row))
    ctx.session.add(row)
    detail: dict[str, Any] = {"chain": chain, "seq": seq, "reason": reason}
    if older is not None:
        detail |= {"after_seq": older.after_seq, "left_signature": older.left_signature}
    record(ctx, "admin_audit_chain_acknowledge", "admin_audit_log", chain, status="warning", detail=detail)
    return seq
