"""Inspections, the templates of rounds and what was found at each point (API contract, inspections)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.inspections.points import KINDS, VERDICTS
from console.domain.inspections.risk import LEVELS
from console.models.base import Base, one_of, only


class InspectionTemplate(Base):
    """One version of a template. A change makes the next version; rounds that began keep theirs.

    `site_key` is '' for a template of all sites.
    """

    __tablename__ = "inspection_templates"
    __table_args__ = (
        UniqueConstraint("site_key", "code", "version", name="uq_inspection_templates_version"),
        # templates.offered: what can be begun at a site; only one version of a template is the current one.
        Index(
            "uq_inspection_templates_current",
            *("site_key", "code"),
            unique=True,
            sqlite_where=text("is_current = 1"),
            postgresql_where=text("is_current"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str | None] = mapped_column(String(120))
    site_key: Mapped[str] = mapped_column(String(120), default="", server_default="")
    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(200))
    location: Mapped[str] = mapped_column(String(120))
    cycle: Mapped[str] = mapped_column(String(40))
    is_current: Mapped[bool] = mapped_column(default=True, server_default=true())
    # What its rounds are about; it stands at the site of the template. Assets are never deleted.
    asset_id: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class InspectionPoint(Base):
    """One point of a version of a template, in its place; never changed."""

    __tablename__ = "inspection_points"
    __table_args__ = (
        UniqueConstraint("template_id", "code", name="uq_inspection_points_code"),
        CheckConstraint(one_of("kind", KINDS), name="kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("inspection_templates.id", ondelete="CASCADE"))
    place: Mapped[int]
    code: Mapped[str] = mapped_column(String(40))
    section: Mapped[str] = mapped_column(String(120), default="", server_default="")
    name: Mapped[str] = mapped_column(String(200))
    guide: Mapped[str] = mapped_column(Text, default="", server_default="")
    kind: Mapped[str] = mapped_column(String(20))
    unit: Mapped[str] = mapped_column(String(20), default="", server_default="")
    maps_to: Mapped[str | None] = mapped_column(String(40))
    danger_low: Mapped[float | None]
    warn_low: Mapped[float | None]
    warn_high: Mapped[float | None]
    danger_high: Mapped[float | None]
    choices: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    optional: Mapped[bool] = mapped_column(default=False, server_default=false())
    advice: Mapped[str] = mapped_column(Text, default="", server_default="")


class Inspection(Base):
    """One inspection; what was found never changes, a second person may sign it afterwards.

    Times are UTC, measurements in the units of the contract.
    `round_key` is the key that the sender gave the round, unique for that person; `twin_of` is an earlier round of the
    same template at the same place within the same hours: both are kept.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint(one_of("risk_level", LEVELS), name="risk_level"),
        UniqueConstraint("created_by", "round_key", name="uq_inspections_round_key"),
        # lists.INSPECTIONS and the published list: newest first, of all sites and of one.
        Index("ix_inspections_inspected_at", "inspected_at", "id"),
        Index("ix_inspections_site_inspected_at", "site", "inspected_at", "id"),
        # lists.INSPECTIONS: what is dangerous or doubtful.
        Index("ix_inspections_risk_level", "risk_level", "inspected_at", "id", "site"),
        # handover.collect: what was stored since an instant and is not as it should be.
        Index(
            "ix_inspections_stored",
            *("site", "created_at", "id"),
            **only("risk_level <> 'normal'"),
        ),
        # create.twin_of: rounds of the same template; lists.INSPECTIONS: filter by template.
        Index("ix_inspections_template", "template_id", "inspected_at", "id"),
        # assets.history, assets.readings: what was found at an asset.
        Index("ix_inspections_asset", "asset_id", "inspected_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    location: Mapped[str] = mapped_column(String(120))
    cycle: Mapped[str] = mapped_column(String(40))
    inspector: Mapped[str] = mapped_column(String(80))
    inspected_at: Mapped[datetime]
    transformer_kva: Mapped[float | None]
    voltage_r: Mapped[float | None]
    voltage_s: Mapped[float | None]
    voltage_t: Mapped[float | None]
    current_r: Mapped[float | None]
    current_s: Mapped[float | None]
    current_t: Mapped[float | None]
    winding_temp_c: Mapped[float | None]
    grounding_ohm: Mapped[float | None]
    insulation_mohm: Mapped[float | None]
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    risk_level: Mapped[str] = mapped_column(String(20))
    risk_flags: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    # What people call each flag: the name of its point, '' for a published one.
    finding_names: Mapped[list[str]] = mapped_column(default=list, server_default=text("'[]'"))
    rule_version: Mapped[str] = mapped_column(String(20))
    template_id: Mapped[int | None] = mapped_column(ForeignKey("inspection_templates.id", ondelete="RESTRICT"))
    started_at: Mapped[datetime | None]
    signed_by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    round_key: Mapped[str | None] = mapped_column(String(80))
    content_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    twin_of: Mapped[int | None] = mapped_column(ForeignKey("inspections.id", ondelete="RESTRICT"))
    asset_id: Mapped[int | None]
    # Who signed it as the second person; set once.
    countersigned_by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    countersigned_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class InspectionResult(Base):
    """What was found at one point. Published measurements have their name as `code` and an empty `series`.

    `series` with place and code says which results follow each other over the years: the template's code, or '' for a
    published measurement. `limits` are those that the verdict was made by.
    """

    __tablename__ = "inspection_results"
    __table_args__ = (
        UniqueConstraint("inspection_id", "code", name="uq_inspection_results_code"),
        CheckConstraint(one_of("verdict", VERDICTS), name="verdict"),
        # read.series, read.last: the same point over time, newest first.
        Index(
            "ix_inspection_results_series",
            *("site", "location", "series", "code", "measured_at", "id"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id", ondelete="CASCADE"))
    place: Mapped[int]
    code: Mapped[str] = mapped_column(String(40))
    series: Mapped[str] = mapped_column(String(40), default="", server_default="")
    site: Mapped[str] = mapped_column(String(120))
    location: Mapped[str] = mapped_column(String(120))
    section: Mapped[str] = mapped_column(String(120), default="", server_default="")
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20), default="", server_default="")
    value: Mapped[float | None]
    # The chosen word or the text of a point that is no number.
    answer: Mapped[str] = mapped_column(Text, default="", server_default="")
    verdict: Mapped[str] = mapped_column(String(20))
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    reason: Mapped[str] = mapped_column(String(200), default="", server_default="")
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    measured_at: Mapped[datetime]
    # The order that this finding became; set once.
    work_order_id: Mapped[int | None]
    # Why nothing is to be done about this finding; set once.
    closed_reason: Mapped[str] = mapped_column(String(500), default="", server_default="")
    closed_by: Mapped[str] = mapped_column(String(80), default="", server_default="")
    closed_at: Mapped[datetime | None]


class InspectionEvent(Base):
    """What people did about an inspection after it was stored; appended and never changed."""

    __tablename__ = "inspection_events"
    __table_args__ = (
        # events.listed: those of one inspection.
        Index("ix_inspection_events_inspection_id", "inspection_id", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(40))
    actor_username: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    detail_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_at: Mapped[datetime]


class InspectionSignature(Base):
    """What the signer drew: the path of an SVG inside the box of `domain.inspections.signature`."""

    __tablename__ = "inspection_signatures"

    inspection_id: Mapped[int] = mapped_column(ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True)
    drawing: Mapped[str] = mapped_column(Text)
    drawn_at: Mapped[datetime]
