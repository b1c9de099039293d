"""Closing a tracker: its present state, the act itself, and every closing there was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.records import JsonObject
from console.domain.errors import Conflict, PermissionDenied
from console.domain.tracker.tracker import COMPLETED, COMPLETED_WITH_EXCEPTIONS, NO_ITEMS, REMEDIATION, TrackerKind
from console.models.tracker import TrackerCompletion
from console.services.audit import record as audit
from console.services.tracker.store import lock_run
from console.services.tracker.summary import ReadinessView, RunState, check_site, measured, run_state

HISTORY_LIMIT = 100


class NotReady(Conflict):
    """The tracker cannot be closed; carries what stands in the way (409)."""

    code = "not_ready"

    def __init__(self, programme: TrackerKind, readiness: ReadinessView) -> None:
        detail: dict[str, Any] = {
            "message": programme.not_ready,
            "blockers": [text_in(DEFAULT_LOCALE, text) for text in readiness.blockers],
            "readiness_score_percent": readiness.readiness_score_percent,
        }
        if programme.site_runs:
            detail |= {"site": readiness.site, "ready": readiness.ready}
        super().__init__(detail)
        self.readiness = readiness


@dataclass(frozen=True)
class Completion:
    """Where a tracker stands. `completed_readiness` is what was measured when it was closed or reopened."""

    status: str
    completion_note: str
    completed_by: str | None
    completed_at: datetime | None
    force_used: bool
    last_checked_at: datetime
    readiness: ReadinessView
    completed_readiness: Mapping[str, Any]
    history_count: int
    site: str | None = None


@dataclass(frozen=True)
class CompletionEntry:
    """One closing (`completed`) or reopening (`reopened`) of a tracker."""

    id: int
    kind: str
    status: str
    at: datetime
    actor: str
    note: str
    force_used: bool
    reason: str
    readiness: JsonObject


def completion(ctx: Context, programme: TrackerKind = REMEDIATION, site: str | None = None) -> Completion:
    """Return whether the tracker is closed, and the readiness of now: two queries."""
    ctx.actor.require(*programme.read)
    check_site(ctx, site)
    now = ctx.now()
    state = run_state(ctx, programme, now, site)
    made = _completion(programme, site, state, measured(ctx, programme, now, site, state))
    audit.viewed(
        ctx,
        f"{programme.audit_prefix}_completion_view",
        programme.closing_resource,
        site or "global",
        status=made.status,
        ready=made.readiness.ready,
        readiness_score_percent=made.readiness.readiness_score_percent,
    )
    return made


def _completion(programme: TrackerKind, site: str | None, state: RunState, readiness: ReadinessView) -> Completion:
    return Completion(
        status=state.status,
        completion_note=state.completion_note,
        completed_by=state.completed_by,
        completed_at=state.completed_at,
        force_used=state.force_used,
        last_checked_at=state.last_checked_at or readiness.generated_at,
        readiness=readiness,
        completed_readiness=state.readiness,
        history_count=state.history_count,
        site=site if programme.site_runs else None,
    )


def complete(
    ctx: Context,
    *,
    note: str = "",
    force: bool = False,
    programme: TrackerKind = REMEDIATION,
    site: str | None = None,
) -> Completion:
    """Close the tracker, or raise NotReady with the blockers.

    `force` closes it anyway and leaves a mark; it leaves none when nothing was in the way, and it cannot close a week
    that was never begun. A tracker that is closed as a whole needs a caller for all sites. Readiness is measured
    while no item can change.
    """
    ctx.actor.require(*programme.manage)
    if force:
        _check_force(ctx, programme)
    if programme.site_runs:
        check_site(ctx, site)
    else:
        ctx.actor.require_all_sites()
    now = ctx.now()
    run = lock_run(ctx, programme, site if programme.site_runs else None, freeze=True)
    readiness = measured(ctx, programme, now, site if programme.site_runs else None)
    if not readiness.ready and (not force or NO_ITEMS.code in readiness.blocker_codes):
        raise NotReady(programme, readiness)
    blockers = [text_in(DEFAULT_LOCALE, text) for text in readiness.blockers]
    run.status = COMPLETED if readiness.ready else COMPLETED_WITH_EXCEPTIONS
    run.completion_note = note.strip()
    run.force_used = force and not readiness.ready
    run.completed_by = run.updated_by = ctx.actor.username
    run.completed_at = run.last_checked_at = run.updated_at = now
    run.readiness = {
        "ready": readiness.ready,
        "readiness_score_percent": readiness.readiness_score_percent,
        "blockers": blockers,
        "checked_at": now.isoformat(),
    }
    ctx.session.add(
        TrackerCompletion(
            tracker=programme.key,
            site_key=run.site_key,
            kind="completed",
            status=run.status,
            at=now,
            actor=ctx.actor.username,
            note=run.completion_note,
            force_used=run.force_used,
            readiness=run.readiness,
        )
    )
    ctx.session.flush()
    audit.record(
        ctx,
        f"{programme.audit_prefix}_complete",
        programme.closing_resource,
        run.site_key or "global",
        status="success" if readiness.ready else "warning",
        detail={
            "status": run.status,
            "force": force,
            "ready": readiness.ready,
            "readiness_score_percent": readiness.readiness_score_percent,
            "blockers": blockers,
        },
    )
    return _completion(programme, site, run_state(ctx, programme, now, site), readiness)


def _check_force(ctx: Context, programme: TrackerKind) -> None:
    if programme.force_denied and not any(map(ctx.actor.can, programme.force)):
        raise PermissionDenied(programme.force_denied, code="permission_missing")
    ctx.actor.require(*programme.force)


def history(
    ctx: Context,
    programme: TrackerKind = REMEDIATION,
    site: str | None = None,
    *,
    limit: int = HISTORY_LIMIT,
    offset: int = 0,
) -> tuple[tuple[CompletionEntry, ...], int]:
    """Return every closing and reopening, newest first, and how many there are."""
    ctx.actor.require(*programme.read)
    check_site(ctx, site)
    site_key = (site or "") if programme.site_runs else ""
    scope = (TrackerCompletion.tracker == programme.key, TrackerCompletion.site_key == site_key)
    total = ctx.session.scalar(select(func.count()).select_from(TrackerCompletion).where(*scope)) or 0
    statement = select(TrackerCompletion).where(*scope).order_by(TrackerCompletion.id.desc())
    rows = ctx.session.scalars(statement.limit(limit).offset(min(offset, total)))
    entries = tuple(
        CompletionEntry(
            row.id, row.kind, row.status, row.at, row.actor, row.note, row.force_used, row.reason, row.readiness
        )
        for row in rows
    )
    return entries, total
