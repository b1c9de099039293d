"""Whatever the runs were: files and answers say the same, number by number (properties)."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.blueprints.automation.autopilot_api import AnomaliesOut, HistoryOut, SummaryOut
from console.core.serialize import csv_text, to_json
from console.domain.automation import analytics
from console.domain.automation.analytics import HistoryRow
from console.domain.automation.autopilot import ACTIONS, SKIP_REASONS
from console.services.automation import csv as autopilot_csv
from console.services.automation.history import History

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
counts = st.integers(0, 100_000)
instants = st.timedeltas(timedelta(0), timedelta(days=90)).map(lambda ago: NOW - ago)
actions = st.lists(st.sampled_from(ACTIONS), unique=True).map(tuple)


@st.composite
def runs(draw):
    skipped = draw(st.booleans())
    return HistoryRow(
        run_id=draw(st.integers(1, 2**31 - 1)),
        status=draw(st.sampled_from(("success", "warning", "critical"))),
        trigger=draw(st.sampled_from(("api", "cron", "manual"))),
        started_at=draw(instants),
        finished_at=draw(instants),
        dry_run=draw(st.booleans()),
        force=draw(st.booleans()),
        skipped=skipped,
        skip_reason=draw(st.sampled_from(SKIP_REASONS)) if skipped else None,
        planned_actions=draw(actions),
        actions=() if skipped else draw(actions),
        errors_count=draw(st.integers(0, 3)),
        open_items=draw(counts),
        overdue_count=draw(counts),
        unassigned_open_count=draw(counts),
        critical_open_count=draw(counts),
    )


histories = st.lists(runs(), max_size=30).map(
    lambda rows: tuple(sorted(rows, key=lambda row: row.finished_at, reverse=True))
)


def lines(columns, rows):
    """Return the lines of a file as a spreadsheet reads them."""
    return list(csv.DictReader(io.StringIO(csv_text(columns, rows), newline="")))


def answered(made, model):
    """Return an answer as a client reads it."""
    return json.loads(to_json(made, model))


def cell(value):
    """Write a value of an answer as the files do."""
    if isinstance(value, list):
        return "|".join(value)
    return "" if value is None else str(value)


@given(histories)
def test_the_history(rows):
    answer = answered(History(NOW, len(rows), 100, rows, len(rows)), HistoryOut)

    found = lines(autopilot_csv.HISTORY_CSV, rows)

    assert found == [{name: cell(item[name]) for name in found[0]} for item in answer["items"]]


def flat(answer):
    """Return the lines that a summary has in its file."""
    maps = {"status": "status_counts", "planned": "planned_action_counts", "executed": "executed_action_counts"}
    rows = {name: value for name, value in answer.items() if not isinstance(value, (dict, list)) and value is not None}
    for prefix, name in maps.items():
        rows |= {f"{prefix}_{word}": number for word, number in answer[name].items()}
    latest = answer["latest_run"] or {}
    return rows | {f"latest_run_{name.removeprefix('run_')}": value for name, value in latest.items()}


@given(histories, st.integers(1, 90))
def test_the_summary(rows, days):
    made = analytics.summary(analytics.count(rows), analytics.latest_of(rows[0]) if rows else None, NOW, days)

    found = {
        line["metric"]: line["value"] for line in lines(autopilot_csv.SUMMARY_CSV, autopilot_csv.summary_rows(made))
    }

    told = flat(answered(made, SummaryOut))
    assert len(found) == (27 if rows else 16)
    assert found == {name: cell(told[name]) for name in found}


@given(histories, st.integers(1, 90))
def test_the_anomalies(rows, days):
    summed = analytics.summary(analytics.count(rows), analytics.latest_of(rows[0]) if rows else None, NOW, days)
    made = analytics.anomalies(summed, rows[: analytics.history_length(days)])

    found = lines(autopilot_csv.ANOMALIES_CSV, autopilot_csv.anomaly_rows(made))

    answer = answered(made, AnomaliesOut)
    told = answer["anomalies"] or [{"code": "none", "severity": "info"}]
    head = answer | answer["metrics"]
    assert found == [{name: cell((head | one).get(name)) for name in found[0]} for one in told]
    assert answer["anomaly_count"] == len(answer["anomalies"])
