"""Inputs and answers of the audit endpoints (API contract, sections 9 and 10)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from console.inputs.base import BodyModel, InstantIn, OutModel, QueryModel

MAX_ENTRIES = 50_000
MAX_ROWS = 200_000
REASON_MAX = 500
MAX_ID = 2**63 - 1

# Only the form is checked here (422); what is no month is refused by its own words (400).
MonthText = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}$")]
Word = Annotated[str, Field(max_length=200)]


class LogQuery(QueryModel):
    """Which entries; all filters are exact. `from` is inclusive, `to` exclusive; `cursor` is X-Next-Cursor."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, populate_by_name=True)

    action: Word | None = None
    actor_username: Word | None = None
    resource_type: Word | None = None
    resource_id: Word | None = None
    status: Word | None = None
    request_id: Word | None = None
    since: InstantIn | None = Field(None, alias="from")
    until: InstantIn | None = Field(None, alias="to")
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=2**31 - 1)
    cursor: int | None = Field(None, ge=1, le=MAX_ID)


class IntegrityQuery(QueryModel):
    """Which month, by default the current UTC one, and how many entries an archive of it would hold."""

    month: MonthText | None = None
    max_entries: int = Field(10_000, ge=1, le=MAX_ENTRIES)


class ArchiveQuery(IntegrityQuery):
    """Which month, and whether its entries are wanted."""

    include_entries: bool = True


class CsvQuery(IntegrityQuery):
    """Which month, and in which form."""

    format_version: Literal["v1", "v2"] = "v1"


class RebaselineQuery(QueryModel):
    """From which month, how many rows, and the confirmation of a real run."""

    from_month: MonthText | None = None
    max_rows: int = Field(50_000, ge=1, le=MAX_ROWS)
    dry_run: bool = False
    confirm: bool = False
    reason: str = Field("", max_length=REASON_MAX)


class AcknowledgeIn(BodyModel):
    """Which log is gone, by the name in its checkpoint files, and why."""

    chain: str = Field(min_length=1, max_length=12)
    reason: str = Field(min_length=1, max_length=REASON_MAX)


class AcknowledgedOut(OutModel):
    """Which log, and up to which entry, is no longer reported as missing."""

    chain: str
    seq: int


class IssueOut(OutModel):
    """What is wrong with which row; `id` is null when the row itself is missing."""

    id: int | None
    reason: str
    seq: int | None


class ChainOut(OutModel):
    """The result of a verification (contract 9.3)."""

    checked_count: int
    issue_count: int
    issues: list[IssueOut]
    initial_prev_hash: str | None
    last_entry_hash: str | None
    chain_ok: bool
    first_seq: int | None
    last_seq: int | None


class SignedOut(OutModel):
    """What integrity and archive have in common; times are ISO 8601 with offset."""

    month: str
    generated_at: str
    entry_count: int
    chain: ChainOut
    archive_sha256: str
    signature: str | None
    signature_algorithm: Literal["hmac-sha256", "unsigned"]
    format_version: str
    attachment_schema_version: str
    total_count: int
    truncated: bool
    rebaselined_ranges: list[dict[str, Any]]
    warnings: list[str]
    latest_checkpoint: dict[str, Any] | None
    signing_key_id: str | None
    meta: dict[str, Any]


class IntegrityOut(SignedOut):
    """The verification of a month and the digest of its archive without entries."""


class ArchiveOut(SignedOut):
    """The signed archive of a month; everything but the digest, the signature and its algorithm is signed."""

    window_start: str
    window_end: str
    max_entries: int
    dr_rehearsal_attachment: dict[str, Any]
    entries_included: bool
    attachment_count: int
    attachments: dict[str, dict[str, Any]]
    entries: list[dict[str, Any]]
