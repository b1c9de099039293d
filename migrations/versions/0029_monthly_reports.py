"""Versions of monthly reports.

Revision ID: 0029
Revises: 0028
Create Date: 2026-11-30 13:20:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
IS_DRAFT = sa.text("state = 'draft'")


def upgrade():
    op.create_table(
        "monthly_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="draft", nullable=False),
        sa.Column("sentences", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("edit", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("archive_sha256", sa.String(length=64), nullable=True),
        sa.Column("figures", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("differences", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("frozen_by", sa.String(length=80), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.String(length=80), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'frozen')", name="ck_monthly_reports_state"),
        sa.CheckConstraint(
            "(state = 'frozen') = (document IS NOT NULL AND archive_sha256 IS NOT NULL AND frozen_at IS NOT NULL)",
            name="ck_monthly_reports_frozen",
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name="fk_monthly_reports_run_id_job_runs", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_monthly_reports"),
        sa.UniqueConstraint("site", "month", "version", name="uq_monthly_reports_version"),
    )
    op.create_index(
        "uq_monthly_reports_draft",
        "monthly_reports",
        ["site", "month"],
        unique=True,
        sqlite_where=IS_DRAFT,
        postgresql_where=IS_DRAFT,
    )


def downgrade():
    op.drop_table("monthly_reports")
