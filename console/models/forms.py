"""Forms that were sent and taken, so that a second sending of the same is recognised."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base
from console.models.types import JsonValue


class SentForm(Base):
    """One sending that was taken: of a form, or of a program that named it by an `Idempotency-Key`.

    Only a hash is stored of a form: of its one-time key, its sender and its content. A program's sending is found by
    its key alone; `content_hash` tells whether it says the same, and `answer` is what it was answered.
    """

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
    content_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    answer: Mapped[dict[str, Any] | None] = mapped_column(JsonValue)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
