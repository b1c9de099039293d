"""Files that runs of jobs leave behind: what they were, and their content beside the run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only


class StoredFile(Base):
    """One archive of a run. `name` is that of the file in the folder of its kind, if `filed`; `sha256` is of the bytes.

    `content` is None for archives that are too large for the database; those are in the folder alone.
    """

    __tablename__ = "stored_files"
    __table_args__ = (
        # The archives of one kind, newest first; what is too old.
        Index("ix_stored_files_kind_created_at", "kind", "created_at", "id"),
        # runbook.integrity: the archives of a kind that were read longest ago.
        Index("ix_stored_files_turn", "kind", "checked_at", "id"),
        # runbook.integrity: what it found wrong.
        Index(
            "ix_stored_files_broken",
            *("kind", "id"),
            **only("problem IS NOT NULL"),
        ),
        # The archives of one run.
        Index("ix_stored_files_run_id", "run_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    label: Mapped[str] = mapped_column(String(80), default="", server_default="")
    name: Mapped[str] = mapped_column(String(200), unique=True)
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    filed: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    # When the integrity batch read it last, and what was wrong then.
    checked_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(String(40))
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
