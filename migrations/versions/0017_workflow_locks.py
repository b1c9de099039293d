"""Workflow locks, and what happened to each of them.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-30 07:10:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENTS = ("submitted", "reviewed", "approved", "locked", "unlocked")


def upgrade():
    op.create_table(
        "workflow_locks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(120), nullable=False),
        sa.Column("workflow_key", sa.String(120), nullable=False),
        sa.Column("status", sa.String(20), server_default="draft", nullable=False),
        sa.Column("content_json", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("requested_ticket", sa.String(120), nullable=True),
        sa.Column("last_comment", sa.Text(), server_default="", nullable=False),
        sa.Column("lock_reason", sa.Text(), nullable=True),
        sa.Column("unlock_reason", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(80), server_default="system", nullable=False),
        sa.Column("updated_by", sa.String(80), server_default="system", nullable=False),
        *(sa.Column(f"{name}_by", sa.String(80), nullable=True) for name in MOMENTS),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(f"{name}_at", sa.DateTime(timezone=True), nullable=True) for name in MOMENTS),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("status IN ('draft', 'review', 'approved', 'locked')", name="ck_workflow_locks_status"),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_locks"),
    )
    op.create_index("ix_workflow_locks_site_status_created_at", "workflow_locks", ["site", "status", "created_at"])
    op.create_index("ix_workflow_locks_workflow_key", "workflow_locks", ["workflow_key"])
    op.create_table(
        "workflow_lock_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lock_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(20), nullable=False),
        sa.Column("from_status", sa.String(20), nullable=True),
        sa.Column("to_status", sa.String(20), nullable=False),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("ticket", sa.String(120), nullable=True),
        sa.Column("content", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["lock_id"],
            ["workflow_locks.id"],
            name="fk_workflow_lock_events_lock_id_workflow_locks",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_lock_events"),
    )
    op.create_index("ix_workflow_lock_events_lock_id", "workflow_lock_events", ["lock_id", "id"])


def downgrade():
    op.drop_index("ix_workflow_lock_events_lock_id", "workflow_lock_events")
    op.drop_table("workflow_lock_events")
    op.drop_index("ix_workflow_locks_workflow_key", "workflow_locks")
    op.drop_index("ix_workflow_locks_site_status_created_at", "workflow_locks")
    op.drop_table("workflow_locks")
