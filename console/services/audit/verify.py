"""Verifying the chain: all of it, a month, or what came since the last checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from console.core.context import Context
from console.domain.audit.archive import Month
from console.domain.audit.chain import (
    ISSUES_KEPT,
    Anchor,
    ChainReport,
    ChainRow,
    ChainVerifier,
    Checkpoint,
    Issue,
    accepted_hash,
)
from console.domain.jobs import names as job_names
from console.models.audit import AuditCheckpoint
from console.models.jobs import JobRun
from console.services.audit.checkpoint_store import (
    as_checkpoint,
    files_of,
    gap_teller,
    lost_chains,
    newest_in_files,
    other_chains,
    promises,
    replacements,
    unkept,
)
from console.services.audit.keys import chain_keys
from console.services.audit.reader import batches, ends_of, hash_at, head_of, row_after, row_before, span_of, state_of
from console.services.common.query_cache import cached_query_until

# The gate looks at this many of the newest rows at most; the hourly job looks at all of them.
STATUS_ROWS = 2000
LOOK_AGAIN_AFTER = timedelta(minutes=1)
_BEGINNING = Anchor()


@dataclass(frozen=True)
class MonthReport:
    """A verified month: the report, and how many rows there are in it."""

    report: ChainReport
    total_count: int


@dataclass(frozen=True)
class ChainStatus:
    """What is known about the chain right now; all instants are aware UTC.

    `checked_count` rows were verified for this answer, from `checked_from` on. `full_verified_at` is when the whole
    chain was last verified, `full_issue_count` what that found (None: never). `partial` tells that there are rows
    between the last checkpoint and `checked_from`, `other_chains` counts checkpoint files of another log.
    """

    generated_at: datetime
    chain_ok: bool
    checked_count: int
    checked_from: int
    issue_count: int
    issues: tuple[Issue, ...]
    last_seq: int
    checkpoint_seq: int | None
    checkpoint_at: datetime | None
    checkpoint_age: timedelta | None
    full_verified_at: datetime | None
    full_issue_count: int | None
    partial: bool
    rebaseline_count: int
    clock_behind: timedelta
    other_chains: int


@dataclass(frozen=True)
class FullVerification:
    """When the whole chain was last verified (aware UTC) and what that found; None before the first time."""

    at: datetime | None = None
    issue_count: int | None = None


Progress = Callable[[int, int], None]
Rows = Callable[[list[ChainRow]], None]


def _verifier(ctx: Context, anchor: Anchor, marks: Mapping[int, str] | None = None) -> ChainVerifier:
    keys = chain_keys(ctx.config).known
    return ChainVerifier(anchor, keys, marks or {}, gap_teller(ctx.session, keys))


def _feed(
    ctx: Context,
    verifier: ChainVerifier,
    first: int,
    last: int,
    *,
    progress: Progress | None = None,
    each: Rows | None = None,
) -> None:
    total = last - first + 1
    for rows in batches(ctx.session, first, last):
        verifier.feed(rows)
        if each:
            each(rows)
        if progress:
            progress(rows[-1].seq - first + 1, total)


def _check_end(ctx: Context, verifier: ChainVerifier, head: Anchor) -> None:
    """Compare the end that was reached with the head, and look for rows beyond it."""
    verifier.check_end(head_seq=head.seq, head_hash=head.entry_hash)
    newest, known = ends_of(ctx.session)
    if newest > known:
        verifier.note(None, "head_mismatch", newest)


def verify_all(ctx: Context, *, progress: Progress | None = None) -> ChainReport:
    """Verify every row against hashes, keyed hashes, head and all checkpoints."""
    return verify_from(ctx, _BEGINNING, progress=progress)


def verify_from(ctx: Context, anchor: Anchor, *, progress: Progress | None = None) -> ChainReport:
    """Verify the rows after `anchor` up to the end of the chain."""
    head = head_of(ctx.session)
    promised = promises(ctx, first=anchor.seq + 1, last=head.seq)
    verifier = _verifier(ctx, anchor, promised.marks)
    _feed(ctx, verifier, anchor.seq + 1, head.seq, progress=progress)
    _check_end(ctx, verifier, head)
    promised.tell(verifier, head_seq=head.seq)
    return verifier.report()


def verify_month(
    ctx: Context, month: Month, *, progress: Progress | None = None, each: Rows | None = None
) -> MonthReport:
    """Verify all rows of a UTC month, and that none is missing at its edges; `each` gets the rows as they pass."""
    head = head_of(ctx.session)
    span = span_of(ctx.session, month, upto=head.seq)
    anchor = row_before(ctx.session, span, month)
    first, last = span.first or anchor.seq + 1, span.last or anchor.seq
    promised = promises(ctx, first=first, last=last)
    verifier = _verifier(ctx, anchor, promised.marks)
    _feed(ctx, verifier, first, last, progress=progress, each=each)
    following = row_after(ctx.session, verifier.last_seq, upto=head.seq)
    if following:
        verifier.check_next(*following)
    else:
        _check_end(ctx, verifier, head)
        promised.tell(verifier, head_seq=head.seq)
    return MonthReport(verifier.report(), span.total)


def newest_checkpoint(ctx: Context) -> AuditCheckpoint | None:
    """Return the checkpoint that reaches furthest, or None."""
    query = select(AuditCheckpoint).order_by(AuditCheckpoint.seq.desc(), AuditCheckpoint.id.desc()).limit(1)
    return ctx.session.scalars(query).one_or_none()


def trusted_start(ctx: Context, verifier: ChainVerifier, checkpoint: Checkpoint, *, rebaselined: bool = True) -> Anchor:
    """Return the row under a checkpoint as the start of a verification; notes when it is not what was promised.

    Whether hashes were ever written anew (`rebaselined`) may be known to the caller.
    """
    keys = chain_keys(ctx.config).known
    if not checkpoint.genuine(keys):
        verifier.note(None, "checkpoint_invalid", checkpoint.seq)
        return _BEGINNING
    stored = hash_at(ctx.session, checkpoint.seq)
    replaced = replacements(ctx.session, keys, [checkpoint.seq]).get(checkpoint.seq, []) if rebaselined else []
    if stored != accepted_hash(checkpoint.head_hash, replaced):
        verifier.note(None, "checkpoint_mismatch", checkpoint.seq)
    return Anchor(checkpoint.seq, stored or "")


def chain_status(ctx: Context, full: FullVerification | None = None) -> ChainStatus:
    """Tell in a moment whether the chain is whole, for the gate and the pages.

    `full` is the last full verification of a caller that has read it already.

    Rows since the last checkpoint are verified (at most the newest two thousand), the checkpoints' own rows are
    compared, and the result of the last full verification is taken along with its age.
    """
    now = ctx.now()
    state = state_of(ctx.session)
    head = state.head
    verifier = _verifier(ctx, _BEGINNING)
    start, partial = _BEGINNING, False
    row = newest_checkpoint(ctx)
    if row is not None:
        start = trusted_start(ctx, verifier, as_checkpoint(row), rebaselined=bool(state.rebaseline_count))
    files = files_of(ctx, state)
    kept = newest_in_files(ctx, row, files)
    if kept is not None and (row is None or (kept.seq, kept.head_hash) != (row.seq, row.head_hash)):
        trusted_start(ctx, verifier, kept)
    if row is not None and unkept(ctx, [row], {kept.signature} if kept else ()):
        verifier.note(None, "checkpoint_file_incomplete", row.seq)
    for lost in lost_chains(ctx, files):
        verifier.note(None, "chain_missing", lost.seq)
    if head.seq - start.seq > STATUS_ROWS:
        partial = True
        start = Anchor(head.seq - STATUS_ROWS, hash_at(ctx.session, head.seq - STATUS_ROWS) or "")
    report = _newest_rows(ctx, start, head)
    full = full or _last_full(ctx)
    found = full.issue_count
    issue_count = verifier.issue_count + report.issue_count
    signed_at = row.signed_at if row else None
    newest_at = state.newest_at
    return ChainStatus(
        generated_at=now,
        chain_ok=not issue_count and not found,
        checked_count=report.checked_count,
        checked_from=start.seq + 1,
        issue_count=issue_count + (found or 0),
        issues=(*verifier.issues, *report.issues)[:ISSUES_KEPT],
        last_seq=head.seq,
        checkpoint_seq=row.seq if row else None,
        checkpoint_at=signed_at,
        checkpoint_age=now - signed_at if signed_at else None,
        full_verified_at=full.at,
        full_issue_count=found,
        partial=partial,
        rebaseline_count=state.rebaseline_count,
        clock_behind=max(timedelta(0), newest_at - now) if newest_at else timedelta(0),
        other_chains=other_chains(ctx, files),
    )


def _last_full(ctx: Context) -> FullVerification:
    """Return the newest run that verified the whole chain to its end."""
    done = (JobRun.executed.is_(True), JobRun.dry_run.is_(False), JobRun.finished_at.is_not(None))
    newest = select(JobRun).where(JobRun.job_name == job_names.AUDIT_VERIFY, *done)
    run = ctx.session.scalars(newest.order_by(JobRun.finished_at.desc(), JobRun.id.desc()).limit(1)).first()
    if run is None:
        return FullVerification()
    return FullVerification(run.finished_at, int(run.detail_json.get("issue_count", 0)))


def _newest_rows(ctx: Context, start: Anchor, head: Anchor) -> ChainReport:
    """Verify the rows after `start`; readers do it again once anything was written, and every minute in any case.

    A row cannot be changed without a commit that the database knows of; the minute is for hands on its files.
    """
    now = ctx.now()

    def verify() -> tuple[ChainReport, datetime]:
        verifier = _verifier(ctx, start)
        _feed(ctx, verifier, start.seq + 1, head.seq)
        _check_end(ctx, verifier, head)
        return verifier.report(), now + LOOK_AGAIN_AFTER

    key = ("audit_chain", start, head, *sorted(chain_keys(ctx.config).known))
    return cached_query_until(ctx, key, now, verify)
