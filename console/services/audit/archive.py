"""The archive of a month: verified as a stream, described, signed (contract 10.4 to 10.7)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.domain.audit.archive import (
    CSV_COLUMNS,
    FORMAT_VERSION,
    Month,
    answer_text,
    drill_attachment,
    file_text,
    sealed,
    stable_digest,
)
from console.domain.audit.chain import ChainReport, ChainRow
from console.domain.audit.entry import canonical_json, clean, detail_object, instant_text, month_facts, signature
from console.domain.jobs import names as job_names
from console.models.audit import AuditCheckpoint
from console.models.jobs import JobRun
from console.services.audit.checkpoint_store import as_checkpoint
from console.services.audit.keys import chain_keys, signing_key_id
from console.services.audit.log import READ
from console.services.audit.rebaseline_records import RebaselinedRange, ranges
from console.services.audit.verify import MonthReport, Progress, verify_month

_DRILL_FIELDS = ("restore_valid", "simulate_restore", "backup_file", "pruned_files", "counts", "notes")
_HASHED = ("prev_hash", "entry_hash", "keyed_hash", "key_id", "request_id")


@dataclass(frozen=True)
class Archive:
    """A signed monthly document; `entries` are its entries as canonical JSON, ready to be written."""

    month: Month
    document: Mapping[str, Any]
    entries: tuple[str, ...]

    @property
    def chain_ok(self) -> bool:
        """Return whether every row of the month verified."""
        return bool(self.document["chain"]["chain_ok"])

    def as_answer(self) -> bytes:
        """Return the document as JSON."""
        return b"".join(answer_text(self.document, self.entries))

    def as_file(self) -> Iterator[bytes]:
        """Return the document as it is kept in a file, in pieces."""
        return file_text(self.document, self.entries)

    def stable_digest(self) -> str:
        """Return what two archives of the same rows have in common, whenever they were made."""
        return stable_digest(self.document, self.entries)

    def facts(self) -> dict[str, Any]:
        """Return the document without its entries."""
        return {key: value for key, value in self.document.items() if key != "entries"}


def build(
    ctx: Context,
    month: Month,
    *,
    max_entries: int = 10_000,
    include_entries: bool = True,
    schema: str = "admin_audit_archive_payload",
    endpoint: str | None = None,
    progress: Progress | None = None,
) -> Archive:
    """Verify a whole month as a stream and make its signed document with at most `max_entries` of its oldest rows.

    What is written into it is written before it is signed. Raises PermissionDenied without `admins:manage` or
    `audit:read` (jobs run as who asked for them).
    """
    ctx.actor.require(*READ)
    entries: list[str] = []
    ends: list[tuple[int, str | None]] = []

    def collect(rows: Iterable[ChainRow]) -> None:
        for row in rows:
            if len(entries) >= max_entries:
                return
            entries.append(entry_text_of(row))
            ends[1:] = [(row.seq, row.entry_hash)]
            if len(entries) == 1:
                ends[:] = ends * 2

    seen = verify_month(ctx, month, progress=progress, each=collect if include_entries else None)
    document = _document(ctx, month, seen, max_entries=max_entries, include_entries=include_entries)
    document["meta"] = {"schema": schema, **document["meta"]}
    if endpoint:
        document["meta"] |= {"endpoint": endpoint, "scope_type": "monthly", "include_entries": include_entries}
    document["month_seal"] = _month_seal(ctx, document, ends)
    document["entries"] = None
    return Archive(month, sealed(document, ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"], entries), tuple(entries))


def entry_text_of(row: ChainRow) -> str:
    """Write one row as it stands in an archive: with its proofs, and with the text that was hashed."""
    entry = {
        **{name: getattr(row, name) for name in ("id", "seq", *CSV_COLUMNS[2:7], "actor_user_id", *_HASHED)},
        "created_at": row.created_at,
        "detail": detail_object(row.detail_json),
        "detail_json": row.detail_json,
    }
    return clean(canonical_json(entry))


def chain_facts(report: ChainReport) -> dict[str, Any]:
    """Return a verification as the contract words it (9.3), with places beside the row ids."""
    return {
        "checked_count": report.checked_count,
        "issue_count": report.issue_count,
        "issues": [asdict(issue) for issue in report.issues],
        "initial_prev_hash": report.initial_prev_hash,
        "last_entry_hash": report.last_entry_hash,
        "chain_ok": report.chain_ok,
        "first_seq": report.first_seq,
        "last_seq": report.last_seq,
    }


def _document(
    ctx: Context, month: Month, seen: MonthReport, *, max_entries: int, include_entries: bool
) -> dict[str, Any]:
    report = seen.report
    drill = _drill(ctx, month)
    rewritten = ranges(ctx, first=report.first_seq or 0, last=report.last_seq or 0)
    truncated = seen.total_count > max_entries
    meta = {
        "schema_version": "v1",
        "format_version": FORMAT_VERSION,
        "attachment_schema_version": FORMAT_VERSION,
        "month": month.text,
        "entries_included": include_entries,
    }
    return {
        "month": month.text,
        "window_start": instant_text(month.start),
        "window_end": instant_text(month.end),
        "generated_at": instant_text(ctx.now()),
        "entry_count": min(seen.total_count, max_entries),
        "max_entries": max_entries,
        "total_count": seen.total_count,
        "truncated": truncated,
        "chain": chain_facts(report),
        "rebaselined_ranges": [_range_facts(item) for item in rewritten],
        "warnings": list(_warnings(rewritten, truncated=truncated, unfinished=not month.over(ctx.now()))),
        "latest_checkpoint": _latest_checkpoint(ctx, report),
        "dr_rehearsal_attachment": drill,
        "format_version": FORMAT_VERSION,
        "attachment_schema_version": FORMAT_VERSION,
        "meta": meta,
        "entries_included": include_entries,
        "attachment_count": 1,
        "attachments": {"dr_rehearsal": drill},
        "signing_key_id": signing_key_id(ctx.config),
    }


def _month_seal(
    ctx: Context, document: Mapping[str, Any], included: Sequence[tuple[int, str | None]]
) -> dict[str, Any]:
    """Return the seal of the month: made with the chain key, it shows a receiver with that key alone what was cut."""
    keys = chain_keys(ctx.config)
    facts = month_facts(
        month=document["month"],
        chain=document["chain"],
        total_count=document["total_count"],
        included=included,
        entries_included=document["entries_included"],
        rebaselined_ranges=document["rebaselined_ranges"],
    )
    return {**facts, "key_id": keys.current_id, "signature": signature(keys.current, "month", facts)}


def _range_facts(item: RebaselinedRange) -> dict[str, Any]:
    return {**asdict(item), "rebaselined_at": instant_text(item.rebaselined_at)}


def _warnings(rewritten: Iterable[RebaselinedRange], *, truncated: bool, unfinished: bool) -> Iterator[str]:
    for item in rewritten:
        yield (
            f"Hashes of {item.changed_count} rows (sequence {item.first_seq} to {item.last_seq}) were written anew by "
            f"{item.actor_username} on {instant_text(item.rebaselined_at)}"
        )
        if not item.evidence_ok:
            yield f"The evidence of rebaseline {item.id} is not genuine or not complete"
    if truncated:
        yield "Not all entries of the month are included; all of them were verified"
    if unfinished:
        yield "The month has not ended yet"


def _latest_checkpoint(ctx: Context, report: ChainReport) -> dict[str, Any] | None:
    """Return the newest checkpoint of the stretch, so that its receiver can check it with the chain key."""
    query = (
        select(AuditCheckpoint)
        .where(AuditCheckpoint.seq >= (report.first_seq or 0), AuditCheckpoint.seq <= (report.last_seq or 0))
        .order_by(AuditCheckpoint.seq.desc(), AuditCheckpoint.id.desc())
        .limit(1)
    )
    row = ctx.session.scalars(query).one_or_none()
    if row is None:
        return None
    made = as_checkpoint(row)
    return {**asdict(made), "genuine": made.genuine(chain_keys(ctx.config).known)}


def _drill(ctx: Context, month: Month) -> dict[str, Any]:
    runs = (
        select(JobRun)
        .where(JobRun.job_name == job_names.DR_REHEARSAL, JobRun.finished_at < month.end, JobRun.dry_run.is_(False))
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    in_month = ctx.session.scalars(runs.where(JobRun.finished_at >= month.start)).one_or_none()
    before_end = ctx.session.scalars(runs).one_or_none()
    return drill_attachment(
        required=ctx.config["DR_REHEARSAL_ENABLED"],
        month=month,
        in_month=_drill_run(in_month),
        before_end=_drill_run(before_end),
    )


def _drill_run(run: JobRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "run_id": run.id,
        "status": run.status,
        "trigger": run.trigger,
        "started_at": _instant(run.started_at),
        "finished_at": _instant(run.finished_at),
        **{name: run.detail_json.get(name) for name in _DRILL_FIELDS},
    }


def _instant(instant: datetime | None) -> str | None:
    return instant_text(instant) if instant else None
