"""What the remediation automation leaves behind: facts of its runs, the backlog over time, what shadows decided.

Figures stand in columns, so that history, summary, figures and guard never read whole results of runs.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from console.models.base import Base, only


class RunFact(Base):
    """The facts of one finished run of an automation job; runs that broke off have none.

    The four figures are those before the actions, `…_after` those after them (NULL when nothing was done).
    `acted`: at least one action was tried, and it was not skipped. `parent_run_id` is the autopilot run around it.
    """

    __tablename__ = "run_facts"
    __table_args__ = (
        # automation.guard: the newest run that acted, real ones and all of them.
        Index(
            "ix_run_facts_acted",
            *("job_name", "finished_at", "run_id", "dry_run"),
            sqlite_where=text("acted = 1"),
            postgresql_where=text("acted"),
        ),
        # automation.facts.nested_of: the runs inside an autopilot run.
        Index(
            "ix_run_facts_parent_run_id",
            "parent_run_id",
            **only("parent_run_id IS NOT NULL"),
        ),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), primary_key=True)
    job_name: Mapped[str] = mapped_column(String(80))
    parent_run_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"))
    finished_at: Mapped[datetime]
    dry_run: Mapped[bool] = mapped_column(default=False, server_default=false())
    force: Mapped[bool] = mapped_column(default=False, server_default=false())
    skipped: Mapped[bool] = mapped_column(default=False, server_default=false())
    skip_reason: Mapped[str | None] = mapped_column(String(40))
    acted: Mapped[bool] = mapped_column(default=False, server_default=false())
    planned_auto_assign: Mapped[bool] = mapped_column(default=False, server_default=false())
    planned_escalation: Mapped[bool] = mapped_column(default=False, server_default=false())
    did_auto_assign: Mapped[bool] = mapped_column(default=False, server_default=false())
    did_escalation: Mapped[bool] = mapped_column(default=False, server_default=false())
    errors_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    open_items: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    overdue_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    unassigned_open_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    critical_open_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    open_items_after: Mapped[int | None]
    overdue_count_after: Mapped[int | None]
    unassigned_open_count_after: Mapped[int | None]
    critical_open_count_after: Mapped[int | None]
    assigned_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    notified_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    suppressed_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    policy_revision: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    fingerprint: Mapped[str] = mapped_column(String(64), default="", server_default="")


class ItemEscalation(Base):
    """The last message about an item: its level, when, in which run, and how many there were.

    `due_at` is the deadline that was told; another one starts afresh. A narrow table of its own, and without foreign
    keys: telling tens of thousands of items must neither rewrite them with all their indexes nor lock each of them
    (items are never deleted).
    """

    __tablename__ = "item_escalations"
    __table_args__ = (
        # automation.plan: what people were told last.
        Index("ix_item_escalations_told_at", "told_at", "item_id"),
    )

    item_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    level: Mapped[int]
    count: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    due_at: Mapped[datetime]
    told_at: Mapped[datetime]
    # escalation: what one run told, for its events and messages.
    run_id: Mapped[int | None] = mapped_column(index=True)


class BacklogSample(Base):
    """How big the backlog was after one real KPI run."""

    __tablename__ = "backlog_samples"
    __table_args__ = (
        # kpi.history: the samples of a window, oldest first.
        Index("ix_backlog_samples_finished_at", "tracker", "finished_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    tracker: Mapped[str] = mapped_column(String(40))
    finished_at: Mapped[datetime]
    source_job: Mapped[str] = mapped_column(String(80))
    status: Mapped[str] = mapped_column(String(20))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("job_runs.id", ondelete="SET NULL"), index=True)
    open_items: Mapped[int]
    overdue_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    unassigned_open_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    critical_open_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))


class ShadowRun(Base):
    """One autopilot run seen by a proposed policy: what the live policy did, and what the proposed one would have."""

    __tablename__ = "shadow_runs"
    __table_args__ = (
        UniqueConstraint("proposal_id", "run_id", name="uq_shadow_runs_run"),
        # shadow.comparison: the runs of a proposal over time; the shadow's own cooldown.
        Index("ix_shadow_runs_at", "proposal_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("policy_proposals.id", ondelete="CASCADE"))
    run_id: Mapped[int] = mapped_column(ForeignKey("job_runs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    live_skip_reason: Mapped[str | None] = mapped_column(String(40))
    live_assign_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    live_notify_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    shadow_skip_reason: Mapped[str | None] = mapped_column(String(40))
    shadow_assign_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    shadow_notify_count: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    # The same actions on as many items; and whether the shadow would have acted at all.
    agrees: Mapped[bool] = mapped_column(default=False, server_default=false())
    acted: Mapped[bool] = mapped_column(default=False, server_default=false())


class ShadowDecision(Base):
    """What a proposed policy would have done with one item, the first time it would have; `live`: so did the other."""

    __tablename__ = "shadow_decisions"
    __table_args__ = (UniqueConstraint("proposal_id", "action", "item_id", "level", name="uq_shadow_decisions_item"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("policy_proposals.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("tracker_items.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(20))
    level: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    assignee: Mapped[str | None] = mapped_column(String(120))
    live: Mapped[bool] = mapped_column(default=False, server_default=false())
