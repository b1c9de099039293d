"""What shifts hand over: the handovers of each site one after another, their lines, questions about them, and notes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.handover.lines import LINE_STATES, STATES
from console.models.base import Base, one_of, only


class Handover(Base):
    """One handover of a site. `previous_id` is the one before it, 0 for the first: two cannot follow the same one.

    Its lines tell what happened from `since_at` to `given_at`. `taker` is who was named to take it, `accepted_by` who
    did; never the giver.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        UniqueConstraint("site", "previous_id", name="uq_handovers_previous"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint("(state = 'accepted') = (accepted_at IS NOT NULL)", name="accepted"),
        CheckConstraint("accepted_by IS NULL OR accepted_by <> given_by", name="two_people"),
        # shifts.newest, lists.HANDOVERS: those of a site, the newest first.
        Index("ix_handovers_site", "site", "given_at", "id"),
        Index("ix_handovers_given_at", "given_at", "id"),
        # escalate.due: what nobody has accepted yet.
        Index("ix_handovers_open", "deadline_at", "id", **only("state = 'given'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    previous_id: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    state: Mapped[str] = mapped_column(String(20), default="given", server_default="given")
    since_at: Mapped[datetime]
    given_by: Mapped[str] = mapped_column(String(80))
    given_at: Mapped[datetime]
    taker: Mapped[str | None] = mapped_column(String(80))
    deadline_at: Mapped[datetime]
    line_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    confirmed_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    accepted_by: Mapped[str | None] = mapped_column(String(80))
    accepted_at: Mapped[datetime | None]
    # When it was told that the deadline passed; told once.
    escalated_at: Mapped[datetime | None]


class HandoverLine(Base):
    """One line: what it is about and how that stood when it was handed over."""

    __tablename__ = "handover_lines"
    __table_args__ = (
        CheckConstraint(one_of("state", LINE_STATES), name="state"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at IS NOT NULL)", name="confirmed"),
        # shifts.lines_of: the lines of a handover in their order.
        Index("ix_handover_lines_handover_id", "handover_id", "place", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    handover_id: Mapped[int] = mapped_column(ForeignKey("handovers.id", ondelete="CASCADE"))
    place: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(20))
    subject_id: Mapped[int | None]
    title: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(String(20), default="open", server_default="open")
    confirmed_by: Mapped[str | None] = mapped_column(String(80))
    confirmed_at: Mapped[datetime | None]


class HandoverQuestion(Base):
    """A line that was asked back, and the answer; a line has one open question at most."""

    __tablename__ = "handover_questions"
    __table_args__ = (
        Index("ix_handover_questions_line_id", "line_id", "id"),
        Index("uq_handover_questions_open", "line_id", unique=True, **only("answered_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("handover_lines.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(80))
    answered_at: Mapped[datetime | None]


class HandoverNote(Base):
    """What somebody on duty wrote for the next shift; it goes along until a handover that has it is accepted."""

    __tablename__ = "handover_notes"
    __table_args__ = (
        # collect.notes: what still has to be handed over at a site.
        Index("ix_handover_notes_open", "site", "id", **only("settled_by IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(String(120))
    note: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("handovers.id", ondelete="SET NULL"))
