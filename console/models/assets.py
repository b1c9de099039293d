"""Assets: what is looked after at a site, and where it stands."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class Asset(Base):
    """One thing that is looked after: a transformer, a pump, a lift. `code` is what its label says, once per site."""

    __tablename__ = "assets"
    __table_args__ = (
        UniqueConstraint("site", "code", name="uq_assets_site_code"),
        # assets.children: what belongs to a thing.
        Index("ix_assets_parent_id", "parent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40), default="", server_default="")
    place: Mapped[str] = mapped_column(String(120), default="", server_default="")
    serial: Mapped[str] = mapped_column(String(120), default="", server_default="")
    installed_on: Mapped[date | None]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="RESTRICT"))
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_by: Mapped[str] = mapped_column(String(80))
    updated_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
