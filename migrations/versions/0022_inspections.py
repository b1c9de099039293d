"""Inspections, templates of rounds and results; sendings of programs are kept with what they were answered.

Revision ID: 0022
Revises: 0021
Create Date: 2026-11-30 07:05:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "inspection_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("site_key", sa.String(length=120), server_default="", nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("location", sa.String(length=120), nullable=False),
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_templates")),
        sa.UniqueConstraint("site_key", "code", "version", name="uq_inspection_templates_version"),
    )
    op.create_index(
        "uq_inspection_templates_current",
        "inspection_templates",
        ["site_key", "code"],
        unique=True,
        sqlite_where=sa.text("is_current = 1"),
        postgresql_where=sa.text("is_current"),
    )
    op.create_table(
        "inspection_points",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("section", sa.String(length=120), server_default="", nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("guide", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("unit", sa.String(length=20), server_default="", nullable=False),
        sa.Column("maps_to", sa.String(length=40), nullable=True),
        sa.Column("danger_low", sa.Double(), nullable=True),
        sa.Column("warn_low", sa.Double(), nullable=True),
        sa.Column("warn_high", sa.Double(), nullable=True),
        sa.Column("danger_high", sa.Double(), nullable=True),
        sa.Column(
            "choices",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("optional", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("advice", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('number', 'choice', 'text', 'photo')", name=op.f("ck_inspection_points_kind")),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["inspection_templates.id"],
            name=op.f("fk_inspection_points_template_id_inspection_templates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_points")),
        sa.UniqueConstraint("template_id", "code", name="uq_inspection_points_code"),
    )
    op.create_table(
        "inspections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("location", sa.String(length=120), nullable=False),
        sa.Column("cycle", sa.String(length=40), nullable=False),
        sa.Column("inspector", sa.String(length=80), nullable=False),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("transformer_kva", sa.Double(), nullable=True),
        sa.Column("voltage_r", sa.Double(), nullable=True),
        sa.Column("voltage_s", sa.Double(), nullable=True),
        sa.Column("voltage_t", sa.Double(), nullable=True),
        sa.Column("current_r", sa.Double(), nullable=True),
        sa.Column("current_s", sa.Double(), nullable=True),
        sa.Column("current_t", sa.Double(), nullable=True),
        sa.Column("winding_temp_c", sa.Double(), nullable=True),
        sa.Column("grounding_ohm", sa.Double(), nullable=True),
        sa.Column("insulation_mohm", sa.Double(), nullable=True),
        sa.Column("notes", sa.Text(), server_default="", nullable=False),
        sa.Column("risk_level", sa.String(length=20), nullable=False),
        sa.Column(
            "risk_flags",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "finding_names",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("rule_version", sa.String(length=20), nullable=False),
        sa.Column("template_id", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.String(length=80), server_default="", nullable=False),
        sa.Column("round_key", sa.String(length=80), nullable=True),
        sa.Column("content_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("twin_of", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("risk_level IN ('normal', 'warning', 'danger')", name=op.f("ck_inspections_risk_level")),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["inspection_templates.id"],
            name=op.f("fk_inspections_template_id_inspection_templates"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["twin_of"], ["inspections.id"], name=op.f("fk_inspections_twin_of_inspections"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
        sa.UniqueConstraint("created_by", "round_key", name="uq_inspections_round_key"),
    )
    op.create_index("ix_inspections_inspected_at", "inspections", ["inspected_at", "id"], unique=False)
    op.create_index(
        "ix_inspections_risk_level", "inspections", ["risk_level", "inspected_at", "id", "site"], unique=False
    )
    op.create_index("ix_inspections_site_inspected_at", "inspections", ["site", "inspected_at", "id"], unique=False)
    op.create_index("ix_inspections_template", "inspections", ["template_id", "inspected_at", "id"], unique=False)
    op.create_table(
        "inspection_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("inspection_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=40), server_default="", nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("location", sa.String(length=120), nullable=False),
        sa.Column("section", sa.String(length=120), server_default="", nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), server_default="", nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column(
            "limits",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=200), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('danger', 'warning', 'normal', 'recorded', 'unmeasured')",
            name=op.f("ck_inspection_results_verdict"),
        ),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_inspection_results_inspection_id_inspections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_results")),
        sa.UniqueConstraint("inspection_id", "code", name="uq_inspection_results_code"),
    )
    op.create_index(
        "ix_inspection_results_series",
        "inspection_results",
        ["site", "location", "series", "code", "measured_at", "id"],
        unique=False,
    )


def downgrade():
    op.drop_index("ix_inspection_results_series", table_name="inspection_results")
    op.drop_table("inspection_results")
    op.drop_index("ix_inspections_template", table_name="inspections")
    op.drop_index("ix_inspections_site_inspected_at", table_name="inspections")
    op.drop_index("ix_inspections_risk_level", table_name="inspections")
    op.drop_index("ix_inspections_inspected_at", table_name="inspections")
    op.drop_table("inspections")
    op.drop_table("inspection_points")
    op.drop_index("uq_inspection_templates_current", table_name="inspection_templates")
    op.drop_table("inspection_templates")
