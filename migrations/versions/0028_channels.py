"""Channels that people make; how all channels are, their incidents, and what was told of them.

Revision ID: 0028
Revises: 0027
Create Date: 2026-11-30 13:20:00
"""

from itertools import groupby

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
OPEN = sa.text("ended_at IS NULL")
DUE = sa.text("next_attempt_at IS NOT NULL")
FIGURES = ["channel", "status", "last_attempt_at", "probe", "event_type", "site"]


def only(where):
    return {"sqlite_where": where, "postgresql_where": where}


def upgrade():
    at = sa.DateTime(timezone=True)
    op.add_column("alert_deliveries", sa.Column("probe", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index("ix_alert_deliveries_lane", "alert_deliveries", ["channel", "next_attempt_at", "id"], **only(DUE))
    op.create_index("ix_alert_deliveries_figures", "alert_deliveries", FIGURES)
    op.create_table(
        "alert_channels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("event_types", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("least_level", sa.String(length=20), server_default="info", nullable=False),
        sa.Column("sites", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("paused_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", at, nullable=False),
        sa.Column("updated_at", at, nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("kind IN ('webhook', 'slack', 'teams', 'mail')", name="ck_alert_channels_kind"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_channels"),
        sa.UniqueConstraint("key", name="uq_alert_channels_key"),
        sa.UniqueConstraint("name", name="uq_alert_channels_name"),
    )
    states = op.create_table(
        "alert_channel_states",
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("consecutive_failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_attempt_at", at, nullable=False),
        sa.Column("last_status", sa.String(length=20), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("last_success_at", at, nullable=True),
        sa.Column("last_failure_at", at, nullable=True),
        sa.PrimaryKeyConstraint("channel", name="pk_alert_channel_states"),
    )
    incidents = op.create_table(
        "alert_incidents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("event_type", sa.String(length=80), server_default="", nullable=False),
        sa.Column("started_at", at, nullable=False),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("failure_count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_incidents"),
    )
    op.create_index("uq_alert_incidents_open", "alert_incidents", ["channel", "event_type"], unique=True, **only(OPEN))
    op.create_index("ix_alert_incidents_ended_at", "alert_incidents", ["event_type", "ended_at"])
    op.create_table(
        "alert_notices",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("seen_at", at, nullable=False),
        sa.Column("notified_at", at, nullable=True),
        sa.PrimaryKeyConstraint("key", name="pk_alert_notices"),
    )
    _remember(states, incidents)


def _remember(states, incidents):
    """Tell from the attempts that are on record how each channel was and is."""
    deliveries = sa.table(
        "alert_deliveries", sa.column("id"), sa.column("channel"), sa.column("target"), sa.column("event_type")
    )
    attempts = sa.table(
        "alert_attempts",
        *(sa.column("id"), sa.column("delivery_id"), sa.column("error")),
        sa.column("started_at", sa.DateTime(timezone=True)),
    )
    connection = op.get_bind()
    found = connection.execute(
        sa.select(
            deliveries.c.channel, deliveries.c.target, deliveries.c.event_type, attempts.c.started_at, attempts.c.error
        )
        .join(attempts, attempts.c.delivery_id == deliveries.c.id)
        .order_by(deliveries.c.channel, attempts.c.started_at, attempts.c.id)
    ).all()
    for channel, rows in groupby(found, key=lambda row: row.channel):
        tried = list(rows)
        connection.execute(sa.insert(states).values(_state(channel, tried)))
        scopes = {"": tried}
        for row in tried:
            scopes.setdefault(row.event_type, []).append(row)
        made = [one for scope, part in scopes.items() for one in _incidents(channel, scope, part)]
        if made:
            connection.execute(sa.insert(incidents), made)


def _state(channel, tried):
    failed = 0
    for row in reversed(tried):
        if row.error is None:
            break
        failed += 1
    last = tried[-1]
    return {
        "channel": channel,
        "target": last.target,
        "consecutive_failures": failed,
        "last_attempt_at": last.started_at,
        "last_status": "success" if last.error is None else "failed",
        "last_error": last.error,
        "last_success_at": max((row.started_at for row in tried if row.error is None), default=None),
        "last_failure_at": max((row.started_at for row in tried if row.error is not None), default=None),
    }


def _incidents(channel, scope, tried):
    made, now_open = [], None
    for row in tried:
        if row.error is None:
            if now_open is not None:
                now_open["ended_at"] = row.started_at
            now_open = None
        elif now_open is None:
            now_open = {
                "channel": channel,
                "target": row.target,
                "event_type": scope,
                "started_at": row.started_at,
                "ended_at": None,
                "failure_count": 1,
            }
            made.append(now_open)
        else:
            now_open["failure_count"] += 1
    return made


def downgrade():
    op.drop_table("alert_notices")
    op.drop_table("alert_incidents")
    op.drop_table("alert_channel_states")
    op.drop_table("alert_channels")
    op.drop_index("ix_alert_deliveries_figures", table_name="alert_deliveries")
    op.drop_index("ix_alert_deliveries_lane", table_name="alert_deliveries")
    op.drop_column("alert_deliveries", "probe")
