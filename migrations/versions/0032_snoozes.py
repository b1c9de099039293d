"""Snoozes; messages that were dropped; which alert of an instant a delivery and a mark belong to.

Revision ID: 0032
Revises: 0031
Create Date: 2026-11-30 17:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATUS = "ck_alert_deliveries_status"
BOXES = ("alert_deliveries", "personal_deliveries")
KNOWN = "'queued', 'success', 'failed', 'warning', 'dead'"
MARKED = "kind = 'false' AND withdrawn_at IS NULL"


def only(where):
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def raised_id():
    return sa.Column("raised_id", sa.String(length=36), server_default="", nullable=False)


def mark_index(*columns):
    op.drop_index("uq_alert_marks_alert", table_name="alert_marks")
    op.create_index("uq_alert_marks_alert", "alert_marks", list(columns), unique=True, **only(MARKED))


def upgrade():
    at = sa.DateTime(timezone=True)
    op.create_table(
        "snoozes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("thing_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", at, nullable=False),
        sa.Column("started_by", sa.String(length=80), nullable=False),
        sa.Column("until_at", at, nullable=False),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("ended_by", sa.String(length=80), nullable=True),
        sa.Column("ended_why", sa.String(length=20), nullable=True),
        sa.CheckConstraint("kind IN ('work_order', 'tracker_item')", name="ck_snoozes_kind"),
        sa.CheckConstraint(
            "ended_why IS NULL OR (ended_why IN ('over', 'ended', 'handled', 'escalated', 'worse'))",
            name="ck_snoozes_ending",
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_why IS NULL)", name="ck_snoozes_ended"),
        sa.CheckConstraint("until_at > started_at", name="ck_snoozes_interval"),
        sa.PrimaryKeyConstraint("id", name="pk_snoozes"),
    )
    op.create_index("uq_snoozes_open", "snoozes", ["kind", "thing_id"], unique=True, **only("ended_at IS NULL"))
    op.create_index("ix_snoozes_thing", "snoozes", ["kind", "thing_id", "id"])
    for box in BOXES:
        op.add_column(box, sa.Column("snooze_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("alert_deliveries") as batch:
        batch.add_column(raised_id())
        batch.drop_constraint(op.f(STATUS), type_="check")
        batch.create_check_constraint(op.f(STATUS), f"status IN ({KNOWN}, 'dropped')")
    for box in BOXES:
        op.create_index(f"ix_{box}_snooze", box, ["snooze_id"], **only("snooze_id IS NOT NULL"))
    op.add_column("alert_marks", raised_id())
    mark_index("event_type", "happened_at", "raised_id")


def downgrade():
    # Of two marks of one instant only one can stand again; nobody sends what was dropped.
    op.execute(
        "UPDATE alert_marks SET withdrawn_by = 'system', withdrawn_at = marked_at WHERE "
        f"{MARKED} AND id NOT IN (SELECT min(id) FROM alert_marks WHERE {MARKED} GROUP BY event_type, happened_at)"
    )
    op.execute("UPDATE alert_deliveries SET status = 'dead' WHERE status = 'dropped'")
    mark_index("event_type", "happened_at")
    op.drop_column("alert_marks", "raised_id")
    for box in BOXES:
        op.drop_index(f"ix_{box}_snooze", table_name=box)
        op.drop_column(box, "snooze_id")
    with op.batch_alter_table("alert_deliveries") as batch:
        batch.drop_constraint(op.f(STATUS), type_="check")
        batch.create_check_constraint(op.f(STATUS), f"status IN ({KNOWN})")
        batch.drop_column("raised_id")
    op.drop_table("snoozes")
