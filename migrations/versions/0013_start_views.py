"""Everybody has a start page of their own, which may be a shared view.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-30 02:20:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "start_views",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("view_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["admin_users.id"], name="fk_start_views_user_id_admin_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["view_id"], ["saved_views.id"], name="fk_start_views_view_id_saved_views", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_start_views"),
    )
    op.create_index("ix_start_views_view_id", "start_views", ["view_id"])
    op.execute("INSERT INTO start_views (user_id, view_id) SELECT user_id, id FROM saved_views WHERE is_start")


def downgrade():
    op.execute("UPDATE saved_views SET is_start = false WHERE is_start")
    # A shared view of somebody else cannot be a start page any more.
    op.execute(
        "UPDATE saved_views SET is_start = true WHERE EXISTS (SELECT 1 FROM start_views"
        " WHERE start_views.view_id = saved_views.id AND start_views.user_id = saved_views.user_id)"
    )
    op.drop_index("ix_start_views_view_id", "start_views")
    op.drop_table("start_views")
