from datetime import UTC, datetime, timedelta

import pytest

from console.domain.jobs.names import AUTOPILOT
from console.domain.runbook.automation_checks import (
    AutomationFacts,
    Seen,
    Watched,
    leading,
    remediation_autopilot_recent,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def runs(*words, ago=1):
    """Return hourly runs, newest first: `ok`, `failed`, or a reason to skip."""
    return tuple(
        Seen(
            100 - place,
            NOW - timedelta(hours=ago + place),
            failed=word == "failed",
            skip_reason=word if word not in ("ok", "failed") else None,
        )
        for place, word in enumerate(words)
    )


@pytest.mark.parametrize(
    ("watched", "status", "message"),
    [
        (Watched(), "ok", "It has not run yet."),
        (Watched(known_since=NOW - timedelta(hours=2)), "ok", "It has not run yet."),
        (Watched(known_since=NOW - timedelta(hours=4)), "warning", "No run for 4 hours."),
        (Watched(runs("ok")), "ok", "It runs as it should."),
        (Watched(runs("ok", ago=5)), "warning", "No run for 5 hours."),
        (Watched(runs("ok", ago=9), NOW - timedelta(hours=5)), "warning", "No run for 5 hours."),
        (
            Watched(runs("ok", ago=16), NOW - timedelta(hours=1)),
            "ok",
            "It is on time: its first run since the schedule began is still to come.",
        ),
        (Watched(runs(*["cooldown_active"] * 5, "ok")), "ok", "It runs as it should."),
        (Watched(runs(*["cooldown_active"] * 6)), "warning", "The newest 6 runs were held back."),
        (Watched(runs(*["already_running", "cooldown_active"] * 3)), "warning", "The newest 6 runs were held back."),
        # Nothing to do, or switched off by somebody: that is how it is meant.
        (Watched(runs(*["no_triggered_actions"] * 10)), "ok", "It runs as it should."),
        (Watched(runs(*["policy_disabled"] * 10)), "ok", "It runs as it should."),
        (Watched(runs("failed", "failed", "ok")), "ok", "It runs as it should."),
        (Watched(runs("failed", "failed", "failed")), "critical", "The newest 3 runs failed."),
    ],
)
def test_a_job_is_judged_by_age_failures_and_skips(watched, status, message):
    found = remediation_autopilot_recent(AutomationFacts(NOW, {AUTOPILOT: watched}))

    assert (found.status, str(found.message)) == (status, message)
    assert found.fields["job_name"] == AUTOPILOT


def test_only_the_newest_runs_in_a_row_count():
    seen = runs("cooldown_active", "ok", "cooldown_active", "failed")

    assert (leading(seen, failed=False), leading(seen, failed=True)) == (1, 0)
