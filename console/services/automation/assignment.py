"""Automatic assignment: the suggestions of the workload, carried out where nobody was faster (API contract, 10.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, case, select, update

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts.alerts import ASSIGNED
from console.domain.alerts.wanted import NAMED_MOST as ALERT_ITEMS_MOST
from console.domain.automation.autopilot import AUTO_ASSIGN, DISABLED
from console.domain.automation.workload import AUTO
from console.domain.errors import Gone, NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Status
from console.domain.text import T, Text
from console.domain.tracker.tracker import REMEDIATION
from console.models.identity import User
from console.models.jobs import JobRun
from console.models.tracker import TrackerCommand, TrackerItem
from console.services.alerts import outbox as alerts
from console.services.alerts.addresses import item_address
from console.services.automation import workload
from console.services.automation.workload import Suggested, Workload
from console.services.identity import names as people
from console.services.jobs.progress import current, progress
from console.services.policies.automation import MANAGE, Effective
from console.services.tracker import rows
from console.services.tracker import store as tracker_store
from console.services.tracker import undo as tracker_undo
from console.services.tracker.store import Command, Event
from console.services.tracker.undo import Undone

# What the machine gave away can be taken back for this long, as far as nobody has touched it since.
UNDO_FOR = timedelta(hours=24)
ASSIGNEES_MOST = 50


@dataclass(frozen=True)
class Assignment:
    """One item that got an assignee."""

    id: int
    assignee: str
    status: str
    reason: Text


@dataclass(frozen=True)
class AutoAssigned:
    """What an assignment run did (API contract, section 10.3); the fields after `assignments` are additions.

    `would_assign_count` is what a dry run would give away; `command_id` is what an undo takes back.
    """

    enabled: bool
    dry_run: bool
    limit: int
    workload: Workload
    candidate_count: int
    assigned_count: int
    skipped_count: int
    no_candidate_count: int
    updated_ids: tuple[int, ...]
    assignments: tuple[Assignment, ...]
    effective_limit: int
    would_assign_count: int
    skipped: bool
    skip_reason: str | None
    settings_source: str
    command_id: int | None

    @property
    def status(self) -> Status:
        """Return the status of the run."""
        if self.skipped:
            return "success"
        given = self.would_assign_count if self.dry_run else self.assigned_count
        return "warning" if self.no_candidate_count and not given else "success"


def auto_assign(ctx: Context, effective: Effective, limit: int | None, *, dry_run: bool) -> AutoAssigned:
    """Give unassigned items to the people the workload suggests, in the transaction of the caller.

    For all sites; permissions are the caller's business. An item that somebody assigned or closed meanwhile is left
    alone and counted as skipped; one that a person took back from the machine is no candidate (`workload.returned`).
    """
    most = effective.policy.auto_assign_max_items if limit is None else limit
    enabled = bool(ctx.config["GOVERNANCE_REMEDIATION_AUTO_ASSIGN_ENABLED"])
    stopped = not enabled or (effective.policy.paused and not dry_run)
    acts = not dry_run and not stopped
    if acts:
        tracker_store.lock_run(ctx, REMEDIATION)
    seen = workload.snapshot(ctx, most=most)
    possible = [one for one in seen.suggestions if one.recommended_user_id is not None]
    made, command = _assign(ctx, possible) if acts and possible else ((), None)
    if made and effective.policy.notify_enabled:
        _tell(ctx, made, possible)
    return AutoAssigned(
        enabled=enabled,
        dry_run=dry_run,
        limit=most,
        workload=seen,
        candidate_count=len(seen.suggestions),
        assigned_count=len(made),
        skipped_count=len(possible) - len(made) if acts else 0,
        no_candidate_count=len(seen.suggestions) - len(possible),
        updated_ids=tuple(one.id for one in made),
        assignments=made,
        effective_limit=most,
        would_assign_count=0 if stopped else len(possible),
        skipped=stopped,
        skip_reason=DISABLED if stopped else None,
        settings_source=effective.source(limit),
        command_id=command.id if command else None,
    )


def _assign(ctx: Context, wanted: Sequence[Suggested]) -> tuple[tuple[Assignment, ...], Command | None]:
    """Carry the suggestions out, each under its own condition; the number of statements does not depend on them."""
    now = ctx.now()
    command = tracker_store.begin_command(ctx, REMEDIATION, AUTO_ASSIGN, now)
    handle = current(ctx)
    run_id = handle.run_id if handle else None
    made: list[Assignment] = []
    events: list[tuple[int, str | None, int, Event]] = []
    versions = _given(ctx, wanted, now)
    progress(ctx, len(versions), len(wanted), T("Assigning: %(count)s so far", count=len(versions)))
    for one in wanted:
        if (version := versions.get(one.id)) is None:
            continue
        assert one.recommended_assignee is not None
        event = _event(one, now, run_id)
        events.append((one.id, one.site, version, event))
        made.append(Assignment(one.id, one.recommended_assignee, event.new.get("status", one.status), one.reason))
    tracker_store.write_events(ctx, REMEDIATION, events, now, command)
    if made:
        tracker_store.reopen_completion(ctx, REMEDIATION, None, "auto_assigned", now)
    return tuple(made), command


ITEMS = cast("Table", TrackerItem.__table__)


def _given(ctx: Context, wanted: Sequence[Suggested], now: datetime) -> dict[int, int]:
    """Assign the items that are still as suggested and return their new versions by id.

    One after another in the order of their urgency: neighbours in the indexes are then changed together.
    """
    values = {
        "assignee": bindparam("name"),
        "assignee_user_id": bindparam("user_id"),
        "assigned_at": now,
        "assignment_source": AUTO,
        "accepted_at": None,
        "status": case((TrackerItem.status == "pending", "in_progress"), else_=TrackerItem.status),
        "version": TrackerItem.version + 1,
        "updated_at": now,
        # Published: whoever started the run, the machine made this change.
        "updated_by": "system",
    }
    as_suggested = (ITEMS.c.id == bindparam("item_id"), rows.OPEN, ITEMS.c.status == bindparam("was"))
    for free in (True, False):
        found = [
            {"item_id": one.id, "was": one.status, "name": one.recommended_assignee, "user_id": one.recommended_user_id,
             "owner": one.assignee_user_id}
            for one in wanted
            if (one.assignee_user_id is None) == free
        ]  # fmt: skip
        if found:
            ctx.session.execute(update(ITEMS).where(*as_suggested, _free(free)).values(values), found)
    written = select(TrackerItem.id, TrackerItem.version).where(
        TrackerItem.assignee_user_id.in_({one.recommended_user_id for one in wanted}),
        TrackerItem.assigned_at == now,
        TrackerItem.assignment_source == AUTO,
    )
    versions = {row.id: row.version for row in ctx.session.execute(written)}
    return {one.id: versions[one.id] for one in wanted if one.id in versions}


def _free(nobody: bool) -> ColumnElement[bool]:
    """Nobody has it; or the very user has it who was switched off, and still is. And no person took it back."""
    if nobody:
        return and_(TrackerItem.assignee.is_(None), rows.AUTOMATIC)
    owner = bindparam("owner", type_=TrackerItem.assignee_user_id.type)
    off = select(User.id).where(User.id == owner, User.is_active.is_(False))
    return and_(TrackerItem.assignee_user_id == owner, TrackerItem.assignee_user_id.in_(off), rows.AUTOMATIC)


def _event(one: Suggested, now: datetime, run_id: int | None) -> Event:
    old: dict[str, Any] = {
        "assignee": one.assignee,
        "assignee_user_id": one.assignee_user_id,
        "assigned_at": None,
        "assignment_source": None,
    }
    new: dict[str, Any] = {
        "assignee": one.recommended_assignee,
        "assignee_user_id": one.recommended_user_id,
        "assigned_at": now,
        "assignment_source": AUTO,
        "reason": one.reason.as_dict(),
    }
    if one.status == "pending":
        old["status"], new["status"] = "pending", "in_progress"
    return Event("auto_assigned", old, new, run_id)


def _tell(ctx: Context, made: Sequence[Assignment], wanted: Sequence[Suggested]) -> None:
    """Say in one message who got what; that nobody can be reached is no failure of the assignment."""
    by_id = {one.id: one for one in wanted}
    names = people.names_of(ctx, [one.assignee for one in made])
    items = [_line(ctx, one, by_id[one.id], names) for one in made]
    payload = {
        "event": ASSIGNED,
        "job_name": job_names.AUTO_ASSIGN,
        "checked_at": ctx.now(),
        "assigned_count": len(made),
        "assignees": [
            {"assignee": name, "assigned_count": count}
            for name, count in Counter(one.assignee for one in made).most_common(ASSIGNEES_MOST)
        ],
        "items": items,
    }
    alerts.raise_alert(ctx, ASSIGNED, payload, most_lines=ALERT_ITEMS_MOST)


def _line(ctx: Context, one: Assignment, item: Suggested, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": one.id,
        "item_id": item.item_id,
        "rule_id": item.rule_id,
        "priority": item.priority,
        "due_at": item.due_at,
        "owner_role": item.owner_role,
        "assignee": one.assignee,
        "title": text_in(DEFAULT_LOCALE, item.title),
        "assignee_name": names.get(one.assignee, one.assignee),
        "site": item.site,
        "status": one.status,
        "reason": str(one.reason),
        **item_address(ctx.config, one.id),
    }


def undo(ctx: Context, run_id: int) -> Undone:
    """Take back what an assignment run gave away, item by item, where nobody has changed anything since.

    Raises NotFound for anything but such a run, Gone when it is too late or was done already, and Conflict when every
    item was changed meanwhile.
    """
    ctx.actor.require(*MANAGE)
    ctx.actor.require_all_sites()
    wanted = select(JobRun.detail_json).where(
        JobRun.id == run_id, JobRun.job_name == job_names.AUTO_ASSIGN, JobRun.dry_run.is_(False)
    )
    detail = ctx.session.scalar(wanted) or {}
    command = ctx.session.get(TrackerCommand, detail.get("command_id") or 0)
    if command is None or command.tracker != REMEDIATION.key:
        raise NotFound(T("This run gave nothing away that could be taken back"))
    if command.undone_at is not None or ctx.now() - command.at > UNDO_FOR:
        raise Gone(T("This can no longer be taken back"))
    return tracker_undo.take_back(ctx, command)
