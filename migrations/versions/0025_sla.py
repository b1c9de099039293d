"""SLA policies with several proposals and their what-if, passes of the escalation, and replays.

Revision ID: 0025
Revises: 0024
Create Date: 2026-11-30 09:58:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ONE_OPEN = "uq_policy_proposals_open"
MOST, ALL = sa.text("state = 'open' AND kind <> 'facility.sla'"), sa.text("state = 'open'")


def only(where):
    return {"sqlite_where": where, "postgresql_where": where}


def upgrade():
    op.add_column("policy_proposals", sa.Column("simulation", JSON, server_default=sa.text("'{}'"), nullable=False))
    op.drop_index(ONE_OPEN, table_name="policy_proposals")
    op.create_index(ONE_OPEN, "policy_proposals", ["policy_key"], unique=True, **only(MOST))
    op.create_table(
        "sla_passes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("sites", JSON, nullable=True),
        sa.Column("row_limit", sa.Integer(), nullable=False),
        sa.Column("escalated_count", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sla_passes"),
    )
    op.create_index("ix_sla_passes_at", "sla_passes", ["at", "id"])
    op.create_table(
        "sla_replays",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Integer(), nullable=True),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("policy_json", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("result", JSON, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("proven", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["policy_proposals.id"],
            name="fk_sla_replays_proposal_id_policy_proposals",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sla_replays"),
    )
    op.create_index("ix_sla_replays_proposal", "sla_replays", ["proposal_id", "id"])


def downgrade():
    op.drop_table("sla_replays")
    op.drop_table("sla_passes")
    # Only one proposal of a policy may wait again: the newest of those that do.
    op.execute(
        "UPDATE policy_proposals SET state = 'withdrawn' WHERE state = 'open' AND kind = 'facility.sla' AND id NOT IN"
        " (SELECT MAX(id) FROM policy_proposals WHERE state = 'open' GROUP BY policy_key)"
    )
    op.drop_index(ONE_OPEN, table_name="policy_proposals")
    op.create_index(ONE_OPEN, "policy_proposals", ["policy_key"], unique=True, **only(ALL))
    with op.batch_alter_table("policy_proposals") as batch:
        batch.drop_column("simulation")
