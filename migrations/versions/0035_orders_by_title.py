"""Work orders in the order of their titles.

Revision ID: 0035
Revises: 0034
Create Date: 2026-11-30 20:35:00
"""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_work_orders_title", "work_orders", ["title", "id"])


def downgrade():
    op.drop_index("ix_work_orders_title", table_name="work_orders")
