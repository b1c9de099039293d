"""What reaches people themselves: their addresses, what they chose, their names in channels, and messages to them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text, true
from sqlalchemy.orm import Mapped, mapped_column

from console.models.alerts import Outgoing
from console.models.base import Base, only
from console.models.types import JsonValue


class PersonalAddress(Base):
    """An address of a person, sealed like that of a channel; nothing but codes goes to one that is not confirmed."""

    __tablename__ = "personal_addresses"
    __table_args__ = (
        CheckConstraint("kind IN ('webhook', 'slack', 'teams', 'mail')", name="kind"),
        # personal.listed: the addresses of a person.
        Index("ix_personal_addresses_user_id", "user_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(String(400))
    # Until then only codes are sent there; an address that proves nothing by a code is confirmed by being made.
    confirmed_at: Mapped[datetime | None]
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_sent_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class PersonalChoices(Base):
    """What a person wants to get, and when not; without a row the built-in choices count."""

    __tablename__ = "personal_choices"

    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"), primary_key=True)
    event_types: Mapped[list[str]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    least_level: Mapped[str] = mapped_column(String(20), default="info", server_default="info")
    # Empty: all that the person may see.
    sites: Mapped[list[str]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    only_mine: Mapped[bool] = mapped_column(default=True, server_default=true())
    # Minutes after midnight in `zone`; both empty without quiet hours. `quiet_days` are those on which they begin.
    quiet_start: Mapped[int | None]
    quiet_end: Mapped[int | None]
    quiet_days: Mapped[list[int]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    zone: Mapped[str] = mapped_column(String(64), default="Asia/Seoul", server_default="Asia/Seoul")
    critical_passes: Mapped[bool] = mapped_column(default=True, server_default=true())
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class PersonalName(Base):
    """What a person is called in a channel, so that alerts about their things can name them there."""

    __tablename__ = "personal_names"
    __table_args__ = (
        UniqueConstraint("user_id", "channel"),
        # audience: who can be named in a channel.
        Index("ix_personal_names_channel", "channel"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
    channel: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    updated_at: Mapped[datetime]


class PersonalDelivery(Outgoing, Base):
    """One message to one address of a person. Lists, figures and archives of channels know nothing of it."""

    __tablename__ = "personal_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'success', 'failed', 'warning', 'dead', 'dropped')", name="status"),
        # delivery: what is due of one address, oldest first.
        Index(
            "ix_personal_deliveries_lane",
            *("channel", "next_attempt_at", "id"),
            **only("next_attempt_at IS NOT NULL"),
        ),
        # snoozes.end: what one held back.
        Index(
            "ix_personal_deliveries_snooze",
            "snooze_id",
            **only("snooze_id IS NOT NULL"),
        ),
        # personal_messages.latest: the newest messages of a person.
        Index("ix_personal_deliveries_user_id", "user_id", "id"),
        # personal_messages.forget: what is old.
        Index("ix_personal_deliveries_last_attempt_at", "last_attempt_at"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("admin_users.id", ondelete="CASCADE"))
