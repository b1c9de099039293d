"""Evidence files, and their pieces when they live in the database.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 23:35:42.171096
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "evidence_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("module", sa.String(length=40), nullable=False),
        sa.Column("tracker_item_id", sa.Integer(), nullable=True),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("site_key", sa.String(length=120), server_default="", nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=120), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("storage_backend", sa.String(length=20), server_default="db", nullable=False),
        sa.Column("storage_key", sa.String(length=400), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("malware_scan_status", sa.String(length=20), server_default="unknown", nullable=False),
        sa.Column("malware_scan_engine", sa.String(length=80), nullable=True),
        sa.Column("malware_scan_reason", sa.String(length=200), nullable=True),
        sa.Column("malware_scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("uploaded_by", sa.String(length=80), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_by", sa.String(length=80), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("integrity_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("integrity_problem", sa.String(length=40), nullable=True),
        sa.CheckConstraint("storage_backend IN ('fs', 'db')", name=op.f("ck_evidence_files_backend")),
        sa.ForeignKeyConstraint(
            ["tracker_item_id"],
            ["tracker_items.id"],
            name=op.f("fk_evidence_files_tracker_item_id_tracker_items"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_files")),
    )
    with op.batch_alter_table("evidence_files", schema=None) as batch_op:
        # integrity: what the batch found wrong
        batch_op.create_index(
            "ix_evidence_files_broken",
            ["module", "id"],
            unique=False,
            sqlite_where=sa.text("integrity_problem IS NOT NULL AND removed_at IS NULL"),
            postgresql_where=sa.text("integrity_problem IS NOT NULL AND removed_at IS NULL"),
        )
        # evidence.listed, evidence.of_tracker: files of one item, newest first
        batch_op.create_index("ix_evidence_files_item", ["tracker_item_id", "uploaded_at", "id"], unique=False)
        # evidence_upkeep.sweep: does a file of the storage have a row?
        batch_op.create_index("ix_evidence_files_key", ["storage_key"], unique=True)
        # integrity: files of a module that were read longest ago
        batch_op.create_index(
            "ix_evidence_files_module",
            ["module", "integrity_checked_at", "id"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        # evidence_upkeep.scan_pending: what waits for the scanner
        batch_op.create_index(
            "ix_evidence_files_pending",
            ["id"],
            unique=False,
            sqlite_where=sa.text("malware_scan_status = 'pending' AND removed_at IS NULL"),
            postgresql_where=sa.text("malware_scan_status = 'pending' AND removed_at IS NULL"),
        )
        # evidence_quota: how much a site keeps
        batch_op.create_index(
            "ix_evidence_files_site",
            ["site_key", "file_size"],
            unique=False,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        # evidence_quota: how much a person sent within a day
        batch_op.create_index("ix_evidence_files_uploader", ["uploaded_by", "uploaded_at", "file_size"], unique=False)

    op.create_table(
        "evidence_chunks",
        sa.Column("evidence_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"],
            ["evidence_files.id"],
            name=op.f("fk_evidence_chunks_evidence_id_evidence_files"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("evidence_id", "place", name=op.f("pk_evidence_chunks")),
    )


def downgrade():
    op.drop_table("evidence_chunks")
    op.drop_table("evidence_files")
