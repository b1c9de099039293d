"""The version of a deploy checklist is given to its signature once.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-30 06:25:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "deploy_checklists",
        sa.Column("signature", sa.String(length=12), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signature", name="pk_deploy_checklists"),
        sa.UniqueConstraint("version", name="uq_deploy_checklists_version"),
    )


def downgrade():
    op.drop_table("deploy_checklists")
