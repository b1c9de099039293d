"""Workflow locks: agreed ways of working, and what happened to each (API contract, workflow locks)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class WorkflowLock(Base):
    """One way of working of a site, on its way from draft to locked. `submitted_by` may not approve it."""

    __tablename__ = "workflow_locks"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'review', 'approved', 'locked')", name="status"),
        # workflow_locks.lists: the locks of some sites, newest first.
        Index("ix_workflow_locks_site_status_created_at", "site", "status", "created_at"),
        Index("ix_workflow_locks_workflow_key", "workflow_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    workflow_key: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(20), default="draft", server_default="draft")
    content_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    requested_ticket: Mapped[str | None] = mapped_column(String(120))
    last_comment: Mapped[str] = mapped_column(Text, default="", server_default="")
    lock_reason: Mapped[str | None] = mapped_column(Text)
    unlock_reason: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    updated_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    submitted_by: Mapped[str | None] = mapped_column(String(80))
    reviewed_by: Mapped[str | None] = mapped_column(String(80))
    approved_by: Mapped[str | None] = mapped_column(String(80))
    locked_by: Mapped[str | None] = mapped_column(String(80))
    unlocked_by: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    unlocked_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class WorkflowLockEvent(Base):
    """What happened to a lock, never changed afterwards; `content` is the draft that the event left behind."""

    __tablename__ = "workflow_lock_events"
    __table_args__ = (
        # workflow_locks.locks: the history of one lock.
        Index("ix_workflow_lock_events_lock_id", "lock_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    lock_id: Mapped[int] = mapped_column(ForeignKey("workflow_locks.id", ondelete="RESTRICT"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(20))
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(Text, default="", server_default="")
    ticket: Mapped[str | None] = mapped_column(String(120))
    content: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
