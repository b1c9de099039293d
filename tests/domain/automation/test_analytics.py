from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.analytics import (
    HistoryRow,
    RunCounts,
    anomalies,
    consecutive_skips,
    count,
    history_length,
    latest_of,
    summary,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def run(number=1, **values):
    at = NOW - timedelta(hours=number)
    row = {
        "run_id": 1000 - number,
        "status": "success",
        "trigger": "cron",
        "started_at": at,
        "finished_at": at,
        "dry_run": False,
        "force": False,
        "skipped": False,
        "skip_reason": None,
        "planned_actions": ("auto_assign",),
        "actions": ("auto_assign",),
        "errors_count": 0,
        "open_items": 4,
        "overdue_count": 0,
        "unassigned_open_count": 0,
        "critical_open_count": 0,
    }
    return HistoryRow(**row | values)


def skipped(number, reason="cooldown_active", **values):
    return run(number, skipped=True, skip_reason=reason, actions=(), **values)


def judged(rows, days=7):
    rows = sorted(rows, key=lambda row: row.finished_at, reverse=True)
    found = summary(count(rows), latest_of(rows[0]) if rows else None, NOW, days)
    return anomalies(found, rows[: history_length(days)])


def codes(rows):
    return [(one.code, one.severity) for one in judged(rows).anomalies]


def test_a_summary_of_mixed_runs():
    rows = [
        run(1, status="warning", overdue_count=2),
        run(2, planned_actions=("auto_assign", "escalation"), actions=("auto_assign", "escalation"), errors_count=1,
            status="critical"),
        skipped(3),
        skipped(4, "policy_disabled", planned_actions=()),
        run(5, dry_run=True),
        run(6, planned_actions=(), actions=()),
    ]  # fmt: skip

    found = summary(count(rows), latest_of(rows[0]), NOW, 7)

    assert (found.total_runs, found.skipped_runs, found.executed_runs) == (6, 2, 4)
    assert found.status_counts == {"success": 4, "warning": 1, "critical": 1}
    assert found.planned_action_counts == {"auto_assign": 4, "escalation": 1}
    assert found.executed_action_counts == {"auto_assign": 3, "escalation": 1}
    assert (found.cooldown_blocked_runs, found.error_runs) == (1, 1)
    assert (found.success_rate_percent, found.skipped_rate_percent) == (66.7, 33.3)
    # Two real runs did something, one of them had an error.
    assert found.execution_success_rate_percent == 50.0
    assert (found.dry_runs, found.disabled_runs) == (1, 1)
    assert found.skip_reason_counts == {"cooldown_active": 1, "policy_disabled": 1}
    assert (found.latest_run.run_id, found.latest_run.overdue_count) == (999, 2)


def test_a_summary_without_runs():
    found = summary(RunCounts(), None, NOW, 7)

    assert (found.success_rate_percent, found.skipped_rate_percent, found.latest_run) == (100.0, 0.0, None)
    assert found.execution_success_rate_percent == 100.0


def test_no_run_at_all_is_critical():
    assert codes([]) == [("no_recent_runs", "critical")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([run(number) for number in range(1, 6)], []),
        ([run(number) for number in range(1, 5)], [("low_sample_size", "warning")]),
        (
            [run(number, errors_count=int(number == 9)) for number in range(1, 10)],
            [("error_runs_detected", "warning")],
        ),
        (
            [run(number, errors_count=int(number in (8, 9))) for number in range(1, 10)],
            [("degraded_success_rate", "warning"), ("error_runs_detected", "warning")],
        ),
        (
            [run(number, errors_count=int(number > 4)) for number in range(1, 10)],
            [("error_runs_high", "critical"), ("low_success_rate", "critical")],
        ),
        (
            [run(1), *[skipped(number) for number in (2, 3)], run(4), run(5)],
            [("elevated_skip_rate", "warning")],
        ),
        (
            [run(1), *[skipped(number, "no_triggered_actions") for number in range(2, 8)]],
            [("high_skip_rate", "critical")],
        ),
        (
            [run(1), *[skipped(number) for number in range(2, 7)], *[run(number) for number in range(7, 17)]],
            [("cooldown_blocks_high", "warning")],
        ),
        (
            [run(1), *[skipped(number) for number in range(2, 12)], *[run(number) for number in range(12, 40)]],
            [("cooldown_blocks_excessive", "critical")],
        ),
        (
            [*[skipped(number) for number in (1, 2, 3)], *[run(number) for number in range(4, 14)]],
            [("consecutive_cooldown_skips", "warning")],
        ),
        (
            [run(1, status="critical", critical_open_count=2, overdue_count=3), *[run(n) for n in range(2, 6)]],
            [
                ("latest_run_critical", "critical"),
                ("critical_open_items", "warning"),
                ("overdue_items_open", "warning"),
            ],
        ),
    ],
)
def test_what_stands_out_is_named_the_critical_first(rows, expected):
    assert codes(rows) == expected


def test_six_skips_in_a_row_are_critical():
    rows = [*[skipped(number) for number in range(1, 7)], *[run(number) for number in range(7, 40)]]

    assert ("consecutive_cooldown_skips", "critical") in codes(rows)


def test_anomalies_carry_observed_target_and_what_to_do():
    found = judged([run(number, errors_count=int(number < 3)) for number in range(1, 10)])

    worst = found.anomalies[0]
    assert (worst.code, worst.observed, worst.target) == ("degraded_success_rate", "77.8", ">=85.0")
    assert str(worst.message) == "Only 77.8 % of the runs went well."
    assert (found.health_status, found.anomaly_count) == ("warning", 2)
    assert [str(text) for text in found.recommendations] == ["Open the failed runs and remove what made them fail."]


@pytest.mark.parametrize(("days", "length"), [(1, 10), (2, 12), (14, 84), (16, 96), (17, 100), (90, 100)])
def test_how_much_history_is_looked_at(days, length):
    assert history_length(days) == length


rows_any = st.lists(
    st.builds(
        lambda number, status, skip, dry, planned, errors: run(
            number,
            status=status,
            skipped=bool(skip),
            skip_reason=skip,
            dry_run=dry,
            planned_actions=planned,
            actions=() if skip else planned,
            errors_count=errors,
        ),
        st.integers(1, 400),
        st.sampled_from(["success", "warning", "critical"]),
        st.sampled_from([None, None, "cooldown_active", "no_triggered_actions", "policy_disabled"]),
        st.booleans(),
        st.sampled_from([(), ("auto_assign",), ("escalation",), ("auto_assign", "escalation")]),
        st.integers(0, 2),
    ),
    max_size=40,
    unique_by=lambda row: row.run_id,
)


@given(rows_any)
def test_the_parts_of_a_summary_add_up(rows):
    found = summary(count(rows), None, NOW, 7)

    assert sum(found.status_counts.values()) == found.total_runs == len(rows)
    assert found.skipped_runs + found.executed_runs == found.total_runs
    assert sum(found.skip_reason_counts.values()) == found.skipped_runs
    assert 0 <= found.success_rate_percent <= 100
    assert 0 <= found.execution_success_rate_percent <= 100


@given(rows_any)
def test_health_is_the_worst_severity_and_critical_comes_first(rows):
    found = judged(rows)
    severities = [one.severity for one in found.anomalies]

    assert severities == sorted(severities)
    assert found.health_status == (severities[0] if severities else "healthy")
    assert len(found.recommendations) <= 5


@given(rows_any)
def test_skips_in_a_row_end_with_the_first_other_run(rows):
    number = consecutive_skips(rows)

    assert all(row.skipped and row.skip_reason == "cooldown_active" for row in rows[:number])
    assert number == len(rows) or rows[number].skip_reason != "cooldown_active"
