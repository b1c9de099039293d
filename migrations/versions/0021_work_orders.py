"""Work orders with their history and waiting times, assets, and answers kept for programs that send twice.

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-30 07:00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = sa.text("status IN ('open', 'acked')")
UNENDED = sa.text("ended_at IS NULL")


def only(where):
    return {"sqlite_where": where, "postgresql_where": where}


def upgrade():
    op.create_table(
        "assets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="", nullable=False),
        sa.Column("place", sa.String(length=120), server_default="", nullable=False),
        sa.Column("serial", sa.String(length=120), server_default="", nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("updated_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["assets.id"], name="fk_assets_parent_id_assets", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_assets"),
        sa.UniqueConstraint("site", "code", name="uq_assets_site_code"),
    )
    op.create_index("ix_assets_parent_id", "assets", ["parent_id"])
    op.create_table(
        "work_orders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("location", sa.String(length=120), nullable=False),
        sa.Column("priority", sa.String(length=20), server_default="medium", nullable=False),
        sa.Column("priority_rank", sa.Integer(), server_default=sa.text("3"), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="open", nullable=False),
        sa.Column("assignee", sa.String(length=80), nullable=True),
        sa.Column("assignee_user_id", sa.Integer(), nullable=True),
        sa.Column("reporter", sa.String(length=80), nullable=True),
        sa.Column("trade", sa.String(length=20), server_default="other", nullable=False),
        sa.Column("source", sa.String(length=20), server_default="manual", nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=True),
        sa.Column("asset_id", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution_notes", sa.Text(), server_default="", nullable=False),
        sa.Column("cancel_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("is_escalated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("policy_revision_id", sa.Integer(), nullable=True),
        sa.Column("waiting_reason", sa.String(length=20), nullable=True),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waiting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_before", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("evidence_after", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("comment_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("reopened_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("updated_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("(status = 'completed') = (completed_at IS NOT NULL)", name="ck_work_orders_completed"),
        sa.CheckConstraint("priority IN ('critical', 'high', 'medium', 'low')", name="ck_work_orders_priority"),
        sa.CheckConstraint(
            "priority_rank = CASE priority WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END",
            name="ck_work_orders_rank",
        ),
        sa.CheckConstraint("source IN ('manual', 'inspection', 'plan', 'request')", name="ck_work_orders_source"),
        sa.CheckConstraint("status <> 'open' OR acknowledged_at IS NULL", name="ck_work_orders_acknowledged"),
        sa.CheckConstraint("status IN ('open', 'acked', 'completed', 'canceled')", name="ck_work_orders_status"),
        sa.CheckConstraint(
            "trade IN ('electric', 'mechanical', 'fire', 'elevator', 'building', 'other')", name="ck_work_orders_trade"
        ),
        sa.CheckConstraint(
            "waiting_reason IS NULL OR (waiting_reason IN ('contractor', 'parts', 'access', 'weather', 'approval'))",
            name="ck_work_orders_waiting",
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["assets.id"], name="fk_work_orders_asset_id_assets", ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["assignee_user_id"],
            ["admin_users.id"],
            name="fk_work_orders_assignee_user_id_admin_users",
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_work_orders"),
    )
    op.create_index("ix_work_orders_asset", "work_orders", ["asset_id", "created_at", "id"])
    op.create_index("ix_work_orders_assignee", "work_orders", ["assignee", "due_at", "id"])
    op.create_index("ix_work_orders_completed", "work_orders", ["completed_at", "id", "site"])
    op.create_index("ix_work_orders_created", "work_orders", ["created_at", "id"])
    op.create_index("ix_work_orders_inspection", "work_orders", ["inspection_id", "id"])
    op.create_index("ix_work_orders_mine", "work_orders", ["assignee_user_id", "due_at", "id", "status"], **only(OPEN))
    op.create_index(
        "ix_work_orders_open",
        "work_orders",
        [
            "due_at",
            "priority_rank",
            "id",
            "site",
            "status",
            "assignee",
            "waiting_reason",
            "source",
            "is_escalated",
            "priority",
        ],
        **only(OPEN),
    )
    op.create_index(
        "ix_work_orders_site_open",
        "work_orders",
        ["site", "due_at", "priority_rank", "id", "status", "assignee", "waiting_reason", "source"],
        **only(OPEN),
    )
    op.create_index("ix_work_orders_site_status", "work_orders", ["site", "status", "created_at", "id"])
    op.create_index("ix_work_orders_status", "work_orders", ["status", "created_at", "id"])
    op.create_table(
        "work_order_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_order_id", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("actor_username", sa.String(length=80), server_default="system", nullable=False),
        sa.Column("from_status", sa.String(length=20), nullable=True),
        sa.Column("to_status", sa.String(length=20), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("detail_json", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.String(length=20), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_revision_id", sa.Integer(), nullable=True),
        sa.Column("waiting_reason", sa.String(length=20), nullable=True),
        sa.Column("is_escalated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"],
            ["work_orders.id"],
            name="fk_work_order_events_work_order_id_work_orders",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_work_order_events"),
    )
    op.create_index("ix_work_order_events_created_at", "work_order_events", ["created_at", "id"])
    op.create_index(
        "ix_work_order_events_work_order_id_created_at", "work_order_events", ["work_order_id", "created_at", "id"]
    )
    op.create_table(
        "work_order_holds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("work_order_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "reason IN ('contractor', 'parts', 'access', 'weather', 'approval')", name="ck_work_order_holds_reason"
        ),
        sa.CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="ck_work_order_holds_interval"),
        sa.ForeignKeyConstraint(
            ["work_order_id"],
            ["work_orders.id"],
            name="fk_work_order_holds_work_order_id_work_orders",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_work_order_holds"),
    )
    op.create_index("ix_work_order_holds_work_order_id", "work_order_holds", ["work_order_id", "started_at", "id"])
    op.create_index("uq_work_order_holds_open", "work_order_holds", ["work_order_id"], unique=True, **only(UNENDED))
    op.add_column("sent_forms", sa.Column("content_hash", sa.String(length=64), server_default="", nullable=False))
    op.add_column("sent_forms", sa.Column("answer", JSON, nullable=True))


def downgrade():
    op.drop_column("sent_forms", "answer")
    op.drop_column("sent_forms", "content_hash")
    op.drop_index("uq_work_order_holds_open", table_name="work_order_holds")
    op.drop_index("ix_work_order_holds_work_order_id", table_name="work_order_holds")
    op.drop_table("work_order_holds")
    op.drop_index("ix_work_order_events_work_order_id_created_at", table_name="work_order_events")
    op.drop_index("ix_work_order_events_created_at", table_name="work_order_events")
    op.drop_table("work_order_events")
    op.drop_index("ix_work_orders_status", table_name="work_orders")
    op.drop_index("ix_work_orders_site_status", table_name="work_orders")
    op.drop_index("ix_work_orders_site_open", table_name="work_orders")
    op.drop_index("ix_work_orders_open", table_name="work_orders")
    op.drop_index("ix_work_orders_mine", table_name="work_orders")
    op.drop_index("ix_work_orders_inspection", table_name="work_orders")
    op.drop_index("ix_work_orders_created", table_name="work_orders")
    op.drop_index("ix_work_orders_completed", table_name="work_orders")
    op.drop_index("ix_work_orders_assignee", table_name="work_orders")
    op.drop_index("ix_work_orders_asset", table_name="work_orders")
    op.drop_table("work_orders")
    op.drop_index("ix_assets_parent_id", table_name="assets")
    op.drop_table("assets")
