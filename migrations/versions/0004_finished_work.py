"""Work that was finished is counted inside its index, also without what was taken back.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23 03:00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BEFORE = ("tracker", "at", "site_key")
AFTER = (*BEFORE, "command_id", "to_status")


def _made_of(columns):
    where = sa.text("to_status = 'done'")
    op.drop_index("ix_tracker_events_done", "tracker_events")
    op.create_index("ix_tracker_events_done", "tracker_events", columns, sqlite_where=where, postgresql_where=where)


def upgrade():
    _made_of(list(AFTER))


def downgrade():
    _made_of(list(BEFORE))
