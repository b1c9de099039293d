"""People may protect their sign-in with a second factor: one-time codes of an app, and recovery codes.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-30 00:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("admin_users", sa.Column("second_factor_seed", sa.String(64), nullable=True))
    op.add_column("admin_users", sa.Column("second_factor_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "admin_users",
        sa.Column("second_factor_last_step", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["admin_users.id"], name="fk_recovery_codes_user_id_admin_users", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])


def downgrade():
    op.drop_index("ix_recovery_codes_user_id", "recovery_codes")
    op.drop_table("recovery_codes")
    op.drop_column("admin_users", "second_factor_last_step")
    op.drop_column("admin_users", "second_factor_since")
    op.drop_column("admin_users", "second_factor_seed")
