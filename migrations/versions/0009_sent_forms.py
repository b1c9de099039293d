"""Forms that were sent and taken are remembered for some days.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-29 23:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "sent_forms",
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("form", sa.String(200), nullable=False),
        sa.Column("result", sa.String(2000), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_sent_forms"),
    )
    op.create_index("ix_sent_forms_expires_at", "sent_forms", ["expires_at"])


def downgrade():
    op.drop_index("ix_sent_forms_expires_at", "sent_forms")
    op.drop_table("sent_forms")
