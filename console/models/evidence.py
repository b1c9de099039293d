"""Evidence: files that prove that something was done (API contract, evidence upload)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only

_UNPICTURED = (
    "thumbnail_size IS NULL AND removed_at IS NULL AND malware_scan_status = 'clean'"
    " AND content_type IN ('image/jpeg', 'image/png', 'image/webp')"
)


class EvidenceFile(Base):
    """One file. `module` is the key of the tracker it belongs to, or the word of another subject with its own column.

    `part` says what of its subject it shows: `before` or `after` of a work order, the point of an inspection.
    `sent_key` names a sending by its sender, address and key, so that sending it again keeps it once.

    A removed file keeps its row, so that the audit trail stays readable; its content is gone.
    """

    __tablename__ = "evidence_files"
    __table_args__ = (
        CheckConstraint("storage_backend IN ('fs', 'db')", name="backend"),
        CheckConstraint("work_order_id IS NULL OR inspection_id IS NULL", name="one_subject"),
        # evidence.listed: files of one item, newest first; evidence.of_tracker.
        Index("ix_evidence_files_item", "tracker_item_id", "uploaded_at", "id"),
        # subjects.listed: files of one work order, of one inspection.
        Index("ix_evidence_files_work_order", "work_order_id", "id", **only("work_order_id IS NOT NULL")),
        Index("ix_evidence_files_inspection", "inspection_id", "id", **only("inspection_id IS NOT NULL")),
        # subjects.attach: one that was sent before.
        Index("uq_evidence_files_sent_key", "sent_key", **only("sent_key IS NOT NULL"), unique=True),
        # runbook.integrity: the files of a module that were read longest ago.
        Index(
            "ix_evidence_files_module",
            *("module", "integrity_checked_at", "id"),
            **only("removed_at IS NULL"),
        ),
        # evidence.quota: how much a site keeps.
        Index(
            "ix_evidence_files_site",
            *("site_key", "file_size"),
            **only("removed_at IS NULL"),
        ),
        # evidence.quota: how much a person sent within a day.
        Index("ix_evidence_files_uploader", "uploaded_by", "uploaded_at", "file_size"),
        # evidence.upkeep.sweep: does a file of the storage have a row?
        Index("ix_evidence_files_key", "storage_key", unique=True),
        # evidence.upkeep.scan_pending: what still waits for the scanner.
        Index(
            "ix_evidence_files_pending",
            "id",
            **only("malware_scan_status = 'pending' AND removed_at IS NULL"),
        ),
        # evidence.thumbnails.make: the photos that have no small copy yet.
        Index("ix_evidence_files_unpictured", "id", **only(_UNPICTURED)),
        # runbook.integrity: what the batch found wrong.
        Index(
            "ix_evidence_files_broken",
            *("module", "id"),
            **only("integrity_problem IS NOT NULL AND removed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    module: Mapped[str] = mapped_column(String(40))
    tracker_item_id: Mapped[int | None] = mapped_column(ForeignKey("tracker_items.id", ondelete="RESTRICT"))
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("work_orders.id", ondelete="RESTRICT"))
    inspection_id: Mapped[int | None] = mapped_column(ForeignKey("inspections.id", ondelete="RESTRICT"))
    part: Mapped[str] = mapped_column(String(40), default="", server_default="")
    sent_key: Mapped[str | None] = mapped_column(String(64))
    site: Mapped[str | None] = mapped_column(String(120))
    site_key: Mapped[str] = mapped_column(String(120), default="", server_default="")
    file_name: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(120))
    file_size: Mapped[int]
    storage_backend: Mapped[str] = mapped_column(String(20), default="db", server_default="db")
    storage_key: Mapped[str | None] = mapped_column(String(400))
    sha256: Mapped[str | None] = mapped_column(String(64))
    malware_scan_status: Mapped[str] = mapped_column(String(20), default="unknown", server_default="unknown")
    malware_scan_engine: Mapped[str | None] = mapped_column(String(80))
    malware_scan_reason: Mapped[str | None] = mapped_column(String(200))
    malware_scanned_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    # When a photo was taken, by the camera's clock: ISO wall time, with its offset only where the camera tells one.
    # Read from the file, or told by the browser that made the photo smaller.
    captured_at: Mapped[str | None] = mapped_column(String(25))
    shrunk: Mapped[bool] = mapped_column(default=False, server_default=false())
    uploaded_by: Mapped[str] = mapped_column(String(80))
    uploaded_at: Mapped[datetime]
    removed_by: Mapped[str | None] = mapped_column(String(80))
    removed_at: Mapped[datetime | None]
    removed_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    # When the integrity batch read the content last, and what was wrong then.
    integrity_checked_at: Mapped[datetime | None]
    integrity_problem: Mapped[str | None] = mapped_column(String(40))
    # Bytes of the small copy of a photo: NULL until somebody looked, 0 where there can be none.
    thumbnail_size: Mapped[int | None]


class EvidenceChunk(Base):
    """A piece of a file that lives in the database; pieces keep the memory of readers and writers small."""

    __tablename__ = "evidence_chunks"

    evidence_id: Mapped[int] = mapped_column(
        ForeignKey("evidence_files.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class EvidenceThumbnail(Base):
    """The small copy of a photo; it goes with the content of the file."""

    __tablename__ = "evidence_thumbnails"

    evidence_id: Mapped[int] = mapped_column(
        ForeignKey("evidence_files.id", ondelete="RESTRICT"), primary_key=True, autoincrement=False
    )
    content: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
