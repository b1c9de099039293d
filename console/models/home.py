"""Saved views: names that people give to addresses of lists."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only


class SavedView(Base):
    """A name for an address with filters; private to its owner or shared with everybody who may open the page."""

    __tablename__ = "saved_views"
    __table_args__ = (
        # home.saved_views: the menu of a list, own and shared ones.
        Index("ix_saved_views_list_name", "list_name", "is_shared"),
        # One name per person and list.
        Index("uq_saved_views_user_id_list_name_name", "user_id", "list_name", "name", unique=True),
        # Of the release before, which asks for the one start page here.
        Index(
            "uq_saved_views_start",
            "user_id",
            unique=True,
            **only("is_start"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    list_name: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(2000))
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Of the release before; `StartView` has it now.
    is_start: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StartView(Base):
    """The view that a person begins with: one's own or a shared one."""

    __tablename__ = "start_views"
    # Whose start page a view is, when it is deleted or no longer shared.
    __table_args__ = (Index("ix_start_views_view_id", "view_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"), primary_key=True)
    view_id: Mapped[int] = mapped_column(ForeignKey("saved_views.id", ondelete="CASCADE"))
