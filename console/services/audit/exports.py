"""Integrity of a month, and its archive as JSON and CSV for a receiver (contract 10.2, 10.4, 10.5)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from console.core.context import Context
from console.core.serialize import csv_line
from console.domain.audit.archive import (
    CSV_COLUMNS,
    CSV_FACTS_COLUMNS,
    FORMAT_VERSION,
    Month,
    content_signature,
    facts_block,
    month_at,
    month_of,
)
from console.services.audit.archive import Archive, build
from console.services.audit.keys import signing_key_id
from console.services.audit.log import check_whole
from console.services.audit.record import record, viewed

TYPE = "admin_audit_log"
ENDPOINT = "/api/admin/audit-archive/monthly"

CsvVersion = Literal["v1", "v2"]


@dataclass(frozen=True)
class CsvFile:
    """A CSV of a month with what its receiver needs to check it."""

    name: str
    content: bytes
    headers: Mapping[str, str]


def month_or_now(ctx: Context, text: str | None) -> Month:
    """Read a month, by default the current UTC one; raises BadRequest for what is no month."""
    return month_of(text) if text else month_at(ctx.now())


def integrity(ctx: Context, *, month: str | None = None, max_entries: int = 10_000) -> dict[str, Any]:
    """Verify a month and tell the result with the digest of its archive without entries; nothing is written.

    Raises PermissionDenied without `admins:manage`, or `audit:read` for all sites; BadRequest for what is no month.
    """
    check_whole(ctx)
    made = build(ctx, month_or_now(ctx, month), max_entries=max_entries, include_entries=False)
    document = made.document
    names = (
        "month", "generated_at", "entry_count", "chain", "archive_sha256", "signature", "signature_algorithm",
        "format_version", "attachment_schema_version", "total_count", "truncated", "rebaselined_ranges", "warnings",
        "latest_checkpoint", "signing_key_id",
    )  # fmt: skip
    meta = {
        "schema": "admin_audit_integrity_response",
        "schema_version": "v1",
        "endpoint": "/api/admin/audit-integrity",
        "scope_type": "monthly",
        "month": made.month.text,
        "include_entries": False,
        "format_version": FORMAT_VERSION,
        "attachment_schema_version": FORMAT_VERSION,
    }
    chain = document["chain"]
    viewed(
        ctx,
        "admin_audit_integrity_check",
        TYPE,
        made.month.text,
        entry_count=document["entry_count"],
        chain_ok=chain["chain_ok"],
        issue_count=chain["issue_count"],
    )
    return {**{name: document[name] for name in names}, "meta": meta}


def export_json(
    ctx: Context, *, month: str | None = None, max_entries: int = 10_000, include_entries: bool = True
) -> Archive:
    """Make the archive of a month for its receiver and put the export on record.

    The reading is done before the transaction becomes a writing one: a long export keeps nobody from writing.
    """
    check_whole(ctx)
    made = build(
        ctx,
        month_or_now(ctx, month),
        max_entries=max_entries,
        include_entries=include_entries,
        schema="admin_audit_archive_response",
        endpoint=ENDPOINT,
    )
    _put_on_record(ctx, "admin_audit_archive_export_json", made, include_entries=include_entries)
    return made


def export_csv(
    ctx: Context, *, month: str | None = None, max_entries: int = 10_000, version: CsvVersion = "v1"
) -> CsvFile:
    """Make the CSV of a month, signed as it is sent, and put the export on record.

    `X-Audit-Archive-SHA256` is the digest of the JSON archive made for the same request (contract 10.5);
    `X-Content-SHA256` and `X-Content-Signature` are those of the file itself (defect A8).
    """
    check_whole(ctx)
    made = build(ctx, month_or_now(ctx, month), max_entries=max_entries)
    content = "".join(_csv(made, version)).encode()
    key = ctx.config["AUDIT_ARCHIVE_SIGNING_KEY"]
    headers = {
        "X-Audit-Archive-SHA256": made.document["archive_sha256"],
        "X-Audit-Archive-Signature": made.document["signature"] or "",
        "X-Audit-Archive-Format-Version": version,
        **content_headers(content, key),
        "X-Signature-Key-Id": signing_key_id(ctx.config) or "",
    }
    suffix = "" if version == "v1" else f"-{version}"
    _put_on_record(ctx, "admin_audit_archive_export_csv", made, format_version=version)
    return CsvFile(f"audit-archive-{made.month.text}{suffix}.csv", content, headers)


def content_headers(content: bytes, key: str) -> dict[str, str]:
    """Return digest and signature of a file as headers."""
    return {"X-Content-SHA256": sha256(content).hexdigest(), "X-Content-Signature": content_signature(content, key)}


def _csv(made: Archive, version: CsvVersion) -> Iterator[str]:
    if version == "v2":
        yield csv_line(CSV_FACTS_COLUMNS)
        for row in facts_block(made.document):
            yield csv_line(row)
        yield "\r\n"
    yield csv_line(CSV_COLUMNS)
    for text in made.entries:
        entry = json.loads(text)
        yield csv_line([entry[name] for name in CSV_COLUMNS])


def _put_on_record(ctx: Context, action: str, made: Archive, **more: Any) -> None:
    ctx.begin_write()
    detail = {"month": made.month.text, "entry_count": made.document["entry_count"], "chain_ok": made.chain_ok, **more}
    record(ctx, action, TYPE, made.month.text, detail={**detail, "archive_sha256": made.document["archive_sha256"]})
