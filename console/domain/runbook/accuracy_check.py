"""The runbook check that watches whether alerts can be relied upon (alert noise policy, what happens beyond)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.runbook.runbook import CRITICAL, OK, UNKNOWN, WARNING, Finding, check
from console.domain.text import T

# The comparison runs every night; one that is missing for a day and a half says nothing about the present.
MEASURED_WITHIN = timedelta(hours=36)


@dataclass(frozen=True)
class NoiseFacts:
    """The newest comparison at `now` (aware UTC); rates are percents, None where there was nothing to judge."""

    now: datetime
    run_id: int | None = None
    measured_at: datetime | None = None
    standing: str = OK
    weeks_above: int = 0
    false_percent: float | None = None
    missed_percent: float | None = None
    false_limit_percent: float | None = None
    missed_limit_percent: float | None = None


@check(120, owner_role="Ops Lead", needs=("noise",), page="accuracy")
def alert_noise_within_limits(noise: NoiseFacts) -> Finding:
    """Judge whether false and missed alerts stay within the policy: two weeks in a row above it are critical.

    An addition beyond the published checks, whose own check of the policy watches the document alone.
    """
    fields = {
        "latest_run_id": noise.run_id,
        "latest_checked_at": noise.measured_at,
        "weeks_above": noise.weeks_above,
        "false_positive_rate_percent": noise.false_percent,
        "false_negative_rate_percent": noise.missed_percent,
        "false_positive_threshold_percent": noise.false_limit_percent,
        "false_negative_threshold_percent": noise.missed_limit_percent,
    }
    if noise.measured_at is None:
        return Finding(OK, T("The accuracy of alerts was not checked yet."), fields, UNKNOWN)
    if noise.standing == CRITICAL:
        return Finding(CRITICAL, T("Missed or false alerts were above the limit for two weeks in a row."), fields)
    if noise.standing == WARNING:
        return Finding(WARNING, T("Missed or false alerts are above the limit this week."), fields)
    if noise.now - noise.measured_at > MEASURED_WITHIN:
        hours = int((noise.now - noise.measured_at).total_seconds() // 3600)
        return Finding(WARNING, T("The accuracy of alerts was last checked %(hours)s hours ago.", hours=hours), fields)
    return Finding(OK, T("Missed and false alerts are within the limits."), fields)
