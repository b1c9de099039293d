"""Response times are added up by stretches of time as they are stored, and alerts on burning budgets are remembered.

The sums begin with this step: what was stored before has no threshold by which it was slow.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-30 07:00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")


def upgrade():
    op.create_table(
        "api_latency_buckets",
        sa.Column("endpoint_key", sa.String(length=220), nullable=False),
        sa.Column("width_minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sample_count", sa.Integer(), nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("slow_count", sa.Integer(), nullable=False),
        sa.Column("longest_ms", sa.Double(), nullable=False),
        *(sa.Column(f"part_{number:02}", sa.Integer(), nullable=False) for number in range(19)),
        sa.PrimaryKeyConstraint("endpoint_key", "width_minutes", "start", name=op.f("pk_api_latency_buckets")),
    )
    op.create_index("ix_api_latency_buckets_width_start", "api_latency_buckets", ["width_minutes", "start"])
    op.create_table(
        "api_burn_alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("endpoint_key", sa.String(length=220), nullable=False),
        sa.Column("rule", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quiet_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("short_burn", sa.Double(), nullable=False),
        sa.Column("long_burn", sa.Double(), nullable=False),
        sa.Column(
            "told_json",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("rule IN ('fast', 'slow')", name=op.f("ck_api_burn_alerts_rule")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_burn_alerts")),
    )
    op.create_index(
        "uq_api_burn_alerts_open",
        "api_burn_alerts",
        ["endpoint_key", "rule"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_api_burn_alerts_endpoint", "api_burn_alerts", ["endpoint_key", "started_at", "id"])
    op.create_index("ix_api_burn_alerts_ended_at", "api_burn_alerts", ["ended_at"])


def downgrade():
    op.drop_table("api_burn_alerts")
    op.drop_table("api_latency_buckets")
