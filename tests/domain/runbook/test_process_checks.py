from datetime import UTC, datetime, timedelta

import pytest

from console.domain.runbook.process_checks import ProcessFacts, queue_age, scheduler_alive, troubles, worker_alive

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("seen", "status", "silent"),
    [
        ({}, "ok", 0),
        ({"running_since": ago(1)}, "ok", 1),
        ({"running_since": ago(3)}, "warning", 3),
        ({"running_since": ago(600)}, "critical", 600),
        ({"running_since": ago(600), "worker_seen_at": ago(1)}, "ok", 1),
        ({"worker_seen_at": ago(2.4)}, "ok", 2),
        ({"worker_seen_at": ago(3)}, "warning", 3),
        ({"worker_seen_at": ago(5)}, "critical", 5),
    ],
)
def test_a_worker_is_missed_after_minutes(seen, status, silent):
    found = worker_alive(ProcessFacts(NOW, **seen))

    assert (found.status, found.fields["silent_minutes"]) == (status, silent)
    assert (f"{silent} minutes" in str(found.message)) == (status != "ok")


@pytest.mark.parametrize(("minutes", "status"), [(1, "ok"), (2, "warning"), (4.9, "warning"), (5, "critical")])
def test_a_scheduler_is_missed_after_minutes(minutes, status):
    assert scheduler_alive(ProcessFacts(NOW, scheduler_seen_at=ago(minutes))).status == status


@pytest.mark.parametrize(("minutes", "status"), [(4.9, "ok"), (5, "warning"), (15, "critical")])
def test_a_run_that_waits_is_told(minutes, status):
    found = queue_age(ProcessFacts(NOW, waiting_count=2, waiting_since=ago(minutes)))

    assert (found.status, found.fields["waiting_count"]) == (status, 2)


def test_only_what_is_wrong_is_a_trouble():
    assert troubles(ProcessFacts(NOW, worker_seen_at=ago(0), scheduler_seen_at=ago(0))) == ()
    assert len(troubles(ProcessFacts(NOW, ago(60), waiting_since=ago(60)))) == 3
