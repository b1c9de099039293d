"""Archives of runs are kept beside their run with their hash; reports count runs and alerts of a period.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-30 06:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "stored_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(80), server_default="", nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("filed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(40), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name="fk_stored_files_run_id_job_runs", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_stored_files"),
        sa.UniqueConstraint("name", name="uq_stored_files_name"),
    )
    op.create_index("ix_stored_files_kind_created_at", "stored_files", ["kind", "created_at", "id"])
    op.create_index("ix_stored_files_turn", "stored_files", ["kind", "checked_at", "id"])
    op.create_index(
        "ix_stored_files_broken",
        "stored_files",
        ["kind", "id"],
        sqlite_where=sa.text("problem IS NOT NULL"),
        postgresql_where=sa.text("problem IS NOT NULL"),
    )
    op.create_index("ix_stored_files_run_id", "stored_files", ["run_id"])
    op.create_index("ix_alert_deliveries_created_at", "alert_deliveries", ["created_at", "status"])


def downgrade():
    op.drop_index("ix_alert_deliveries_created_at", "alert_deliveries")
    op.drop_index("ix_stored_files_run_id", "stored_files")
    op.drop_index("ix_stored_files_broken", "stored_files")
    op.drop_index("ix_stored_files_turn", "stored_files")
    op.drop_index("ix_stored_files_kind_created_at", "stored_files")
    op.drop_table("stored_files")
