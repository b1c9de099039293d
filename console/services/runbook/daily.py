"""The daily check: judges all runbook checks, tells whoever has to know, and keeps what was found with its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from console.core.context import SYSTEM, Context
from console.core.serialize import csv_line, plain, to_json
from console.domain.archives.archives import DAILY_CHECK
from console.domain.errors import Conflict
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import MANUAL, Outcome
from console.domain.runbook import daily as domain
from console.domain.runbook.daily import AlertOutcome, Since
from console.domain.runbook.runbook import CRITICAL, WARNING, Runbook
from console.models.alerts import AlertDelivery
from console.models.jobs import JobRun
from console.services.alerts import delivery, outbox
from console.services.archives import files
from console.services.archives.files import Kept, Made
from console.services.audit import record as audit
from console.services.evidence import store as evidence_store
from console.services.jobs import engine as run_engine
from console.services.jobs import progress, registry
from console.services.jobs.progress import Handle
from console.services.runbook import daily_runs, runbook

# What stands in a run that made no check of the objective for recoveries: a dry one, or while another one is under way.
NO_MTTR_CHECK: Mapping[str, Any] = {"run_id": None, "status": None, "breach": None, "window": {}, "actions": {}}
TOKEN_POLICY = (
    *("require_expiry", "max_ttl_days", "rotate_after_days", "rotate_warning_days"),
    *("max_idle_days", "max_active_per_user"),
)


Follow = Callable[[Context, Runbook], Any]


def check(ctx: Context, follow: Follow) -> Outcome:
    """Judge, tell, keep: the work of one run of the job (API contract, daily check).

    `follow` makes the work that the result asks for, in the same transaction, and returns what it did.

    The alert leaves before the run is closed, in transactions of its own, because the run says what became of it. A run
    that repeats a lost one finds the alert of that one and raises none beside it.
    """
    run = progress.current(ctx)
    started = run.started_at if run else ctx.now()
    dry = ctx.dry_run or bool(run and run.dry_run)
    recoveries = NO_MTTR_CHECK if dry else _check_recoveries(ctx, _trigger(ctx, run))
    book = runbook.snapshot(ctx)
    settings = posture(ctx)
    found = {
        "overall_status": book.overall_status,
        "check_count": len(book.checks),
        "warning_count": book.count(WARNING),
        "critical_count": book.count(CRITICAL),
        "checks": plain(runbook.as_answer(book))["checks"],
        "security_posture": plain(settings),
    }
    level = domain.alert_level(ctx.config["OPS_DAILY_CHECK_ALERT_LEVEL"])
    told = AlertOutcome(level)
    if not dry:
        alert = {"event": job_names.DAILY_CHECK, "checked_at": started, **found, "run_id": run.run_id if run else None}
        told = _tell(ctx, level, alert, _told_before(ctx, run, book.overall_status))
    status = domain.run_status(book.overall_status, told.error)
    ctx.begin_write()
    detail: dict[str, Any] = {
        **found,
        "alert_level": told.level,
        "alert_attempted": told.attempted,
        "alert_dispatched": told.dispatched,
        "alert_error": told.error,
        "alert_channels": [dict(one) for one in told.channels],
        "alert_delivery_ids": list(told.delivery_ids),
        "mttr_slo_check": dict(recoveries),
        "remediation": plain(follow(ctx, book)),
    }
    finished = ctx.now()
    run_id = run.run_id if run else None
    here = Since(run_id, finished) if run_id is not None else None
    detail["failing_since"] = plain(domain.failing_since(book, here, daily_runs.failing_since(daily_runs.newest(ctx))))
    head = {"run_id": run_id, "trigger": _trigger(ctx, run), "status": status}
    made = plain(domain.summary(head, detail, finished))
    kept = _keep(ctx, made, finished_stamp=f"{finished:%Y%m%dT%H%M%SZ}", run_id=run_id)
    _record(ctx, run_id, detail)
    detail |= {"checked_at": finished, "summary": made, "archive": as_archive(kept)}
    return Outcome(detail, status)


def _check_recoveries(ctx: Context, trigger: str) -> Mapping[str, Any]:
    """Hold the recovery of channels to its objective first, in a run of its own, so that the checks read its result."""
    ctx.session.rollback()
    with delivery.transactions(replace(ctx, actor=SYSTEM))() as own:
        try:
            done = run_engine.execute(
                own, registry.get(job_names.ALERT_MTTR_SLO), trigger=f"{trigger}:{job_names.DAILY_CHECK}"
            )
        except Conflict:
            return NO_MTTR_CHECK
    seen = {name: done.detail[name] for name in ("breach", "window", "actions")}
    return {"run_id": done.run.id, "status": done.run.status, **seen}


def _trigger(ctx: Context, run: Handle | None) -> str:
    if run is None:
        return MANUAL
    return ctx.session.scalar(select(JobRun.trigger).where(JobRun.id == run.run_id)) or MANUAL


def posture(ctx: Context) -> dict[str, Any]:
    """Return the four parts of the security posture that a daily check carries."""
    return {
        "rate_limit": runbook.rate_limit_facts(ctx.config),
        "audit_archive_signing": runbook.signing(ctx.config),
        "evidence_storage_backend": evidence_store.backend(ctx.config),
        "token_policy": {name: ctx.config[f"ADMIN_TOKEN_{name.upper()}"] for name in TOKEN_POLICY},
    }


def _tell(ctx: Context, level: str, payload: Mapping[str, Any], raised: tuple[int, ...]) -> AlertOutcome:
    """Send what has to be told, or was `raised` already, and return what the receivers said.

    What failed is tried again by the outbox.
    """
    if not raised:
        if not domain.alert_is_due(level, payload["overall_status"]):
            return AlertOutcome(level)
        with delivery.transactions(ctx)() as own:
            raised = outbox.raise_alert(own, job_names.DAILY_CHECK, payload).delivery_ids
    if raised:
        delivery.deliver_due(ctx, limit=len(raised), only=raised)
    return domain.outcome(level, daily_runs.delivered(ctx, raised))


def _told_before(ctx: Context, run: Handle | None, overall: str) -> tuple[int, ...]:
    """Return the deliveries of the lost run that this one repeats, unless they told of something less bad."""
    if run is None:
        return ()
    lost = aliased(JobRun)
    alert = AlertDelivery.payload_json
    rows = ctx.session.execute(
        select(AlertDelivery.id, alert["overall_status"].as_string().label("overall"))
        .join(lost, alert["run_id"].as_integer() == lost.id)
        .join(JobRun, JobRun.retry_of == lost.id)
        .where(
            JobRun.id == run.run_id,
            AlertDelivery.event_type == job_names.DAILY_CHECK,
            AlertDelivery.created_at >= lost.started_at,
        )
        .order_by(AlertDelivery.id)
    )
    return tuple(row.id for row in rows if not domain.is_worse(overall, row.overall))


def _keep(ctx: Context, made: Mapping[str, Any], *, finished_stamp: str, run_id: int | None) -> Kept:
    stem = f"{DAILY_CHECK.prefix}{finished_stamp}-run-{run_id if run_id is not None else 'na'}"
    document = to_json({"generated_at": made["checked_at"], "summary": made})
    written = (
        Made(f"{stem}.json", f"{document}\n".encode(), "application/json"),
        Made(f"{stem}.csv", csv_of(made).encode(), "text/csv; charset=utf-8"),
    )
    return files.keep(ctx, DAILY_CHECK, written, run_id=run_id, label=finished_stamp)


def csv_of(made: Mapping[str, Any]) -> str:
    """Return a summary as CSV (API contract, summary as CSV)."""
    return "".join(csv_line(row) for row in domain.csv_rows(made))


def as_archive(kept: Kept) -> dict[str, Any]:
    """Return what became of the files in the published shape."""
    names = {name.rpartition(".")[2]: name for name in kept.filed}
    return {
        "enabled": kept.enabled,
        "path": kept.path,
        "retention_days": kept.retention_days,
        "json_file": names.get("json"),
        "csv_file": names.get("csv"),
        "pruned_files": kept.pruned_files,
        "error": kept.error,
    }


def _record(ctx: Context, run_id: int | None, detail: Mapping[str, Any]) -> None:
    # Runs by schedule leave no entry, as those of the gate do.
    if ctx.actor.kind == "system":
        return
    told = ("overall_status", "warning_count", "critical_count", "alert_attempted", "alert_dispatched", "alert_error")
    audit.record(
        ctx,
        "ops_runbook_daily_check_run",
        "ops_runbook",
        run_id if run_id is not None else "none",
        detail={name: detail[name] for name in told},
    )
