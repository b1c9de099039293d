"""Forms that were sent and taken, so that a second sending of the same is recognised."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


class SentForm(Base):
    """One sending of a form that was taken. Only a hash is stored: of its one-time key, its sender and its content."""

    __tablename__ = "sent_forms"
    __table_args__ = (
        # common.sent_forms: clean-up.
        Index("ix_sent_forms_expires_at", "expires_at"),
    )

    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    actor: Mapped[str] = mapped_column(String(80))
    form: Mapped[str] = mapped_column(String(200))
    # The address that the sender was led to; '' where the page itself showed the result.
    result: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
