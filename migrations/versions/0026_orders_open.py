"""Indexes of work orders that both databases use: open ones are told by what they are not.

SQLite takes a condition on equal values for a search by status, however many rows have it, and passes over the partial
indexes then; one on unequal values it cannot search by.

Revision ID: 0026
Revises: 0025
Create Date: 2026-11-30 13:15:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TABLE = "work_orders"
BEFORE, AFTER = sa.text("status IN ('open', 'acked')"), sa.text("status NOT IN ('completed', 'canceled')")
OPEN = {
    "ix_work_orders_open": [
        *("due_at", "priority_rank", "id", "site", "status", "assignee", "waiting_reason", "source"),
        *("is_escalated", "priority"),
    ],
    "ix_work_orders_mine": ["assignee_user_id", "due_at", "id", "status"],
}
BY_SITE = "ix_work_orders_site_open"
SITE = ["site", "due_at", "priority_rank", "id", "status", "assignee", "waiting_reason", "source"]
BY_PERSON, BY_PERSON_OPEN = "ix_work_orders_assignee", "ix_work_orders_assignee_open"
NEW = {
    "ix_work_orders_due": ["due_at", "priority_rank", "id", "status"],
    "ix_work_orders_site_completed": ["site", "completed_at"],
}


def rebuild(where, more=()):
    for name, columns in {**OPEN, BY_SITE: [*SITE, *more]}.items():
        op.drop_index(name, table_name=TABLE)
        op.create_index(name, TABLE, columns, sqlite_where=where, postgresql_where=where)
    op.drop_index(BY_PERSON, table_name=TABLE)


def upgrade():
    rebuild(AFTER, ("is_escalated",))
    op.create_index(BY_PERSON, TABLE, ["assignee", "created_at", "id"])
    columns = ["assignee", "due_at", "priority_rank", "id", "assignee_user_id"]
    op.create_index(BY_PERSON_OPEN, TABLE, columns, sqlite_where=AFTER, postgresql_where=AFTER)
    for name, columns in NEW.items():
        op.create_index(name, TABLE, columns)


def downgrade():
    for name in (*NEW, BY_PERSON_OPEN):
        op.drop_index(name, table_name=TABLE)
    rebuild(BEFORE)
    op.create_index(BY_PERSON, TABLE, ["assignee", "due_at", "id"])
