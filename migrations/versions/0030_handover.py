"""Handovers with their lines, questions and notes; indexes for what escalated and what was found in a period.

Revision ID: 0030
Revises: 0029
Create Date: 2026-11-30 13:40:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def only(where):
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def at(name, nullable=False):
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade():
    op.create_index(
        "ix_work_order_events_escalated",
        "work_order_events",
        ["created_at", "work_order_id"],
        **only("event_type = 'escalated'"),
    )
    op.create_index(
        "ix_inspections_stored", "inspections", ["site", "created_at", "id"], **only("risk_level <> 'normal'")
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("previous_id", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("state", sa.String(length=20), server_default="given", nullable=False),
        at("since_at"),
        sa.Column("given_by", sa.String(length=80), nullable=False),
        at("given_at"),
        sa.Column("taker", sa.String(length=80), nullable=True),
        at("deadline_at"),
        sa.Column("line_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("confirmed_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("accepted_by", sa.String(length=80), nullable=True),
        at("accepted_at", nullable=True),
        at("escalated_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("site", "previous_id", name="uq_handovers_previous"),
        sa.CheckConstraint("state IN ('given', 'accepted')", name="state"),
        sa.CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted"),
        sa.CheckConstraint("accepted_by IS NULL OR accepted_by <> given_by", name="two_people"),
    )
    op.create_index("ix_handovers_site", "handovers", ["site", "given_at", "id"])
    op.create_index("ix_handovers_given_at", "handovers", ["given_at", "id"])
    op.create_index("ix_handovers_open", "handovers", ["deadline_at", "id"], **only("state = 'given'"))
    op.create_table(
        "handover_lines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handover_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("state", sa.String(length=20), server_default="open", nullable=False),
        sa.Column("confirmed_by", sa.String(length=80), nullable=True),
        at("confirmed_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.id"], name="fk_handover_lines_handover_id_handovers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_handover_lines"),
        sa.CheckConstraint("state IN ('open', 'asked', 'answered', 'confirmed')", name="state"),
        sa.CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed"),
    )
    op.create_index("ix_handover_lines_handover_id", "handover_lines", ["handover_id", "place", "id"])
    op.create_table(
        "handover_questions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("line_id", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=False),
        at("asked_at"),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(length=80), nullable=True),
        at("answered_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["line_id"], ["handover_lines.id"], name="fk_handover_questions_line_id_handover_lines", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_handover_questions"),
    )
    op.create_index("ix_handover_questions_line_id", "handover_questions", ["line_id", "id"])
    op.create_index(
        "uq_handover_questions_open", "handover_questions", ["line_id"], unique=True, **only("answered_at IS NULL")
    )
    op.create_table(
        "handover_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        at("created_at"),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["settled_by"], ["handovers.id"], name="fk_handover_notes_settled_by_handovers", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_handover_notes"),
    )
    op.create_index("ix_handover_notes_open", "handover_notes", ["site", "id"], **only("settled_by IS NULL"))


def downgrade():
    op.drop_table("handover_notes")
    op.drop_table("handover_questions")
    op.drop_table("handover_lines")
    op.drop_table("handovers")
    op.drop_index("ix_inspections_stored", table_name="inspections")
    op.drop_index("ix_work_order_events_escalated", table_name="work_order_events")
