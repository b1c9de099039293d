"""Input of the integrity batch (API contract, evidence and archive integrity)."""

from __future__ import annotations

from pydantic import Field

from console.inputs.base import QueryModel


class IntegrityQuery(QueryModel):
    """How much is read and listed; without a value the settings decide."""

    sample_per_table: int | None = Field(None, ge=1, le=200)
    max_issues: int | None = Field(None, ge=1, le=500)
