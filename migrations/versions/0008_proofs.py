"""Tokens know whether a password got them, checkpoints name their predecessor, and lost logs can be acknowledged.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-29 14:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("admin_tokens") as batch:
        batch.add_column(sa.Column("by_password", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Whoever signed in for a token before this release did so with a password.
    op.execute(
        "UPDATE admin_tokens SET by_password = true WHERE CAST(id AS VARCHAR(20)) IN (SELECT resource_id"
        " FROM admin_audit_logs WHERE action = 'auth_login_success' AND resource_type = 'admin_token')"
    )
    with op.batch_alter_table("audit_checkpoints") as batch:
        batch.add_column(sa.Column("previous", sa.String(64), nullable=True))
        batch.add_column(sa.Column("kept_by", sa.String(64), nullable=True))
    op.create_table(
        "audit_acknowledgements",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("chain", sa.String(12), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor_username", sa.String(80), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
    )


def downgrade():
    op.drop_table("audit_acknowledgements")
    with op.batch_alter_table("audit_checkpoints") as batch:
        batch.drop_column("kept_by")
        batch.drop_column("previous")
    with op.batch_alter_table("admin_tokens") as batch:
        batch.drop_column("by_password")
