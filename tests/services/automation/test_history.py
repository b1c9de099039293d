"""History, summary, anomalies and their CSVs say the same; sums of the database are those of the domain."""

import csv
import io
import json
from collections import Counter
from datetime import timedelta

import pytest

from console.core.serialize import csv_text, plain
from console.domain.automation import analytics
from console.domain.errors import GlobalScopeRequired, NotFound
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.automation import csv as autopilot_csv
from console.services.automation import history as autopilot_history
from console.services.automation import latest as automation_runs
from tests.services.automation.automation_support import AUTOPILOT, item, people, run, set_policy
from tests.support.statements import statements


@pytest.fixture
def ctx(make_ctx, session, clock):
    people(session, clock)
    session.commit()
    made = make_ctx()
    set_policy(made, sync_before_run=False, cooldown_minutes=90)
    return made


@pytest.fixture
def runs(ctx, session, clock):
    """Fifteen runs of every kind over two days: real, dry, forced, skipped, disabled; and one that was lost."""
    for number in range(1, 16):
        clock.advance(timedelta(hours=3, minutes=number))
        if number % 3 == 0:
            item(session, clock, number, -1 if number % 2 else 20)
            session.commit()
        if number in (8, 10):
            set_policy(ctx, enabled=number == 10)
        run(ctx, AUTOPILOT, {"force": number % 6 == 0}, dry_run=number % 5 == 0)
    clock.advance(timedelta(hours=1))
    lost = {"error_code": "worker_lost", "status": "critical", "detail_json": {"error": "worker_lost"}}
    session.add(
        JobRun(job_name=AUTOPILOT, trigger="cron", state="finished", started_at=clock.now(), finished_at=clock.now(),
               requested_at=clock.now(), **lost)
    )  # fmt: skip
    session.commit()


def test_the_history_is_newest_first_with_every_kind_of_run(ctx, runs):
    made = autopilot_history.history(ctx, limit=100)

    assert (made.count, made.total, made.limit) == (16, 16, 100)
    assert [row.finished_at for row in made.items] == sorted((row.finished_at for row in made.items), reverse=True)
    newest = made.items[0]
    assert (newest.status, newest.errors_count, newest.actions) == ("critical", 1, ())
    assert {row.skip_reason for row in made.items} >= {None, "policy_disabled"}
    assert any(row.dry_run for row in made.items)
    assert any(row.force for row in made.items)
    assert autopilot_history.history(ctx, limit=2).items == made.items[:2]


@pytest.mark.parametrize("days", [1, 90])
def test_the_database_sums_up_as_the_domain_does(ctx, clock, runs, days):
    rows = autopilot_history.history(ctx, limit=100).items
    inside = [row for row in rows if row.finished_at >= clock.now() - timedelta(days=days)]

    made = autopilot_history.summary(ctx, days=days)

    expected = analytics.summary(analytics.count(inside), analytics.latest_of(inside[0]), clock.now(), days)
    assert made == expected
    assert made.total_runs == len(inside) > 3


def test_anomalies_judge_the_same_figures(ctx, clock, runs):
    rows = autopilot_history.history(ctx, limit=100).items
    summary = autopilot_history.summary(ctx, days=14)

    made = autopilot_history.anomalies(ctx, days=14)

    assert made == analytics.anomalies(summary, rows)
    assert "latest_run_critical" in [one.code for one in made.anomalies]


def parsed(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_history_csv_has_the_published_header_and_the_numbers_of_the_json(ctx, runs):
    made = autopilot_history.history(ctx, limit=100)
    text = csv_text(autopilot_csv.HISTORY_CSV, made.items)

    assert text.splitlines()[0] == (
        "run_id,status,trigger,started_at,finished_at,dry_run,force,skipped,skip_reason,planned_actions,actions,"
        "errors_count,open_items,overdue_count,unassigned_open_count,critical_open_count"
    )
    for line, row in zip(parsed(text), plain(made.items), strict=True):
        for name, value in line.items():
            shown = "|".join(row[name]) if isinstance(row[name], list) else row[name]
            assert value == ("" if shown is None else str(shown))


def test_the_summary_csv_has_the_published_lines_and_the_numbers_of_the_json(ctx, runs):
    made = autopilot_history.summary(ctx, days=30)
    rows = dict(autopilot_csv.summary_rows(made))

    assert list(rows) == [
        *("generated_at", "window_days", "total_runs", "executed_runs", "skipped_runs", "cooldown_blocked_runs"),
        *("error_runs", "success_rate_percent", "skipped_rate_percent"),
        *("status_success", "status_warning", "status_critical"),
        *("planned_auto_assign", "planned_escalation", "executed_auto_assign", "executed_escalation"),
        *("latest_run_id", "latest_run_status", "latest_run_finished_at", "latest_run_skipped"),
        *("latest_run_skip_reason", "latest_run_planned_actions", "latest_run_actions", "latest_run_open_items"),
        *("latest_run_overdue_count", "latest_run_unassigned_open_count", "latest_run_critical_open_count"),
    ]
    assert len(rows) == 27
    answer = plain(made)
    assert rows["status_success"] == answer["status_counts"]["success"]
    assert rows["executed_escalation"] == answer["executed_action_counts"]["escalation"]
    assert rows["latest_run_id"] == answer["latest_run"]["run_id"]
    lines = {line["metric"]: line["value"] for line in parsed(csv_text(autopilot_csv.SUMMARY_CSV, rows.items()))}
    assert lines["success_rate_percent"] == str(answer["success_rate_percent"])
    assert lines["generated_at"] == answer["generated_at"]


def test_a_summary_without_runs_has_sixteen_lines(ctx):
    made = autopilot_history.summary(ctx)

    assert len(dict(autopilot_csv.summary_rows(made))) == 16
    assert (made.success_rate_percent, made.skipped_rate_percent, made.latest_run) == (100.0, 0.0, None)


def test_the_anomalies_csv_has_a_line_per_anomaly_or_one_that_says_none(ctx, runs, clock):
    made = autopilot_history.anomalies(ctx)
    lines = parsed(csv_text(autopilot_csv.ANOMALIES_CSV, autopilot_csv.anomaly_rows(made)))
    assert list(lines[0]) == [
        *("generated_at", "window_days", "health_status", "total_runs", "success_rate_percent"),
        *("skipped_rate_percent", "cooldown_blocked_runs", "error_runs", "code", "severity", "message", "observed"),
        *("target", "recommendation"),
    ]
    assert [line["code"] for line in lines] == [one.code for one in made.anomalies]

    healthy = analytics.anomalies(analytics.summary(analytics.RunCounts(total=9, success=9), None, clock.now(), 14), ())
    assert next(iter(autopilot_csv.anomaly_rows(healthy)))[8:] == ("none", "info", "", "", "", "")


def test_days_of_the_business_zone_add_up_to_the_real_runs(ctx, clock, runs):
    days = autopilot_history.by_day(ctx, days=14)
    rows = [row for row in autopilot_history.history(ctx, limit=100).items if not row.dry_run]

    assert len(days) == 14
    assert sum(day.executed + day.skipped + day.errors for day in days) == len(rows)
    reasons = [row.skip_reason for row in rows if row.skipped and not row.errors_count]
    assert reasons
    assert sum((Counter(day.skip_reasons) for day in days), Counter()) == Counter(reasons)
    assert sum(day.assigned for day in days) == sum(row.assigned_count for row in rows)
    assert days[-1].day.isoformat() == (clock.now() + timedelta(hours=9)).date().isoformat()


def test_exports_are_on_record_and_views_are_not(ctx, session, runs):
    ctx.begin_write()
    autopilot_history.history(ctx, limit=5)
    autopilot_history.history(ctx, limit=5, export="history.csv")
    autopilot_history.summary(ctx, days=7, export="summary.csv")
    autopilot_history.anomalies(ctx, days=7, export="anomalies.csv")
    ctx.commit()

    rows = session.query(AuditLog).filter(AuditLog.action.like("%_csv_export")).order_by(AuditLog.id).all()
    assert [(row.action.removeprefix("ops_governance_remediation_tracker_"), row.resource_id) for row in rows] == [
        ("autopilot_history_csv_export", "history.csv"),
        ("autopilot_summary_csv_export", "summary.csv"),
        ("autopilot_anomalies_csv_export", "anomalies.csv"),
    ]
    assert json.loads(rows[0].detail_json) == {"limit": 5, "count": 5}
    assert set(json.loads(rows[1].detail_json)) == {
        *("window_days", "total_runs", "executed_runs", "skipped_runs", "cooldown_blocked_runs"),
        "success_rate_percent",
    }


def test_figures_of_all_sites_are_for_those_who_see_all_sites(make_ctx):
    scoped = make_ctx("manager", ("본관",))
    for view in (autopilot_history.history, autopilot_history.summary, autopilot_history.anomalies):
        with pytest.raises(GlobalScopeRequired):
            view(scoped)


def test_the_latest_run_is_answered_with_its_nested_runs(ctx, session, clock, runs):
    with pytest.raises(NotFound, match="No nothing run found"):
        automation_runs.latest(ctx, "nothing")

    lost = automation_runs.latest(ctx, AUTOPILOT)
    assert (lost["status"], lost["skipped"], lost["auto_assign"], lost["error"]) == (
        "critical",
        None,
        None,
        "worker_lost",
    )

    item(session, clock, 99, -1)
    session.commit()
    run(ctx, AUTOPILOT, {"force": True})
    made = automation_runs.latest(ctx, AUTOPILOT)
    assert list(made)[:23] == [
        *("run_id", "job_name", "trigger", "status", "started_at", "finished_at"),
        *("enabled", "dry_run", "force", "policy_key", "policy_updated_at", "policy", "metrics", "guard", "skipped"),
        *("skip_reason", "planned_actions", "actions", "should_run_auto_assign", "should_run_escalation"),
        *("auto_assign", "escalation", "errors"),
    ]
    assert (made["auto_assign"]["trigger"], made["escalation"]["trigger"]) == ("autopilot", "autopilot")
    assert made["auto_assign"]["assigned_count"] == len(made["auto_assign"]["updated_ids"])


def test_summary_and_history_take_a_fixed_number_of_queries(ctx, runs, engine):
    for view, most in (
        (autopilot_history.history, 2),
        (autopilot_history.summary, 3),
        (autopilot_history.anomalies, 4),
        (autopilot_history.by_day, 1),
    ):
        with statements(engine) as seen:
            view(ctx)
        assert len(seen) == most
