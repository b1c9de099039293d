"""Response times of the watched endpoints (API contract, api_latency_samples), added up, and their alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Double, Index, Integer, String, Table, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only
from console.models.types import JsonValue, UtcDateTime

# One more than there are steps of the histogram (console/domain/reliability/buckets.py).
HISTOGRAM_PARTS = 19


class LatencySample(Base):
    """One measured request; durations in milliseconds. `endpoint_key` is the target that matched, `METHOD /path`."""

    __tablename__ = "api_latency_samples"
    __table_args__ = (
        CheckConstraint("duration_ms >= 0", name="duration"),
        # Newest samples of one endpoint (percentiles) and its windows (burn rate).
        Index("ix_api_latency_endpoint_sampled_at", "endpoint_key", "sampled_at"),
        # Retention.
        Index("ix_api_latency_sampled_at", "sampled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_key: Mapped[str] = mapped_column(String(220))
    method: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(String(240))
    duration_ms: Mapped[float]
    status_code: Mapped[int | None] = mapped_column(Integer)
    is_error: Mapped[bool] = mapped_column(default=False, server_default=false())
    sampled_at: Mapped[datetime]


# Requests of one endpoint within a stretch of `width_minutes` that begins at `start`. It grows in the transaction that
# stores the samples, so the two never disagree; `part_00` … count durations by the steps of the histogram.
LATENCY_BUCKETS = Table(
    "api_latency_buckets",
    Base.metadata,
    Column("endpoint_key", String(220), primary_key=True),
    Column("width_minutes", Integer, primary_key=True, autoincrement=False),
    Column("start", UtcDateTime(), primary_key=True),
    Column("sample_count", Integer, nullable=False),
    Column("error_count", Integer, nullable=False),
    Column("slow_count", Integer, nullable=False),
    Column("longest_ms", Double, nullable=False),
    *(Column(f"part_{number:02}", Integer, nullable=False) for number in range(HISTOGRAM_PARTS)),
    # Retention.
    Index("ix_api_latency_buckets_width_start", "width_minutes", "start"),
)


class BurnAlert(Base):
    """One time that the budget of an endpoint burned by a rule, from its begin to its end.

    `told_json` are the channels that its begin was queued for, `quiet_since` since when the rule no longer holds.
    """

    __tablename__ = "api_burn_alerts"
    __table_args__ = (
        CheckConstraint("rule IN ('fast', 'slow')", name="rule"),
        # One open alert per endpoint and rule, held by the database.
        Index(
            "uq_api_burn_alerts_open",
            "endpoint_key",
            "rule",
            unique=True,
            **only("ended_at IS NULL"),
        ),
        # The newest alerts of one endpoint.
        Index("ix_api_burn_alerts_endpoint", "endpoint_key", "started_at", "id"),
        # Retention.
        Index("ix_api_burn_alerts_ended_at", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    endpoint_key: Mapped[str] = mapped_column(String(220))
    rule: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime]
    quiet_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    short_burn: Mapped[float]
    long_burn: Mapped[float]
    told_json: Mapped[list[Any]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    run_id: Mapped[int | None]
