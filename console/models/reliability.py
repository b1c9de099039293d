"""Response times of the watched endpoints (API contract, api_latency_samples)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, String, false
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


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
