"""Jobs of the alert channels: trials of what does not answer, the objective for recoveries, old deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Literal

from pydantic import Field

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import CRON, Outcome
from console.domain.text import N_
from console.inputs.base import BodyModel
from console.services.alerts import guard, retention, slo
from console.services.audit import record as audit
from console.services.jobs.registry import job
from console.services.jobs.runs import Run


class RecoverOptions(BodyModel):
    """Which channels are tried; without a number the settings decide how many."""

    event_type: str | None = Field(None, max_length=80)
    state: Literal["quarantined", "warning", "all"] = "quarantined"
    max_targets: int | None = Field(None, ge=1, le=500)


class SloOptions(BodyModel):
    """Which deliveries are judged, and whether people are told although they were told lately."""

    event_type: str | None = Field(None, max_length=80)
    force_notify: bool = False


class RetentionOptions(BodyModel):
    """How old deliveries may get and how many go at once; what is absent comes from the settings."""

    retention_days: int | None = Field(None, ge=1, le=retention.MAX_DAYS)
    max_delete: int | None = Field(None, ge=1, le=retention.MAX_DELETE)
    write_archive: bool | None = Field(None, json_schema_extra={"off": "no-archive"})


@job(
    job_names.ALERT_GUARD_RECOVER,
    title=N_("Try channels that do not answer"),
    sentence=N_("Sends a trial to every channel in quarantine; one that arrives lets its messages out again."),
    options=RecoverOptions,
    reads_first=True,
    lease_seconds=180,
    permission="alerts:manage",
)
def recover(ctx: Context, options: RecoverOptions) -> Outcome:
    """Send the trials; a warning when one failed."""
    ctx.actor.require_all_sites()
    found = guard.recover_batch(
        ctx,
        event_type=options.event_type,
        state=options.state,
        max_targets=options.max_targets or ctx.config["ALERT_GUARD_RECOVER_MAX_TARGETS"],
        dry_run=ctx.dry_run,
    )
    made = Outcome(asdict(found), "warning" if found.failed_count else "success")
    told = {name: made.detail[name] for name in ("event_type", "state_filter", "processed_count", "failed_count")}
    return _audited(made, "ops_alert_channel_guard_recover_batch", told)


@job(
    job_names.ALERT_MTTR_SLO,
    title=N_("Check the recovery of channels"),
    sentence=N_("Compares how long channels took nothing with the objective; a breach tries them and tells people."),
    options=SloOptions,
    reads_first=True,
    lease_seconds=300,
    permission="alerts:manage",
)
def check_slo(ctx: Context, options: SloOptions) -> Outcome:
    """Judge the objective; a breach is a warning."""
    ctx.actor.require_all_sites()
    made = slo.check(ctx, event_type=options.event_type, force_notify=options.force_notify)
    told = {name: made.detail[name] for name in ("event_type", "breach", "window")}
    return _audited(made, "ops_alert_mttr_slo_check_run", told)


@job(
    job_names.ALERT_RETENTION,
    title=N_("Take old alerts away"),
    sentence=N_("Writes old deliveries to an archive, reads it again and then takes them away; what waits stays."),
    options=RetentionOptions,
    lease_seconds=300,
    permission="admins:manage",
)
def retain(ctx: Context, options: RetentionOptions) -> Outcome:
    """Take old deliveries away; a warning when the archive could not be written, and then nothing goes."""
    ctx.actor.require_all_sites()
    made = retention.retain(
        ctx, days=options.retention_days, most=options.max_delete, write_archive=options.write_archive
    )
    told = {name: made.detail[name] for name in ("retention_days", "candidate_count", "deleted_count", "archive_file")}
    return _audited(made, "ops_alert_retention_run", told)


def _audited(made: Outcome, action: str, detail: Mapping[str, Any]) -> Outcome:
    status = made.status

    def keep(own: Context, run: Run) -> None:
        # Published for callers; what the schedule does would flood the trail.
        if run.trigger != CRON and not run.dry_run:
            audit.record(own, action, "alert_delivery", run.id, status=status, detail=detail)

    return replace(made, keep=keep)
