"""Saved views: names that people give to addresses of lists."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class SavedView(Base):
    """A name for an address with filters; private to its owner or shared with everybody who may open the page."""

    __tablename__ = "saved_views"
    __table_args__ = (
        # home.saved_views: the menu of a list, own and shared ones.
        Index("ix_saved_views_list_name", "list_name", "is_shared"),
        # One name per person and list.
        Index("uq_saved_views_user_id_list_name_name", "user_id", "list_name", "name", unique=True),
        # One start page per person; held by the database.
        Index(
            "uq_saved_views_start",
            "user_id",
            unique=True,
            sqlite_where=text("is_start"),
            postgresql_where=text("is_start"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    list_name: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(2000))
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_start: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
