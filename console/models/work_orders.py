"""Work orders, their history and the times they waited (API contract, work orders)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.work_orders.words import HOLD_REASONS, PRIORITIES, SOURCES, STATUSES, TRADES
from console.models.base import Base

# By what it is not: SQLite takes equal values for a search by status and passes over the partial indexes then.
IS_OPEN = "status NOT IN ('completed', 'canceled')"


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class WorkOrder(Base):
    """One order. `site` and `location` say where; an asset only says it more exactly.

    `waiting_reason` and its instants repeat the hold that is open now, so that lists need no second table. `version`
    counts the changes that a concurrent editor must know of; comments and files are none.
    """

    __tablename__ = "work_orders"
    __table_args__ = (
        CheckConstraint(_one_of("status", STATUSES), name="status"),
        CheckConstraint(_one_of("priority", PRIORITIES), name="priority"),
        # The rank orders by weight what the words would order by letter.
        CheckConstraint(
            "priority_rank = CASE priority WHEN 'critical' THEN 1 WHEN 'high' THEN 2 WHEN 'medium' THEN 3 ELSE 4 END",
            name="rank",
        ),
        CheckConstraint(_one_of("trade", TRADES), name="trade"),
        CheckConstraint(_one_of("source", SOURCES), name="source"),
        CheckConstraint(f"waiting_reason IS NULL OR ({_one_of('waiting_reason', HOLD_REASONS)})", name="waiting"),
        CheckConstraint("(status = 'completed') = (completed_at IS NOT NULL)", name="completed"),
        CheckConstraint("status <> 'open' OR acknowledged_at IS NULL", name="acknowledged"),
        # lists.ORDERS: what is due first; lists.counts: the figures of all open ones, inside the index.
        _partial(
            "ix_work_orders_open",
            *("due_at", "priority_rank", "id", "site", "status", "assignee", "waiting_reason", "source"),
            *("is_escalated", "priority"),
            where=IS_OPEN,
        ),
        # lists.ORDERS: the same at one site.
        _partial(
            "ix_work_orders_site_open",
            *(
                "site",
                "due_at",
                "priority_rank",
                "id",
                "status",
                "assignee",
                "waiting_reason",
                "source",
                "is_escalated",
            ),
            where=IS_OPEN,
        ),
        # lists.listed (API): newest first, of one site, of one status.
        Index("ix_work_orders_created", "created_at", "id"),
        Index("ix_work_orders_site_status", "site", "status", "created_at", "id"),
        Index("ix_work_orders_status", "status", "created_at", "id"),
        # lists.ORDERS: what one person is to do.
        _partial("ix_work_orders_mine", "assignee_user_id", "due_at", "id", "status", where=IS_OPEN),
        _partial(
            "ix_work_orders_assignee_open",
            *("assignee", "due_at", "priority_rank", "id", "assignee_user_id"),
            where=IS_OPEN,
        ),
        # lists.listed (API): newest first, of one person.
        Index("ix_work_orders_assignee", "assignee", "created_at", "id"),
        # lists.ORDERS: the closed ones beside.
        Index("ix_work_orders_due", "due_at", "priority_rank", "id", "status"),
        # lists.spec: by title, up and down, without reading and sorting every order.
        Index("ix_work_orders_title", "title", "id"),
        # on_time.last_30_days: what was due within the window, inside the index.
        Index("ix_work_orders_on_time", "due_at", "status", "completed_at", "site"),
        # lists.counts: completed this week, everywhere and at one site.
        Index("ix_work_orders_completed", "completed_at", "id", "site"),
        Index("ix_work_orders_site_completed", "site", "completed_at"),
        # The published list of escalated orders.
        Index("ix_work_orders_escalated", "is_escalated", "created_at", "id"),
        # read.of_asset: the history of an asset; links of an inspection.
        Index("ix_work_orders_asset", "asset_id", "created_at", "id"),
        Index("ix_work_orders_inspection", "inspection_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="", server_default="")
    site: Mapped[str] = mapped_column(String(120))
    location: Mapped[str] = mapped_column(String(120))
    priority: Mapped[str] = mapped_column(String(20), default="medium", server_default="medium")
    priority_rank: Mapped[int] = mapped_column(default=3, server_default=text("3"))
    status: Mapped[str] = mapped_column(String(20), default="open", server_default="open")
    # The text that was sent; the user it names, when there is one.
    assignee: Mapped[str | None] = mapped_column(String(80))
    assignee_user_id: Mapped[int | None] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    reporter: Mapped[str | None] = mapped_column(String(80))
    trade: Mapped[str] = mapped_column(String(20), default="other", server_default="other")
    source: Mapped[str] = mapped_column(String(20), default="manual", server_default="manual")
    inspection_id: Mapped[int | None]
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="RESTRICT"))
    due_at: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    canceled_at: Mapped[datetime | None]
    resolution_notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    cancel_reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    is_escalated: Mapped[bool] = mapped_column(default=False, server_default=false())
    # The revision of the SLA policy that gave the due date; NULL for the built-in policy and for a date of a person.
    policy_revision_id: Mapped[int | None]
    waiting_reason: Mapped[str | None] = mapped_column(String(20))
    waiting_since: Mapped[datetime | None]
    waiting_until: Mapped[datetime | None]
    evidence_before: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    evidence_after: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    comment_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    reopened_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_by: Mapped[str] = mapped_column(String(80))
    updated_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class WorkOrderEvent(Base):
    """One line of an order's history, appended and never changed.

    Beside what happened it keeps what an exact replay of SLA policies needs: priority, due date, policy revision and
    whether the order waited, as they are after the event.
    """

    __tablename__ = "work_order_events"
    __table_args__ = (
        # events.listed: the history of one order.
        Index("ix_work_order_events_work_order_id_created_at", "work_order_id", "created_at", "id"),
        # dashboard.trends, handover.collect: what escalated in a period.
        _partial("ix_work_order_events_escalated", *("created_at", "work_order_id"), where="event_type = 'escalated'"),
        # Replay of a period.
        Index("ix_work_order_events_created_at", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(40))
    actor_username: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str | None] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    detail_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    created_at: Mapped[datetime]
    priority: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime]
    policy_revision_id: Mapped[int | None]
    waiting_reason: Mapped[str | None] = mapped_column(String(20))
    is_escalated: Mapped[bool] = mapped_column(default=False, server_default=false())


class SlaPass(Base):
    """One pass of the escalation over the orders, as it was allowed to go; never changed.

    `sites` are those that its caller could see, NULL for all; a replay walks the same passes.
    """

    __tablename__ = "sla_passes"
    __table_args__ = (
        # replay.passes: those of a period.
        Index("ix_sla_passes_at", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    site: Mapped[str | None] = mapped_column(String(120))
    sites: Mapped[list[str] | None]
    row_limit: Mapped[int]
    escalated_count: Mapped[int]
    run_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(80))


class SlaReplay(Base):
    """What a replay of a policy over a recorded period gave; never changed.

    `proven`: the policies that were in force reproduced the recorded escalations of the period without difference.
    """

    __tablename__ = "sla_replays"
    __table_args__ = (
        # replays.latest: the newest of a proposal.
        Index("ix_sla_replays_proposal", "proposal_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int | None] = mapped_column(ForeignKey("policy_proposals.id", ondelete="CASCADE"))
    site: Mapped[str | None] = mapped_column(String(120))
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    policy_json: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    result: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    proven: Mapped[bool] = mapped_column(default=False, server_default=false())
    run_id: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class WorkOrderHold(Base):
    """One interval in which an order waited for somebody or something else; open while `ended_at` is NULL."""

    __tablename__ = "work_order_holds"
    __table_args__ = (
        CheckConstraint(_one_of("reason", HOLD_REASONS), name="reason"),
        CheckConstraint("ended_at IS NULL OR ended_at >= started_at", name="interval"),
        Index("ix_work_order_holds_work_order_id", "work_order_id", "started_at", "id"),
        # At most one hold of an order is open.
        _partial("uq_work_order_holds_open", "work_order_id", where="ended_at IS NULL", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    work_order_id: Mapped[int] = mapped_column(ForeignKey("work_orders.id", ondelete="CASCADE"))
    reason: Mapped[str] = mapped_column(String(20))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(80))
    until_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(80))
