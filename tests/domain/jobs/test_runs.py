"""Results of jobs, and workers that are gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from console.domain.jobs.runs import Outcome, Watch, beat_interval, detail_object, is_lost, outcome_of

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, Outcome({}, "success")),
        ({"a": 1}, Outcome({"a": 1}, "success")),
        (Outcome({"a": 1}, "critical", skipped=True), Outcome({"a": 1}, "critical", skipped=True)),
    ],
)
def test_a_plain_result_is_a_success(result, expected):
    assert outcome_of(result) == expected


def test_a_status_outside_the_contract_is_refused():
    with pytest.raises(ValueError, match="failed"):
        outcome_of(Outcome({}, "failed"))


@pytest.mark.parametrize(("value", "expected"), [({"a": 1}, {"a": 1}), (3, {"value": 3}), ([1], {"value": [1]})])
def test_a_detail_is_always_an_object(value, expected):
    assert detail_object(value) == expected


@pytest.mark.parametrize(("lease", "pause"), [(5, 1), (20, 4), (60, 10), (900, 10)])
def test_five_heartbeats_fit_into_a_lease(lease, pause):
    assert beat_interval(timedelta(seconds=lease)) == timedelta(seconds=pause)


@pytest.mark.parametrize(
    ("beat_age", "still", "lost"),
    [
        (61, 20, True),
        (61, 19, False),  # just looked at: the wall clock may have jumped ahead under a living worker
        (60, 59, False),
        (0, 60, True),
        (-86400, 59, False),
        (-86400, 60, True),  # the clock was set back by a day after the worker died
    ],
)
def test_a_worker_is_lost_by_a_still_heartbeat_and_not_by_a_moved_clock(beat_age, still, lost):
    watch = Watch(NOON - timedelta(seconds=beat_age), timedelta(seconds=still))

    assert is_lost(watch, lease=LEASE, now=NOON) is lost
