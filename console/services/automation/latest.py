"""Runs of the automation as the API answers them: started now, or the latest one, always with the same keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from console.core.context import Context
from console.core.serialize import plain
from console.domain.automation.autopilot import ALREADY_RUNNING, PLAN_CHANGED
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API, CANCELLED, FINISHED, detail_object
from console.domain.text import T
from console.inputs.policies import REASON_MAX
from console.models.jobs import JobRun
from console.services.audit import record as audit
from console.services.automation import assignment, escalation, facts, kpi
from console.services.automation import run as autopilot_run
from console.services.jobs import engine as run_engine
from console.services.jobs import runs
from console.services.jobs.job import Job, read_options, stored_options
from console.services.jobs.requests import snapshot_of
from console.services.jobs.runs import Run
from console.services.policies.automation import AUDIT, MANAGE, READ

_M = ("open_items", "overdue_count", "unassigned_open_count", "critical_open_count")
# The published keys of each job's result, in their order; the word of its audit actions; the keys of its entries.
KEYS: Mapping[str, tuple[str, ...]] = {
    job_names.ESCALATION: tuple(escalation.Escalated.__dataclass_fields__),
    job_names.AUTO_ASSIGN: tuple(assignment.AutoAssigned.__dataclass_fields__),
    job_names.KPI: tuple(name for name in kpi.Kpi.__dataclass_fields__ if name != "generated_at"),
    job_names.AUTOPILOT: tuple(autopilot_run.AutopilotRun.__dataclass_fields__),
}
_WORDS = {
    job_names.ESCALATION: "escalation",
    job_names.AUTO_ASSIGN: "auto_assign",
    job_names.KPI: "kpi",
    job_names.AUTOPILOT: "autopilot",
}
_AUDITED: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    job_names.ESCALATION: (
        ("dry_run", "due_soon_hours", "candidate_count", "critical_count", "notify_attempted", "notify_dispatched",
         "notify_error"),
        ("candidate_count", "critical_count", "notify_attempted", "notify_dispatched"),
    ),
    job_names.AUTO_ASSIGN: (
        ("dry_run", "limit", "candidate_count", "assigned_count", "skipped_count", "no_candidate_count", "enabled"),
        ("dry_run", "candidate_count", "assigned_count", "skipped_count", "no_candidate_count", "enabled"),
    ),
    job_names.KPI: (("window_days", "due_soon_hours", *_M),) * 2,
    job_names.AUTOPILOT: (
        ("dry_run", "force", "skipped", "skip_reason", "planned_actions", "actions", "guard", "errors", *_M),
        ("dry_run", "skipped", "skip_reason", "planned_actions", "actions", "guard", "errors", *_M),
    ),
}  # fmt: skip
_GUARD = ("ready", "blocked", "reason", "minutes_until_ready")


def run(ctx: Context, job: Job, options: Mapping[str, Any] | BaseModel, *, dry_run: bool = False) -> dict[str, Any]:
    """Run an automation job now, for all sites, and return its answer; the call is audited.

    Of two autopilot runs at once the second is closed at once as skipped, `already_running`. Raises Conflict when the
    run was stopped, when another job of this name does not end in time, and when the expected plan no longer holds.
    """
    ctx.actor.require(*MANAGE)
    ctx.actor.require_all_sites()
    try:
        # The autopilot's second caller need not wait: whoever runs already does the work.
        patience = timedelta(0) if job.name == job_names.AUTOPILOT else None
        found = run_engine.execute(ctx, job, options, trigger=API, dry_run=dry_run, patience=patience).run
        ctx.begin_write()
    except Conflict as error:
        if job.name != job_names.AUTOPILOT or not _is_busy(error):
            raise
        ctx.begin_write()
        found = _already_running(ctx, job, options, dry_run=dry_run)
    if found.error_code == CANCELLED:
        raise Conflict({"message": T("The run was stopped"), "run_id": found.id})
    made = answer_of(ctx, found)
    if found.detail.get("skip_reason") == PLAN_CHANGED:
        raise Conflict(
            {
                "message": T("The situation has changed since the plan was made; please look at it again"),
                "run_id": found.id,
                "fingerprint": made["fingerprint"],
            },
            code=PLAN_CHANGED,
        )
    keys, _view_keys = _AUDITED[job.name]
    audit.record(
        ctx,
        f"{AUDIT}_{_WORDS[job.name]}_run",
        AUDIT,
        found.id,
        status=found.status or "success",
        detail={key: _audited(made, key) for key in keys},
    )
    return made


def _is_busy(error: Conflict) -> bool:
    return isinstance(error.detail, dict) and error.detail.get("job_name") == job_names.AUTOPILOT


def _already_running(ctx: Context, job: Job, options: Mapping[str, Any] | BaseModel, *, dry_run: bool) -> Run:
    """Store the run that came too late, closed from the start."""
    wanted = read_options(job, options)
    force = bool(getattr(wanted, "force", False))
    outcome = autopilot_run.refused(ctx, force=force, dry_run=dry_run, reason=ALREADY_RUNNING)
    now = ctx.now()
    row = JobRun(
        job_name=job.name,
        trigger=API,
        state=FINISHED,
        status=outcome.status,
        started_at=now,
        finished_at=now,
        detail_json=run_engine.bounded(detail_object(plain(outcome.detail)), ctx.config["JOB_DETAIL_MAX_BYTES"]),
        options_json=stored_options(wanted),
        dry_run=dry_run,
        executed=False,
        requested_by=ctx.actor.username,
        actor_json=snapshot_of(ctx.actor),
        requested_at=now,
        request_id=ctx.request_id[:64],
    )
    ctx.session.add(row)
    ctx.session.flush()
    made = runs.view(row)
    assert outcome.keep is not None
    outcome.keep(ctx, made)
    return made


def note_force(ctx: Context, reason: str) -> None:
    """Put on record why somebody passes over the guard; raises Invalid without a reason."""
    ctx.actor.require(*MANAGE)
    ctx.actor.require_all_sites()
    if not reason.strip():
        raise Invalid.field("reason", T("Passing over the guard needs a reason"))
    audit.record(
        ctx, f"{AUDIT}_autopilot_force", AUDIT, job_names.AUTOPILOT, detail={"reason": reason.strip()[:REASON_MAX]}
    )


def stored(ctx: Context, run_id: int) -> dict[str, Any]:
    """Return one finished run of the automation as it is answered; raises NotFound for anything else."""
    ctx.actor.require(*READ)
    ctx.actor.require_all_sites()
    wanted = select(JobRun).where(JobRun.id == run_id, JobRun.job_name.in_(KEYS), JobRun.state == FINISHED)
    row = ctx.session.scalars(wanted).one_or_none()
    if row is None:
        raise NotFound(T("There is no such run"))
    return answer_of(ctx, runs.view(row))


def latest(ctx: Context, name: str) -> dict[str, Any]:
    """Return the newest finished run of a job, whatever its trigger, status or dry-run flag; raises NotFound."""
    ctx.actor.require(*READ)
    ctx.actor.require_all_sites()
    newest = (
        select(JobRun)
        .where(JobRun.job_name == name, JobRun.state == FINISHED)
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    row = ctx.session.scalars(newest).one_or_none()
    if row is None:
        raise NotFound(f"No {name} run found")
    made = answer_of(ctx, runs.view(row))
    _run_keys, keys = _AUDITED[name]
    detail = {key: _audited(made, key) for key in keys}
    audit.viewed(ctx, f"{AUDIT}_{_WORDS[name]}_latest_view", AUDIT, row.id, run_status=row.status, **detail)
    return made


def answer_of(ctx: Context, run: Run) -> dict[str, Any]:
    """Return a run as it is answered: its fields, then the keys of its job, those of a broken-off run null."""
    header = run.header()
    more: dict[str, Any] = {}
    if run.job_name == job_names.AUTOPILOT:
        nested = facts.nested_of(ctx, run.id)
        more = {
            "auto_assign": _nested(ctx, nested.get(job_names.AUTO_ASSIGN)),
            "escalation": _nested(ctx, nested.get(job_names.ESCALATION)),
        }
    elif run.job_name == job_names.KPI and run.finished_at is not None and "window_days" in run.detail:
        more = {"backlog_history": kpi.history(ctx, run.finished_at, window_days=run.detail["window_days"])}
    known = {key: more[key] if key in more else run.detail.get(key) for key in KEYS[run.job_name]}
    return {**header, **known, **{key: value for key, value in run.detail.items() if key not in known}}


def _nested(ctx: Context, run: Run | None) -> dict[str, Any] | None:
    return answer_of(ctx, run) if run is not None else None


def _audited(made: Mapping[str, Any], key: str) -> Any:
    if key in _M:
        return (made.get("metrics") or {}).get(key)
    if key == "guard":
        guard = made.get("guard") or {}
        return {name: guard.get(name) for name in _GUARD}
    return made.get(key)
