"""Writing hashes anew after damage, with everything kept that proves the damage (contract 10.3; defect A3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update

from console.core.context import Context
from console.domain.audit.archive import month_of
from console.domain.audit.chain import ChainRow
from console.domain.audit.entry import Entry, entry_hash, keyed_hash
from console.domain.errors import Invalid
from console.services.audit.append import LOGS, locked_head, move_head
from console.services.audit.keys import ChainKeys
from console.services.audit.reader import Span, batches, last_place, row_before
from console.services.audit.rebaseline_records import Change, Evidence
from console.services.audit.record import record

_REWRITE = (
    update(LOGS)
    .where(LOGS.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in ("prev_hash", "entry_hash", "created_text", "keyed_hash")})
    .values(key_id=bindparam("new_key_id"))
)


@dataclass(frozen=True)
class RebaselineResult:
    """What was, or in a dry run would be, written anew; the first ten fields are those of the API contract.

    `evidence_id` names the copy of the old hashes that was kept; None when nothing changed.
    """

    from_month: str | None
    max_rows: int
    dry_run: bool
    anchor_id: int | None
    scanned_count: int
    updated_count: int
    first_updated_id: int | None
    last_updated_id: int | None
    last_entry_hash: str | None
    evidence_id: int | None
    snapshot_sha256: str | None
    missing_count: int
    warnings: tuple[str, ...]


@dataclass
class _Walk:
    """What the rewriting has seen so far."""

    running: str
    place: int
    scanned: int = 0
    missing: int = 0
    changed: int = 0
    first_changed: int | None = None
    last_changed: int | None = None


def must_confirm(ctx: Context) -> bool:
    """Return whether a real rebaseline needs `confirm=true` or a reason here (AUDIT_REBASELINE_CONFIRM)."""
    wanted = ctx.config["AUDIT_REBASELINE_CONFIRM"]
    return wanted == "always" or (wanted == "auto" and ctx.config.production) or ctx.actor.kind == "session"


def rebaseline(
    ctx: Context,
    *,
    from_month: str | None = None,
    max_rows: int = 50_000,
    dry_run: bool = False,
    confirm: bool = False,
    reason: str = "",
) -> RebaselineResult:
    """Write the hashes of at most `max_rows` rows from a month on anew, so that they link up again.

    Old and new hashes of each changed row are kept first, signed, with actor and reason; integrity goes on reporting
    the stretch for ever. Rows that are gone stay gone: the evidence says how many were missing where. Raises
    PermissionDenied without `admins:manage` for all sites, BadRequest for what is no month, Invalid without the
    confirmation that people always and automation in production has to give. The chain is locked meanwhile.
    """
    ctx.actor.require("admins:manage")
    ctx.actor.require_all_sites()
    start = month_of(from_month).start if from_month else None
    reason = reason.strip()
    if not dry_run and must_confirm(ctx) and not (confirm or reason):
        raise Invalid("A rebaseline needs confirm=true or a reason; try dry_run=true first", code="confirm_needed")
    connection = ctx.session.connection()
    head = locked_head(connection)
    query = select(func.min(LOGS.c.seq))
    first = ctx.session.scalar(query.where(LOGS.c.created_at >= start) if start else query)
    anchor = row_before(ctx.session, Span(first, None, 0), month_of(from_month) if from_month else None)
    anchor_id = ctx.session.scalar(select(LOGS.c.id).where(LOGS.c.seq == anchor.seq))
    evidence = Evidence(ctx, from_month, confirmed=confirm, reason=reason, dry_run=dry_run)
    walk = _Walk(anchor.entry_hash, anchor.seq)
    if first is not None:
        for rows in _limited(batches(ctx.session, first, last_place(ctx.session)), max_rows):
            _write(evidence, _rewritten(walk, rows, evidence.keys))
    at_end = walk.place == last_place(ctx.session)
    if at_end and head.seq > walk.place:
        walk.missing += head.seq - walk.place
        evidence.keep_cut_off(walk.place, head.seq, walk.running or None)
    found = evidence.close()
    if at_end and found is not None and (head.seq, head.head_hash) != (walk.place, walk.running):
        # Numbers of deleted rows are never given out again.
        seq = max(head.seq, walk.place)
        move_head(connection, head, seq=seq, head_hash=walk.running, last_created_at=head.last_created_at)
    result = RebaselineResult(
        from_month=from_month or None,
        max_rows=max_rows,
        dry_run=dry_run,
        anchor_id=anchor_id,
        scanned_count=walk.scanned,
        updated_count=walk.changed,
        first_updated_id=walk.first_changed,
        last_updated_id=walk.last_changed,
        last_entry_hash=walk.running or None,
        evidence_id=found.id if found else None,
        snapshot_sha256=found.snapshot_sha256 if found else None,
        missing_count=walk.missing,
        warnings=_warnings(walk, max_rows, dry_run=dry_run, at_end=at_end),
    )
    _put_on_record(ctx, result, reason)
    return result


def _write(evidence: Evidence, changed: list[Change]) -> None:
    if changed and not evidence.dry_run:
        evidence.keep(changed)
        evidence.ctx.session.connection().execute(_REWRITE, [change.values for change in changed])


def _warnings(walk: _Walk, max_rows: int, *, dry_run: bool, at_end: bool) -> tuple[str, ...]:
    found = []
    if walk.missing:
        found.append(f"{walk.missing} rows are missing and cannot be restored")
    if not at_end:
        found.append(f"Only the first {max_rows} rows were looked at; the row after them may no longer link up")
    if walk.changed and not dry_run:
        found.append("The rewritten stretch stays reported as rebaselined")
    return tuple(found)


def _put_on_record(ctx: Context, result: RebaselineResult, reason: str) -> None:
    names = (
        "from_month", "max_rows", "dry_run", "anchor_id", "scanned_count", "updated_count", "first_updated_id",
        "last_updated_id", "evidence_id", "snapshot_sha256", "missing_count",
    )  # fmt: skip
    detail = {**{name: getattr(result, name) for name in names}, "reason": reason}
    record(ctx, "admin_audit_chain_rebaseline", "admin_audit_log", result.from_month or "all", detail=detail)


def _limited(stretches: Iterable[list[ChainRow]], limit: int) -> Iterator[list[ChainRow]]:
    for rows in stretches:
        yield rows[:limit]
        limit -= len(rows)
        if limit <= 0:
            return


def _rewritten(walk: _Walk, rows: Iterable[ChainRow], keys: ChainKeys) -> list[Change]:
    """Return the rows that differ, with their new values."""
    changed = []
    for row in rows:
        entry = Entry(*row[2:9])
        digest = entry_hash(entry, prev_hash=walk.running, created_text=row.created_at)
        key = keys.known.get(row.key_id or "")
        genuine = key is not None and keyed_hash(key, row.seq, digest, row.request_id or "") == row.keyed_hash
        missing = max(0, row.seq - walk.place - 1)
        stored = (row.prev_hash or "", row.entry_hash, row.created_text)
        if stored != (walk.running, digest, row.created_at) or not genuine or missing:
            values = {
                "row_id": row.id,
                "new_prev_hash": walk.running or None,
                "new_entry_hash": digest,
                "new_created_text": row.created_at,
                "new_keyed_hash": keyed_hash(keys.current, row.seq, digest, row.request_id or ""),
                "new_key_id": keys.current_id,
            }
            changed.append(Change(row, values, missing))
            walk.changed += 1
            walk.first_changed = walk.first_changed or row.id
            walk.last_changed = row.id
        walk.running, walk.place = digest, row.seq
        walk.scanned += 1
        walk.missing += missing
    return changed
