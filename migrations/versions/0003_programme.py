"""The weeks of the programme: which items need evidence, and from which Monday deadlines are counted.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-22 23:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "tracker_items", sa.Column("evidence_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("tracker_runs", sa.Column("starts_on", sa.Date(), nullable=True))


def downgrade():
    op.drop_column("tracker_runs", "starts_on")
    op.drop_column("tracker_items", "evidence_required")
