"""Inputs and answers of recovery drills (API contract, DR rehearsal)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from console.domain.text import N_
from console.inputs.base import BodyModel, Instant, OutModel, QueryModel
from console.inputs.jobs import RunHistoryQuery


class RunQuery(QueryModel):
    """Whether the backup is restored and compared as well."""

    simulate_restore: bool = True


class DrillHistoryQuery(RunHistoryQuery):
    """A page of the history."""

    limit: int = Field(20, ge=1, le=100)


class DrillOptions(BodyModel):
    """Whether the backup is restored and compared as well."""

    restore_check: bool = Field(True, title=N_("Restore and compare"))


class TableOut(OutModel):
    """A table beside its copy."""

    name: str
    rows: int | None
    copy_rows: int | None
    checksum: str | None
    copy_checksum: str | None
    result: str


class DrillOut(OutModel):
    """A drill: the fields of its run, the published ones of its detail, and what was measured.

    A run that broke off before it could say anything has the first six fields and `error`.
    """

    run_id: int
    job_name: str
    trigger: str
    status: str | None
    started_at: Instant | None
    finished_at: Instant | None
    enabled: bool = True
    backup_path: str | None = None
    retention_days: int | None = None
    counts: dict[str, int] = Field(default_factory=dict)
    backup_file: str | None = None
    restore_valid: bool = False
    simulate_restore: bool | None = None
    pruned_files: int = 0
    notes: list[str] = Field(default_factory=list)
    note_texts: list[dict[str, Any]] = Field(default_factory=list)
    cause: str | None = None
    database: str | None = None
    method: str | None = None
    schema_revision: str | None = None
    made_at: Instant | None = None
    size_bytes: int | None = None
    backup_sha256: str | None = None
    key_id: str | None = None
    table_count: int = 0
    differing_count: int = 0
    tables: list[TableOut] = Field(default_factory=list)
    evidence: dict[str, Any] | None = None
    backup_seconds: float | None = None
    recovery_seconds: float | None = None
    newest_row_at: Instant | None = None
    newest_table: str | None = None
    possible_loss_seconds: int | None = None
    error: str | None = None
