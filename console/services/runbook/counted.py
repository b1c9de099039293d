"""What the runbook counts, in one statement: the outbox, the processes and the queue, tokens about to expire."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from console.core.context import Context
from console.domain.runbook.alert_checks import OutboxFacts
from console.domain.runbook.checks import TokenFacts
from console.domain.runbook.process_checks import ProcessFacts
from console.services.alerts import channels, retention
from console.services.identity import risk as security
from console.services.runbook import alert_facts, process_facts


@dataclass(frozen=True)
class Counted:
    """The facts that are numbers and instants of this moment."""

    outbox: OutboxFacts
    processes: ProcessFacts
    tokens: TokenFacts
    # Deliveries that are old enough to be taken away.
    old_alerts: int
    # Channels of alerts that people made.
    made_channels: int


def read(ctx: Context) -> Counted:
    """Count all of it: one query of index ranges."""
    now = ctx.now()
    outbox, processes = alert_facts.columns(now), process_facts.columns(now)
    old = retention.candidates(now, ctx.config["ALERT_RETENTION_DAYS"])
    row = ctx.session.execute(select(*outbox, *processes, security.expiring(now), old, channels.made_count())).one()
    first, second = len(outbox), len(outbox) + len(processes)
    return Counted(
        alert_facts.of(now, row[:first]),
        process_facts.of(now, row[first:second]),
        TokenFacts(row[second]),
        row[second + 1],
        row[second + 2],
    )
