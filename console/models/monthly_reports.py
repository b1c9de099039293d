"""Versions of the monthly reports of sites: drafts with their sentences, and closed ones with their document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.reports.council import DRAFT, FROZEN
from console.models.base import Base, only


class MonthlyReportVersion(Base):
    """One version of the report of a month; once it is closed nothing of it changes.

    `sentences` are those that somebody wrote, by language; empty while the drafted ones stand. `document` is the
    closed report as the canonical JSON that `archive_sha256` was made of; `figures` are its published figures.
    `edit` counts the changes of a draft, `reason` says why a version follows another one.
    """

    __tablename__ = "monthly_reports"
    __table_args__ = (
        # months.listed: those of a site; and two people never close the same version.
        UniqueConstraint("site", "month", "version", name="uq_monthly_reports_version"),
        CheckConstraint(f"state IN ('{DRAFT}', '{FROZEN}')", name="state"),
        CheckConstraint(
            f"(state = '{FROZEN}') = (document IS NOT NULL AND archive_sha256 IS NOT NULL AND frozen_at IS NOT NULL)",
            name="frozen",
        ),
        # At most one draft of a month is under way.
        Index(
            "uq_monthly_reports_draft",
            *("site", "month"),
            unique=True,
            **only(f"state = '{DRAFT}'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    month: Mapped[str] = mapped_column(String(7))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=DRAFT, server_default=DRAFT)
    sentences: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    edit: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    document: Mapped[str | None] = mapped_column(Text, deferred=True)
    archive_sha256: Mapped[str | None] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    differences: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    frozen_at: Mapped[datetime | None]
    frozen_by: Mapped[str | None] = mapped_column(String(80))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(80))
    updated_at: Mapped[datetime]
