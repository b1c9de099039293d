"""What the runbook must know of the alert channels."""

from __future__ import annotations

from collections.abc import Mapping

from console.core.context import Context
from console.domain.alerts.guard import IN_DOUBT, QUARANTINED
from console.domain.jobs import names as job_names
from console.domain.runbook.channel_checks import ChannelFacts
from console.services.alerts import channels, slo, states
from console.services.jobs.runs import Run
from console.services.runbook.evidence_facts import latest_run

JOBS = (job_names.ALERT_RETENTION, job_names.ALERT_GUARD_RECOVER, job_names.ALERT_MTTR_SLO)


def facts(ctx: Context, newest: Mapping[str, Run], candidate_count: int, made_count: int) -> ChannelFacts:
    """Return how the channels are, of which people made `made_count`, and the newest runs of `JOBS`: one query."""
    now, rules = ctx.now(), states.rules_of(ctx.config)
    built_in = {one.key for one in channels.built_in(ctx.config)}
    # What people made stays, and one that was never tried is well.
    tried = [one for key, one in states.of_channels(ctx).items() if key in built_in or channels.is_made(key)]
    words = [one.at(now, rules) for one in tried]
    runs = {name: latest_run(newest[name]) for name in JOBS if name in newest}
    return ChannelFacts(
        now=now,
        guard_enabled=rules.enabled,
        quarantined_count=words.count(QUARANTINED),
        warning_count=words.count(IN_DOUBT),
        target_count=len(built_in) + made_count,
        candidate_count=candidate_count,
        policy=slo.KIND.built_in(ctx.config),
        retention=runs.get(job_names.ALERT_RETENTION),
        recovery=runs.get(job_names.ALERT_GUARD_RECOVER),
        slo=runs.get(job_names.ALERT_MTTR_SLO),
    )
