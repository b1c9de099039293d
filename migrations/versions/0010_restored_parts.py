"""An acknowledgement tells after which entry an older backup went on, and which checkpoint it left behind.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-30 00:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("audit_acknowledgements") as batch:
        batch.add_column(sa.Column("after_seq", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("left_signature", sa.String(64), nullable=True))


def downgrade():
    with op.batch_alter_table("audit_acknowledgements") as batch:
        batch.drop_column("left_signature")
        batch.drop_column("after_seq")
