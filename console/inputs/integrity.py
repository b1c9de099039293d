"""Input and answer of the integrity batch (API contract, evidence and archive integrity)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from console.inputs.base import OutModel, QueryModel


class IntegrityQuery(QueryModel):
    """How much is read and listed; without a value the settings decide."""

    sample_per_table: int | None = Field(None, ge=1, le=200)
    max_issues: int | None = Field(None, ge=1, le=500)


class TableCheckOut(OutModel):
    """The files of one module."""

    module: str
    checked_count: int
    missing_blob_count: int
    missing_hash_count: int
    digest_mismatch_count: int
    read_error_count: int


class ArchiveCheckOut(OutModel):
    """The audit archives: eight published fields, then what was added about the kept ones."""

    month: str
    entry_count: int
    chain_ok: bool
    archive_sha_ok: bool
    signature_ok: bool
    signature_algorithm_ok: bool
    signature_algorithm: str
    signed: bool
    stored_checked_count: int
    stored_mismatch_count: int


class IntegrityOut(OutModel):
    """What was read, and what was wrong with it."""

    status: str
    message: str
    sample_per_table: int
    checked_count: int
    missing_blob_count: int
    missing_hash_count: int
    digest_mismatch_count: int
    read_error_count: int
    issue_count: int
    issues: list[dict[str, Any]]
    tables: list[TableCheckOut]
    archive: ArchiveCheckOut
