"""Active items come first in the index of the default order, as they do in the list of all items.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-23 06:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEHIND = ("priority", "due_at", "id", "status", "site_key", "assignee")


def _made_of(activity):
    op.drop_index("ix_tracker_items_order", "tracker_items")
    op.create_index("ix_tracker_items_order", "tracker_items", ["tracker", activity, *BEHIND])


def upgrade():
    _made_of(sa.text("is_active DESC"))


def downgrade():
    _made_of("is_active")
