"""Index of escalated work orders: API and list count and page them without looking through all orders.

Revision ID: 0033
Revises: 0032
Create Date: 2026-11-30 17:15:00
"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLE, NAME = "work_orders", "ix_work_orders_escalated"


def upgrade():
    op.create_index(NAME, TABLE, ["is_escalated", "created_at", "id"])


def downgrade():
    op.drop_index(NAME, table_name=TABLE)
