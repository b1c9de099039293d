"""Reminders that people put off for a while, each with its reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.alerts.snooze import ENDINGS, KINDS
from console.models.base import Base, one_of, only


class Snooze(Base):
    """One time in which nobody is reminded of a thing; it ends at `until_at`, earlier where `ended_at` says so.

    Without foreign key: the thing is a work order or an item, which `kind` tells.
    """

    __tablename__ = "snoozes"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        CheckConstraint(f"ended_why IS NULL OR ({one_of('ended_why', ENDINGS)})", name="ending"),
        CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ended"),
        CheckConstraint("until_at > started_at", name="interval"),
        # At most one of a thing lasts; rows.everything: until when.
        Index(
            "uq_snoozes_open",
            *("kind", "thing_id"),
            unique=True,
            **only("ended_at IS NULL"),
        ),
        # snoozes.listed: those of a thing, one after another.
        Index("ix_snoozes_thing", "kind", "thing_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    thing_id: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(80))
    until_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(80))
    ended_why: Mapped[str | None] = mapped_column(String(20))
