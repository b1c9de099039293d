"""Signatures of rounds as they were drawn, and the work order that a finding became.

Revision ID: 0024
Revises: 0023
Create Date: 2026-11-30 09:50:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "inspection_signatures",
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("drawing", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_inspection_signatures_inspection_id_inspections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inspection_id", name=op.f("pk_inspection_signatures")),
    )
    op.add_column("inspection_results", sa.Column("work_order_id", sa.Integer(), nullable=True))


def downgrade():
    with op.batch_alter_table("inspection_results") as results:
        results.drop_column("work_order_id")
    op.drop_table("inspection_signatures")
