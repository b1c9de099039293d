"""Jobs of governance: the gate itself, and the retention of what it looks at."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from console.core.context import Context
from console.core.serialize import plain
from console.domain.gate.gate import as_detail
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.domain.text import N_
from console.inputs.base import BodyModel
from console.services.gate import gate
from console.services.jobs.registry import job
from console.services.reliability import burn_alerts, latency


@job(
    job_names.GATE,
    title=N_("Run the governance gate"),
    sentence=N_("Judges the seven rules and stores the verdict with its reasons."),
    reads_first=True,
    permission="jobs:run",
)
def governance_gate(ctx: Context, _options: Any) -> Outcome:
    """Judge and keep the verdict; NO-GO is a critical run, GO with warnings a warning."""
    taken = gate.take(ctx)
    return Outcome(as_detail(taken), taken.job_status)


class RetentionOptions(BodyModel):
    """How long samples stay; without a value the setting decides."""

    keep_days: int | None = Field(None, ge=1, le=3650)


@job(
    job_names.BURN_ALERTS,
    title=N_("Watch the error budgets"),
    sentence=N_("Tells once when the error budget of a route begins to burn, and once when that is over."),
    permission="admins:manage",
)
def watch_budgets(ctx: Context, _options: Any) -> Outcome:
    """Look at all alert rules; a warning when there was something to tell and nobody to tell it to."""
    found = burn_alerts.check(ctx, dry_run=ctx.dry_run)
    return Outcome(plain(found), "warning" if found.notify_error else "success")


@job(
    job_names.LATENCY_RETENTION,
    title=N_("Remove old response times"),
    sentence=N_("Removes latency samples, their sums and ended alerts that are older than their retention period."),
    options=RetentionOptions,
    permission="admins:manage",
)
def latency_retention(ctx: Context, options: RetentionOptions) -> latency.Pruned:
    """Remove old samples."""
    return latency.prune(ctx, keep_days=options.keep_days)
