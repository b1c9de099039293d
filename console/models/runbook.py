"""The newest preflight of every running process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class PreflightSnapshot(Base):
    """What one process found around it; a process replaces its own row and removes it when it ends.

    `instance_id` is made at start, `name` is made of kind and id only, so that rows tell nothing about machines.
    """

    __tablename__ = "preflight_snapshots"
    __table_args__ = (
        CheckConstraint("kind IN ('web', 'worker', 'scheduler', 'command')", name="kind"),
        # Newest snapshots of the web processes (gate, runbook).
        Index("ix_preflight_snapshots_kind_computed_at", "kind", "computed_at"),
    )

    instance_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(12))
    started_at: Mapped[datetime]
    computed_at: Mapped[datetime]
    overall_status: Mapped[str] = mapped_column(String(10))
    error_count: Mapped[int]
    warning_count: Mapped[int]
    payload: Mapped[dict[str, Any]]
