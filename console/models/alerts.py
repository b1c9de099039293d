"""The alert outbox: a delivery is a row written with the change that caused it, its attempts are rows too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only
from console.models.types import JsonValue


class Outgoing:
    """The columns of a message that goes out: when it is due, who holds it, what came of it.

    `target` is the masked address; the real one is found by `channel` when the message is sent.
    `message_id` is what the receiver sees, the same on every attempt.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(String(40), unique=True)
    event_type: Mapped[str] = mapped_column(String(80))
    channel: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(400))
    site: Mapped[str | None] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(20), default="queued", server_default="queued")
    error: Mapped[str | None] = mapped_column(Text)
    payload_json: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))
    # A trial of the channel, which tells nobody anything; the figures leave it out.
    probe: Mapped[bool] = mapped_column(default=False, server_default=false())
    attempt_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # Until the first attempt: when the alert was raised.
    last_attempt_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime | None]
    # The snooze that held it back last; without foreign key, as the thing it is about.
    snooze_id: Mapped[int | None]
    lease_token: Mapped[str | None] = mapped_column(String(36))
    lease_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AlertDelivery(Outgoing, Base):
    """One message to one channel (API contract, alert deliveries)."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'success', 'failed', 'warning', 'dead', 'dropped')", name="status"),
        # alerts.claim: what is due, oldest first; settled ones are left out of the index.
        Index(
            "ix_alert_deliveries_due",
            "next_attempt_at",
            "id",
            **only("next_attempt_at IS NOT NULL"),
        ),
        # delivery: what is due of one channel, oldest first, so that none waits for another.
        Index(
            "ix_alert_deliveries_lane",
            *("channel", "next_attempt_at", "id"),
            **only("next_attempt_at IS NOT NULL"),
        ),
        # figures: how the deliveries of a period went, channel by channel, from the index alone.
        Index(
            "ix_alert_deliveries_figures",
            *("channel", "status", "last_attempt_at", "probe", "event_type", "site"),
        ),
        # List by status; batch retry.
        Index("ix_alert_deliveries_status_last_attempt_at", "status", "last_attempt_at", "id"),
        # The list, newest first.
        Index("ix_alert_deliveries_last_attempt_at", "last_attempt_at", "id"),
        # List by event type.
        Index("ix_alert_deliveries_event_type", "event_type", "last_attempt_at", "id"),
        # reports.figures: how many alerts of a period arrived.
        Index("ix_alert_deliveries_created_at", "created_at", "status"),
        # accuracy: the messages of the window, one event type after another.
        Index("ix_alert_deliveries_raised", "event_type", "created_at", "id"),
        # History of one channel.
        Index("ix_alert_deliveries_channel", "channel", "last_attempt_at", "id"),
        # snoozes.end: what one held back.
        Index(
            "ix_alert_deliveries_snooze",
            "snooze_id",
            **only("snooze_id IS NOT NULL"),
        ),
    )

    # The same in all deliveries of one alert; empty in those that are older than it.
    raised_id: Mapped[str] = mapped_column(String(36), default="", server_default="")


class AlertAttempt(Base):
    """One attempt to deliver, appended and never changed."""

    __tablename__ = "alert_attempts"
    __table_args__ = (
        # Attempts of one delivery.
        Index("ix_alert_attempts_delivery_id", "delivery_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("alert_deliveries.id", ondelete="CASCADE"))
    number: Mapped[int]
    started_at: Mapped[datetime]
    duration_ms: Mapped[int]
    status_code: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str] = mapped_column(String(120), default="", server_default="")


class AlertChannel(Base):
    """A channel that people made. Its address is sealed with the key of the installation and never shown again."""

    __tablename__ = "alert_channels"
    __table_args__ = (CheckConstraint("kind IN ('webhook', 'slack', 'teams', 'mail')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(String(400))
    # Empty lists are no limit.
    event_types: Mapped[list[str]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    least_level: Mapped[str] = mapped_column(String(20), default="info", server_default="info")
    sites: Mapped[list[str]] = mapped_column(JsonValue, default=list, server_default=text("'[]'"))
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())
    paused_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class AlertChannelState(Base):
    """How one channel is: what dispatch, guard and probes go by, moved by every real attempt and by nothing else."""

    __tablename__ = "alert_channel_states"

    channel: Mapped[str] = mapped_column(String(40), primary_key=True)
    target: Mapped[str] = mapped_column(String(400))
    # Attempts in a row that failed.
    consecutive_failures: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    last_attempt_at: Mapped[datetime]
    last_status: Mapped[str] = mapped_column(String(20))
    last_error: Mapped[str | None] = mapped_column(Text)
    last_success_at: Mapped[datetime | None]
    last_failure_at: Mapped[datetime | None]


class AlertIncident(Base):
    """A time in which a channel took nothing: from the first failure to the next success, open without `ended_at`.

    Each stands twice: as one of the channel (`event_type` is empty), and as one of the channel and the event type.
    """

    __tablename__ = "alert_incidents"
    __table_args__ = (
        # states.noted: the open one, of which there is one at most.
        Index(
            "uq_alert_incidents_open",
            *("channel", "event_type"),
            unique=True,
            **only("ended_at IS NULL"),
        ),
        # figures: those of a window that have ended.
        Index("ix_alert_incidents_ended_at", "event_type", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    target: Mapped[str] = mapped_column(String(400))
    event_type: Mapped[str] = mapped_column(String(80), default="", server_default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    failure_count: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class AlertNotice(Base):
    """That somebody was told of something, so that it is not told again too early: `notified_at` by its key."""

    __tablename__ = "alert_notices"

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    # When it was last found to be so, told or not.
    seen_at: Mapped[datetime]
    notified_at: Mapped[datetime | None]


class AlertMark(Base):
    """What a person says of an alert: it was false, or one was missed. Taken back by whoever may, never deleted.

    `happened_at` is when the alert was raised, or when the incident happened that nobody was told about.
    """

    __tablename__ = "alert_marks"
    __table_args__ = (
        CheckConstraint("kind IN ('false', 'missed')", name="kind"),
        # One standing mark per alert, whatever the number of channels that it went to.
        Index(
            "uq_alert_marks_alert",
            *("event_type", "happened_at", "raised_id"),
            unique=True,
            **only("kind = 'false' AND withdrawn_at IS NULL"),
        ),
        # accuracy: the marks of the window; the list, newest first.
        Index("ix_alert_marks_happened_at", "happened_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    # Without foreign key: the mark outlives the delivery.
    delivery_id: Mapped[int | None]
    # Which of the alerts of that instant; empty for those that are older than it.
    raised_id: Mapped[str] = mapped_column(String(36), default="", server_default="")
    event_type: Mapped[str] = mapped_column(String(80), default="", server_default="")
    happened_at: Mapped[datetime]
    site: Mapped[str | None] = mapped_column(String(120))
    what: Mapped[str] = mapped_column(String(300), default="", server_default="")
    reason: Mapped[str] = mapped_column(Text)
    marked_by: Mapped[str] = mapped_column(String(80))
    marked_at: Mapped[datetime]
    withdrawn_by: Mapped[str | None] = mapped_column(String(80))
    withdrawn_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class AlertFinding(Base):
    """One thing that the nightly comparison found wrong; kept as long as its run."""

    __tablename__ = "alert_findings"
    __table_args__ = (
        # accuracy_lists: the findings of one run, by label, newest first.
        Index("ix_alert_findings_run_id", "run_id", "label", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"))
    label: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    until: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    site: Mapped[str | None] = mapped_column(String(120))
    item_id: Mapped[int | None]
    delivery_id: Mapped[int | None]
    found_run_id: Mapped[int | None]
    job_name: Mapped[str | None] = mapped_column(String(80))
    channel: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(JsonValue, default=dict, server_default=text("'{}'"))
