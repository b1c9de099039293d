"""Evidence knows when a photo was taken, and whether it was made smaller on its way.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-30 03:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("evidence_files", sa.Column("captured_at", sa.String(length=25), nullable=True))
    op.add_column("evidence_files", sa.Column("shrunk", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade():
    with op.batch_alter_table("evidence_files") as batch_op:
        batch_op.drop_column("shrunk")
        batch_op.drop_column("captured_at")
