"""Files prove work orders and inspections too; a file that is sent twice is kept once.

Revision ID: 0023
Revises: 0022
Create Date: 2026-11-30 09:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_evidence_files_work_order", ("work_order_id", "id"), "work_order_id IS NOT NULL", False),
    ("ix_evidence_files_inspection", ("inspection_id", "id"), "inspection_id IS NOT NULL", False),
    ("uq_evidence_files_sent_key", ("sent_key",), "sent_key IS NOT NULL", True),
)
KEYS = (("work_order_id", "work_orders"), ("inspection_id", "inspections"))
ONE_SUBJECT = "ck_evidence_files_one_subject"


def upgrade():
    with op.batch_alter_table("evidence_files") as batch:
        for column, table in KEYS:
            batch.add_column(sa.Column(column, sa.Integer(), nullable=True))
            name = f"fk_evidence_files_{column}_{table}"
            batch.create_foreign_key(name, table, [column], ["id"], ondelete="RESTRICT")
        batch.add_column(sa.Column("part", sa.String(length=40), server_default="", nullable=False))
        batch.add_column(sa.Column("sent_key", sa.String(length=64), nullable=True))
        batch.create_check_constraint(ONE_SUBJECT, "work_order_id IS NULL OR inspection_id IS NULL")
    for name, columns, where, unique in INDEXES:
        only = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
        op.create_index(name, "evidence_files", list(columns), unique=unique, **only)


def downgrade():
    for name, _columns, _where, _unique in INDEXES:
        op.drop_index(name, table_name="evidence_files")
    with op.batch_alter_table("evidence_files") as batch:
        batch.drop_constraint(ONE_SUBJECT, type_="check")
        for column, table in KEYS:
            batch.drop_constraint(f"fk_evidence_files_{column}_{table}", type_="foreignkey")
        for column in ("sent_key", "part", "inspection_id", "work_order_id"):
            batch.drop_column(column)
