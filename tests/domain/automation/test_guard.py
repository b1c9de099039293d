from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.guard import Anchor, RunMark, anchor_of, guard

NOW = datetime(2026, 3, 2, 11, 55, 1, tzinfo=UTC)
LAST = Anchor(7, datetime(2026, 3, 2, 10, 55, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cooldown", "reason", "ready", "minutes"),
    [
        (0, "no_recent_run", True, 0),
        (30, "cooldown_passed", True, 0),
        (59, "cooldown_passed", True, 0),
        (60, "cooldown_active", False, 1),
        (90, "cooldown_active", False, 31),
        (1440, "cooldown_active", False, 1381),
    ],
)
def test_the_worked_examples_of_the_contract(cooldown, reason, ready, minutes):
    found = guard(cooldown, last=LAST, anchor=LAST, now=NOW)

    assert (found.reason, found.ready, found.blocked, found.minutes_until_ready) == (reason, ready, not ready, minutes)
    assert found.next_allowed_at == (LAST.finished_at + timedelta(minutes=cooldown) if cooldown else None)
    assert (found.last_run_id, found.last_run_at) == (7, LAST.finished_at)


def test_force_passes_over_the_cooldown():
    found = guard(1440, last=LAST, anchor=LAST, now=NOW, force=True)

    assert (found.reason, found.ready, found.next_allowed_at, found.minutes_until_ready) == (
        "force_override",
        True,
        None,
        0,
    )


def test_without_an_anchor_the_newest_run_is_still_told():
    found = guard(1440, last=LAST, anchor=None, now=NOW)

    assert (found.reason, found.last_run_id, found.anchor_run_id) == ("no_recent_run", 7, None)


def mark(run_id, minutes_ago, **values):
    return RunMark(run_id, NOW - timedelta(minutes=minutes_ago), **values)


@pytest.mark.parametrize(
    ("runs", "real", "dry"),
    [
        ([], None, None),
        ([mark(1, 50)], 1, 1),
        ([mark(1, 50), mark(2, 10, dry_run=True)], 1, 2),
        ([mark(1, 50), mark(2, 10, skipped=True, acted=False)], 1, 1),
        # It ran, but there was nothing to do: that keeps nobody waiting.
        ([mark(1, 50), mark(2, 10, acted=False)], 1, 1),
        ([mark(2, 10, dry_run=True)], None, 2),
        # Written by a clock that was a day ahead.
        ([mark(1, 50), mark(2, -1440)], 1, 1),
        ([mark(1, 50), mark(2, -4)], 2, 2),
    ],
)
def test_real_and_dry_runs_have_anchors_of_their_own(runs, real, dry):
    found = [anchor_of(runs, NOW, dry_run=flag) for flag in (False, True)]

    assert [anchor and anchor.run_id for anchor in found] == [real, dry]


def week_of_hourly_runs(cooldown, start=NOW, jitter=(4, 1, 9, 3)):
    """Run every hour for a week as the scheduler would; give the hours at which it acted."""
    runs, acted = [], []
    for hour in range(24 * 7):
        now = start + timedelta(hours=hour, seconds=jitter[hour % len(jitter)])
        anchor = anchor_of(runs, now, dry_run=False)
        found = guard(cooldown, last=None, anchor=anchor, now=now)
        runs.append(RunMark(hour, now, skipped=found.blocked, acted=found.ready))
        if found.ready:
            acted.append(hour)
    return acted


def test_hourly_runs_with_a_cooldown_of_90_minutes_act_every_second_hour():
    assert week_of_hourly_runs(90) == list(range(0, 24 * 7, 2))


@given(st.integers(0, 1440), st.integers(0, 59))
def test_no_cooldown_ever_stops_the_autopilot_for_good(cooldown, seconds):
    acted = week_of_hourly_runs(cooldown, jitter=(seconds, 0, 30))
    gaps = [after - before for before, after in pairwise(acted)]

    assert max(gaps) <= cooldown // 60 + 2
    assert min(gaps) * 60 + 1 >= cooldown


@given(
    st.integers(0, 1440),
    st.lists(
        st.builds(RunMark, st.integers(1, 99), st.integers(-3000, 3000).map(lambda m: NOW - timedelta(minutes=m)),
                  st.booleans(), st.booleans(), st.booleans())
    ),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
def test_the_wait_is_never_longer_than_the_cooldown(cooldown, runs, force, dry_run):
    found = guard(cooldown, last=None, anchor=anchor_of(runs, NOW, dry_run=dry_run), now=NOW, force=force)

    assert 0 <= found.minutes_until_ready <= cooldown
    assert found.ready == (not found.blocked) == (found.minutes_until_ready == 0)
    assert found.ready or not force
