"""The one tracker: items, their history, and the closing of a tracker (API contract, tracker storage).

The remediation tracker and the weekly trackers share these tables; `tracker` tells them apart.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, false, text, true
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base


def _site_key(context: DefaultExecutionContext) -> str:
    return context.get_current_parameters()["site"] or ""


def _partial(name: str, *columns: str, where: str) -> Index:
    # SQLite uses a partial index only when the query says it in the same words, and it writes a flag as "= 1".
    # It also checks the condition again on each row: with its columns at the end, counting stays inside the index.
    sqlite_where = where.replace("is_active", "is_active = 1").replace("required", "required = 1")
    return Index(name, *columns, sqlite_where=text(sqlite_where), postgresql_where=text(where))


class TrackerItem(Base):
    """One thing to do. `site` NULL is the platform; `site_key` is the same with '' so that it can be unique.

    Of a synced rule there is one row for ever: a rule that fails again opens the next episode of the same row.
    `version` counts the changes that a concurrent editor must know of.
    """

    __tablename__ = "tracker_items"
    __table_args__ = (
        UniqueConstraint("tracker", "site_key", "item_type", "item_key", name="uq_tracker_items_identity"),
        UniqueConstraint("tracker", "number", name="uq_tracker_items_number"),
        CheckConstraint("status IN ('pending', 'in_progress', 'done', 'blocked')", name="status"),
        CheckConstraint("(status = 'done') = completion_checked", name="checked"),
        CheckConstraint("(status = 'done') = (completed_at IS NOT NULL)", name="completed"),
        # tracker.lists: the columns of the board and their counts; tracker.summary: overview and readiness.
        Index(
            "ix_tracker_items_board",
            *("tracker", "is_active", "status", "priority", "due_at", "id", "site_key", "assignee"),
        ),
        # tracker.lists: the same for one site.
        Index(
            "ix_tracker_items_site",
            *("tracker", "site_key", "is_active", "priority", "due_at", "id", "status"),
        ),
        # tracker.lists: the same for one assignee; load per assignee.
        Index(
            "ix_tracker_items_assignee",
            *("tracker", "assignee", "is_active", "priority", "due_at", "id", "status", "site_key"),
        ),
        # Overdue and due soon: lists, overview, readiness, board summary; the tail lets kpi count and sla_rows decide
        # about all open items inside the index.
        _partial(
            "ix_tracker_items_open_due",
            *("tracker", "due_at", "priority", "id", "site_key", "status", "is_active", "required", "rule_status"),
            *("assignee", "owner_role", "sla_hours"),
            where="is_active AND status <> 'done'",
        ),
        # Critical and open: overview, readiness and the rows behind that number.
        _partial(
            "ix_tracker_items_critical",
            *("tracker", "priority", "due_at", "id", "site_key", "status", "is_active", "required", "rule_status"),
            where="is_active AND status <> 'done' AND required AND rule_status = 'fail'",
        ),
        # Unassigned: overview, readiness, the claimable part of "my work".
        _partial(
            "ix_tracker_items_unassigned",
            *("tracker", "priority", "due_at", "id", "status", "site_key"),
            where="is_active AND assignee IS NULL",
        ),
        # kpi: ages of open items, the median by its position.
        _partial(
            "ix_tracker_items_age",
            *("tracker", "opened_at", "site_key", "status", "is_active"),
            where="is_active AND status <> 'done'",
        ),
        # tracker.lists: the table, the worst first; a flag that says the same as "done" in a word of the index.
        Index(
            "ix_tracker_items_worst",
            *("tracker", "is_active", "completion_checked", "due_at", "priority", "id", "status", "site_key"),
        ),
        # workload: who was assigned something longest ago; what a person took back from the machine.
        Index("ix_tracker_items_assigned", "assignee_user_id", "assigned_at"),
        # tracker.lists.my_items: open items of one person across all trackers; workload: how many they have.
        _partial(
            "ix_tracker_items_mine",
            *("assignee_user_id", "due_at", "id", "status", "is_active"),
            where="is_active AND status <> 'done'",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    site: Mapped[str | None] = mapped_column(String(120))
    site_key: Mapped[str] = mapped_column(String(120), default=_site_key)
    item_type: Mapped[str] = mapped_column(String(40))
    item_key: Mapped[str] = mapped_column(String(120))
    item_name: Mapped[str] = mapped_column(String(300), default="", server_default="")
    # Given once, one after another per tracker; people read it as GR-001.
    number: Mapped[int]

    rule_status: Mapped[str] = mapped_column(String(20), default="warning", server_default="warning")
    required: Mapped[bool] = mapped_column(default=False, server_default=false())
    priority: Mapped[int] = mapped_column(default=9, server_default=text("9"))
    plan_rank: Mapped[int | None]
    owner_role: Mapped[str] = mapped_column(String(120), default="", server_default="")
    sla_hours: Mapped[int] = mapped_column(default=24, server_default=text("24"))
    action: Mapped[str] = mapped_column(Text, default="", server_default="")
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    # Action and reason for readers of any language; the two columns above are what the API shows.
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    gate_generated_at: Mapped[datetime | None]
    gate_run_id: Mapped[int | None]
    source_decision: Mapped[str] = mapped_column(String(20), default="", server_default="")

    status: Mapped[str] = mapped_column(String(20), default="pending", server_default="pending")
    completion_checked: Mapped[bool] = mapped_column(default=False, server_default=false())
    completion_note: Mapped[str] = mapped_column(Text, default="", server_default="")
    completed_at: Mapped[datetime | None]
    # The gate passed the rule after the work was called done; and the first gate run that contradicted it.
    verified_at: Mapped[datetime | None]
    unproven_at: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())

    due_at: Mapped[datetime | None]
    due_changed_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    reopened_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    # The text that was sent; the user it names, when there is one.
    assignee: Mapped[str | None] = mapped_column(String(120))
    assignee_user_id: Mapped[int | None] = mapped_column(ForeignKey("admin_users.id", ondelete="RESTRICT"))
    assigned_at: Mapped[datetime | None]
    assignment_source: Mapped[str | None] = mapped_column(String(20))
    accepted_at: Mapped[datetime | None]

    evidence_required: Mapped[bool] = mapped_column(default=False, server_default=false())
    evidence_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    comment_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))

    created_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    updated_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


# tracker.lists: items API and table in the default order, any page; the tail keeps filters inside the index. With the
# active ones first the export of all items begins with its first row, without a sort.
Index(
    "ix_tracker_items_order",
    *(TrackerItem.tracker, TrackerItem.is_active.desc(), TrackerItem.priority, TrackerItem.due_at, TrackerItem.id),
    *(TrackerItem.status, TrackerItem.site_key, TrackerItem.assignee),
)


class TrackerCommand(Base):
    """One press of a button (or one bulk action): what its undo takes back.

    `token` is the key that only the caller got; `undone_at` is set once, by whoever was first.
    """

    __tablename__ = "tracker_commands"
    __table_args__ = (
        # kpi: work that was taken back is no finished work.
        _partial("ix_tracker_commands_undone", "tracker", "at", "id", "undone_at", where="undone_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    token: Mapped[str] = mapped_column(String(43), unique=True)
    kind: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class TrackerEvent(Base):
    """What happened to an item, never changed afterwards; `old` and `new` hold the fields that changed.

    `from_status` and `to_status` are set when the status changed, so that throughput is a count.
    `version` is the item's version after the event: the undo of a command only touches items still at it.
    """

    __tablename__ = "tracker_events"
    __table_args__ = (
        # tracker.items.events_of: timeline of one item.
        Index("ix_tracker_events_item_id", "item_id", "id"),
        # tracker.finished_by_day, figures: work finished per day or in a window, without what was taken back.
        _partial(
            "ix_tracker_events_done",
            *("tracker", "at", "site_key", "command_id", "to_status"),
            where="to_status = 'done'",
        ),
        # tracker.undo: what one command did.
        _partial("ix_tracker_events_command_id", "command_id", where="command_id IS NOT NULL"),
        # tracker.recent_events: the stream of a tracker, newest first.
        Index("ix_tracker_events_at", "tracker", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("tracker_items.id", ondelete="RESTRICT"))
    tracker: Mapped[str] = mapped_column(String(40))
    site_key: Mapped[str] = mapped_column(String(120), default="", server_default="")
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    old: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    new: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    from_status: Mapped[str | None] = mapped_column(String(20))
    to_status: Mapped[str | None] = mapped_column(String(20))
    run_id: Mapped[int | None]
    command_id: Mapped[int | None] = mapped_column(ForeignKey("tracker_commands.id", ondelete="RESTRICT"))
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))


class TrackerRun(Base):
    """Where a tracker (of one site, or as a whole with site NULL) stands: synced when, closed by whom.

    Its row is also the lock of everything that must happen one after another: syncs, numbering, closing.
    """

    __tablename__ = "tracker_runs"
    __table_args__ = (
        UniqueConstraint("tracker", "site_key", name="uq_tracker_runs_scope"),
        CheckConstraint("status IN ('active', 'completed', 'completed_with_exceptions')", name="status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    site: Mapped[str | None] = mapped_column(String(120))
    site_key: Mapped[str] = mapped_column(String(120), default=_site_key)
    status: Mapped[str] = mapped_column(String(40), default="active", server_default="active")
    completion_note: Mapped[str] = mapped_column(Text, default="", server_default="")
    force_used: Mapped[bool] = mapped_column(default=False, server_default=false())
    completed_by: Mapped[str | None] = mapped_column(String(80))
    completed_at: Mapped[datetime | None]
    # NULL until the tracker was closed or reopened for the first time.
    last_checked_at: Mapped[datetime | None]
    readiness: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    # Of a week: the Monday that its deadlines were counted from.
    starts_on: Mapped[date | None]
    last_synced_at: Mapped[datetime | None]
    gate_generated_at: Mapped[datetime | None]
    gate_decision: Mapped[str | None] = mapped_column(String(20))
    gate_run_id: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    updated_by: Mapped[str] = mapped_column(String(80), default="system", server_default="system")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class TrackerCompletion(Base):
    """Every closing and reopening of a tracker, appended and never changed."""

    __tablename__ = "tracker_completions"
    __table_args__ = (
        # tracker.completion.history: newest first.
        Index("ix_tracker_completions_scope", "tracker", "site_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    site_key: Mapped[str] = mapped_column(String(120), default="", server_default="")
    kind: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(Text, default="", server_default="")
    force_used: Mapped[bool] = mapped_column(default=False, server_default=false())
    reason: Mapped[str] = mapped_column(Text, default="", server_default="")
    readiness: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
