"""Jobs that keep the house in order: old runs, ended sessions, lapsed tokens, numbers of items."""

from __future__ import annotations

from pydantic import Field

from console.core.context import Context
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.base import BodyModel
from console.services.identity import clean_up
from console.services.jobs import upkeep as run_upkeep
from console.services.jobs.registry import job
from console.services.tracker import tallies


class RetentionOptions(BodyModel):
    """How much history of runs stays; without a value the settings decide."""

    keep_days: int | None = Field(None, ge=1, le=36500)
    keep_per_job: int | None = Field(None, ge=1, le=100000)
    limit: int = Field(20000, ge=1, le=200000)


@job(
    job_names.RUNS_RETENTION,
    title=N_("Remove old job runs"),
    sentence=N_("Removes finished runs older than the retention period; the newest of each job stay."),
    options=RetentionOptions,
    permission="admins:manage",
)
def job_runs_retention(ctx: Context, options: RetentionOptions) -> run_upkeep.Pruned:
    """Remove old runs."""
    return run_upkeep.prune(
        ctx,
        keep_days=options.keep_days or ctx.config["JOB_RUNS_RETENTION_DAYS"],
        skipped_days=ctx.config["JOB_RUNS_SKIPPED_DAYS"],
        keep_per_job=options.keep_per_job or ctx.config["JOB_RUNS_KEEP_PER_JOB"],
        limit=options.limit,
    )


class CleanUpOptions(BodyModel):
    """How long ended sessions are kept for those who want to look."""

    keep_days: int = Field(30, ge=1, le=3650)


@job(
    job_names.IDENTITY_CLEAN_UP,
    title=N_("Clean up sessions and tokens"),
    sentence=N_("Deletes browser sessions that ended long ago and switches off tokens past their dates."),
    options=CleanUpOptions,
    permission="admins:manage",
)
def identity_clean_up(ctx: Context, options: CleanUpOptions) -> clean_up.CleanUp:
    """Delete ended sessions, switch off lapsed tokens."""
    return clean_up.clean_up(ctx, keep_days=options.keep_days, dry_run=ctx.dry_run)


@job(
    job_names.TALLY_CHECK,
    title=N_("Check the numbers of items"),
    sentence=N_("Compares the numbers that pages show with the items, and makes them anew if they differ."),
    reads_first=True,
    permission="admins:manage",
)
def tracker_tally_check(ctx: Context, _options: BodyModel) -> Outcome:
    """Compare them; a warning when any number was wrong."""
    found = tallies.check(ctx)
    return Outcome(found, "warning" if found.difference_count else "success")
