"""Inputs and answers of alert deliveries (API contract, alerts)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from console.inputs.base import BodyModel, Instant, OutModel, PathModel, QueryModel, RowId


def _statuses(words: list[str]) -> list[str]:
    # Published rule: lower-cased, each once, sorted; an empty list means the default.
    return sorted({word.strip().lower() for word in words if word.strip()}) or ["failed", "warning"]


class DeliveryPath(PathModel):
    """A delivery by id."""

    delivery_id: RowId


class DeliveriesQuery(QueryModel):
    """Which deliveries, newest attempt first."""

    event_type: str | None = Field(None, max_length=80)
    status: str | None = Field(None, max_length=20)
    limit: int = Field(100, ge=1, le=300)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class RetriesIn(BodyModel):
    """Which failed deliveries are tried again at once."""

    event_type: str | None = Field(None, max_length=80)
    only_status: Annotated[list[Annotated[str, Field(max_length=20)]], AfterValidator(_statuses)] = Field(
        default_factory=lambda: ["failed", "warning"], max_length=20
    )
    limit: int = Field(200, ge=1, le=5000)
    max_attempt_count: int = Field(10, ge=1, le=1000)
    min_last_attempt_age_sec: int = Field(30, ge=0, le=86400)


class RetriesOut(OutModel):
    """What a batch retry did (API contract, retries)."""

    checked_at: Instant
    event_type: str | None
    limit: int
    processed_count: int
    success_count: int
    warning_count: int
    failed_count: int
    delivery_ids: list[int]
    run_id: int | None
