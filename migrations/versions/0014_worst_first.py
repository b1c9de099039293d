"""The table of a tracker begins with what is late, without a sort.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-30 02:55:00
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

COLUMNS = ("tracker", "is_active", "completion_checked", "due_at", "priority", "id", "status", "site_key")


def upgrade():
    op.create_index("ix_tracker_items_worst", "tracker_items", list(COLUMNS))


def downgrade():
    op.drop_index("ix_tracker_items_worst", "tracker_items")
