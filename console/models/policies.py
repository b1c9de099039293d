"""Policies, their revisions, and what people propose to change (API contract, policy standard).

A row holds only the fields that somebody set; the rest comes from the next wider scope and the built-in defaults.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only


class Policy(Base):
    """The stored policy of one key. `version` is the number of its newest revision."""

    __tablename__ = "sla_policies"

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_key: Mapped[str] = mapped_column(String(200), unique=True)
    policy_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    version: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class PolicyRevision(Base):
    """One change of a policy, appended and never changed: the stored fields after it, and old and new of what moved."""

    __tablename__ = "policy_revisions"
    __table_args__ = (
        # policies.revisions: newest first; and one revision of a number only.
        UniqueConstraint("policy_key", "revision", name="uq_policy_revisions_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_key: Mapped[str] = mapped_column(String(200))
    revision: Mapped[int]
    policy_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    source: Mapped[str] = mapped_column(String(20), default="update", server_default="update")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("policy_proposals.id", ondelete="SET NULL"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))


class PolicyProposal(Base):
    """A change that waits for somebody else's approval. With `shadow` it is tried beside the live policy meanwhile."""

    __tablename__ = "policy_proposals"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'approved', 'rejected', 'withdrawn')", name="state"),
        # One open proposal per policy: two at once would be decided on the same ground and contradict each other. Those
        # of SLA policies are published as a list that waits; each is checked against its base when it is approved.
        Index(
            "uq_policy_proposals_open",
            "policy_key",
            unique=True,
            **only("state = 'open' AND kind <> 'facility.sla'"),
        ),
        # policies.proposals.listed: those of one policy, newest first.
        Index("ix_policy_proposals_policy_key", "policy_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    policy_key: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(60))
    site: Mapped[str | None] = mapped_column(String(120))
    base_revision: Mapped[int]
    # What was asked for, and what the whole policy would be with it.
    sent: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    policy_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    # What it would do, as it was seen when it was made.
    simulation: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    shadow: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[str] = mapped_column(String(20), default="open", server_default="open")
    proposed_by: Mapped[str] = mapped_column(String(80))
    proposed_by_user_id: Mapped[int | None]
    proposed_at: Mapped[datetime]
    decided_by: Mapped[str | None] = mapped_column(String(80))
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str] = mapped_column(Text, default="", server_default="")
