"""Inspections and templates name their asset; findings can be closed, and a second person may sign an inspection.

Revision ID: 0027
Revises: 0025
Create Date: 2026-11-30 13:20:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OF_ASSETS = ("inspections", "inspection_templates")


def upgrade():
    for table in OF_ASSETS:
        # No foreign key: SQLite would have to make the table anew, which others point to. Assets are never deleted.
        op.add_column(table, sa.Column("asset_id", sa.Integer(), nullable=True))
    op.create_index("ix_work_orders_due", "work_orders", ["due_at", "status", "completed_at", "site"])
    op.create_index("ix_inspections_asset", "inspections", ["asset_id", "inspected_at", "id"])
    op.add_column("inspections", sa.Column("countersigned_by", sa.String(length=80), server_default="", nullable=False))
    op.add_column("inspections", sa.Column("countersigned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "inspection_results", sa.Column("closed_reason", sa.String(length=500), server_default="", nullable=False)
    )
    op.add_column("inspection_results", sa.Column("closed_by", sa.String(length=80), server_default="", nullable=False))
    op.add_column("inspection_results", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "inspection_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("actor_username", sa.String(length=80), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("detail_json", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name="fk_inspection_events_inspection_id_inspections",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_inspection_events"),
    )
    op.create_index("ix_inspection_events_inspection_id", "inspection_events", ["inspection_id", "created_at", "id"])


def downgrade():
    op.drop_index("ix_inspection_events_inspection_id", table_name="inspection_events")
    op.drop_table("inspection_events")
    for column in ("closed_at", "closed_by", "closed_reason"):
        op.drop_column("inspection_results", column)
    for column in ("countersigned_at", "countersigned_by"):
        op.drop_column("inspections", column)
    op.drop_index("ix_inspections_asset", table_name="inspections")
    op.drop_index("ix_work_orders_due", table_name="work_orders")
    for table in OF_ASSETS:
        op.drop_column(table, "asset_id")
