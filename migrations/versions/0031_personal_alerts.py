"""Addresses of people, what reaches them, their names in channels, and messages to them.

Revision ID: 0031
Revises: 0030
Create Date: 2026-11-30 17:00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DUE = sa.text("next_attempt_at IS NOT NULL")
KINDS = "kind IN ('webhook', 'slack', 'teams', 'mail')"
STATUSES = "status IN ('queued', 'success', 'failed', 'warning', 'dead', 'dropped')"


def at(name, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def person(table):
    return sa.ForeignKeyConstraint(
        ["user_id"], ["admin_users.id"], name=f"fk_{table}_user_id_admin_users", ondelete="CASCADE"
    )


def upgrade():
    op.create_table(
        "personal_addresses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        at("confirmed_at", nullable=True),
        sa.Column("code_hash", sa.String(length=64), nullable=True),
        at("code_sent_at", nullable=True),
        sa.Column("code_tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        at("created_at"),
        at("updated_at"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(KINDS, name="ck_personal_addresses_kind"),
        person("personal_addresses"),
        sa.PrimaryKeyConstraint("id", name="pk_personal_addresses"),
        sa.UniqueConstraint("key", name="uq_personal_addresses_key"),
    )
    op.create_index("ix_personal_addresses_user_id", "personal_addresses", ["user_id", "id"])
    op.create_table(
        "personal_choices",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event_types", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("least_level", sa.String(length=20), server_default="info", nullable=False),
        sa.Column("sites", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("only_mine", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("quiet_start", sa.Integer(), nullable=True),
        sa.Column("quiet_end", sa.Integer(), nullable=True),
        sa.Column("quiet_days", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("zone", sa.String(length=64), server_default="Asia/Seoul", nullable=False),
        sa.Column("critical_passes", sa.Boolean(), server_default=sa.true(), nullable=False),
        at("updated_at"),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        person("personal_choices"),
        sa.PrimaryKeyConstraint("user_id", name="pk_personal_choices"),
    )
    op.create_table(
        "personal_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        at("updated_at"),
        person("personal_names"),
        sa.PrimaryKeyConstraint("id", name="pk_personal_names"),
        sa.UniqueConstraint("user_id", "channel", name="uq_personal_names_user_id_channel"),
    )
    op.create_index("ix_personal_names_channel", "personal_names", ["channel"])
    op.create_table(
        "personal_deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=40), nullable=False),
        sa.Column("event_type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("status", sa.String(length=20), server_default="queued", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("payload_json", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("probe", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempt_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        at("last_attempt_at"),
        at("next_attempt_at", nullable=True),
        sa.Column("lease_token", sa.String(length=36), nullable=True),
        at("lease_until", nullable=True),
        at("created_at"),
        at("updated_at"),
        sa.CheckConstraint(STATUSES, name="ck_personal_deliveries_status"),
        person("personal_deliveries"),
        sa.PrimaryKeyConstraint("id", name="pk_personal_deliveries"),
        sa.UniqueConstraint("message_id", name="uq_personal_deliveries_message_id"),
    )
    lane = ["channel", "next_attempt_at", "id"]
    op.create_index("ix_personal_deliveries_lane", "personal_deliveries", lane, sqlite_where=DUE, postgresql_where=DUE)
    op.create_index("ix_personal_deliveries_user_id", "personal_deliveries", ["user_id", "id"])
    op.create_index("ix_personal_deliveries_last_attempt_at", "personal_deliveries", ["last_attempt_at"])


def downgrade():
    op.drop_table("personal_deliveries")
    op.drop_table("personal_names")
    op.drop_table("personal_choices")
    op.drop_table("personal_addresses")
    # What people were told is remembered under their names.
    op.execute(sa.text("DELETE FROM alert_notices WHERE key LIKE 'person:%'"))
