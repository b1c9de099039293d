"""Small copies of photos: their content, whether one was made, and an index of what still waits for it.

Revision ID: 0034
Revises: 0033
Create Date: 2026-11-30 17:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

WAITING = (
    "thumbnail_size IS NULL AND removed_at IS NULL AND malware_scan_status = 'clean'"
    " AND content_type IN ('image/jpeg', 'image/png', 'image/webp')"
)


def upgrade():
    op.add_column("evidence_files", sa.Column("thumbnail_size", sa.Integer(), nullable=True))
    op.create_index(
        "ix_evidence_files_unpictured",
        "evidence_files",
        ["id"],
        sqlite_where=sa.text(WAITING),
        postgresql_where=sa.text(WAITING),
    )
    op.create_table(
        "evidence_thumbnails",
        sa.Column("evidence_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["evidence_id"],
            ["evidence_files.id"],
            name="fk_evidence_thumbnails_evidence_id_evidence_files",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("evidence_id", name="pk_evidence_thumbnails"),
    )


def downgrade():
    op.drop_table("evidence_thumbnails")
    op.drop_index("ix_evidence_files_unpictured", table_name="evidence_files")
    op.drop_column("evidence_files", "thumbnail_size")
