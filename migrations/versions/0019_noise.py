"""What people say of alerts, and what the nightly comparison found, are kept.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-30 06:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade():
    op.create_table(
        "alert_marks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("event_type", sa.String(80), server_default="", nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site", sa.String(120), nullable=True),
        sa.Column("what", sa.String(300), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("marked_by", sa.String(80), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(80), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("kind IN ('false', 'missed')", name="ck_alert_marks_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_marks"),
    )
    marked = sa.text("kind = 'false' AND withdrawn_at IS NULL")
    op.create_index(
        "uq_alert_marks_alert",
        "alert_marks",
        ["event_type", "happened_at"],
        unique=True,
        sqlite_where=marked,
        postgresql_where=marked,
    )
    op.create_index("ix_alert_marks_happened_at", "alert_marks", ["happened_at", "id"])
    op.create_table(
        "alert_findings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("site", sa.String(120), nullable=True),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("found_run_id", sa.Integer(), nullable=True),
        sa.Column("job_name", sa.String(80), nullable=True),
        sa.Column("channel", sa.String(40), nullable=True),
        sa.Column("detail", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["job_runs.id"], name="fk_alert_findings_run_id_job_runs", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_alert_findings"),
    )
    op.create_index("ix_alert_findings_run_id", "alert_findings", ["run_id", "label", "at", "id"])
    op.create_index("ix_alert_deliveries_raised", "alert_deliveries", ["event_type", "created_at", "id"])


def downgrade():
    op.drop_index("ix_alert_deliveries_raised", "alert_deliveries")
    op.drop_table("alert_findings")
    op.drop_table("alert_marks")
