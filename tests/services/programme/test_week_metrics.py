"""The metrics of the weeks: worked numbers of the published formulas, sites, and what there is too little of."""

from datetime import timedelta

import pytest

from console.models.jobs import JobRun
from console.services.programme import metrics, policies
from tests.factories import make_token, make_user
from tests.factories.programme import OTHER, SITE, act, answered, completed, delivery, entry, inspect
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_hold, add_order
from tests.services.programme.metric_support import KEYS, values

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# W05 -----------------------------------------------------------------------------------------------------------------
def test_retention_is_who_came_back(ctx, session, clock):
    now = clock.now()
    order = add_order(session, now - 40 * DAY, due_at=now - DAY)
    add_order(session, now - DAY)
    add_order(session, now - DAY, site=OTHER)
    for actor, days in (("kim", (20, 3)), ("lee", (20,)), ("park", (3,)), ("system", (20, 3)), ("", (20,))):
        for back in days:
            act(session, order, actor, now - back * DAY)
    inspect(session, "choi", now - 25 * DAY)
    inspect(session, "choi", now - 2 * DAY)

    found = values(ctx, "w05/consistency")
    assert found.metrics == {
        "active_users": 4,
        "early_period_users": 3,
        "retained_users": 2,
        "two_week_retention_percent": 66.67,
        "target_met": True,
        "inspection_activity_users": 1,
        "open_work_orders": 3,
        "overdue_open_work_orders": 1,
        "overdue_ratio_percent": 33.33,
    }
    assert found.parts["top_sites_by_overdue"] == [
        {"site": SITE, "open_work_orders": 2, "overdue_open_work_orders": 1, "overdue_ratio_percent": 50.0},
        {"site": OTHER, "open_work_orders": 1, "overdue_open_work_orders": 0, "overdue_ratio_percent": 0.0},
    ]
    assert found.as_answer()["recommendation_codes"] == ["high_overdue_ratio", "few_inspectors"]
    assert len(found.as_answer()["mission_recommendations"]) == 2
    assert [one["site"] for one in values(ctx, "w05/consistency", OTHER).parts["top_sites_by_overdue"]] == [OTHER]


# W06 -----------------------------------------------------------------------------------------------------------------
def test_active_is_who_worked_on_three_days_of_the_week(ctx, session, clock):
    now = clock.now()
    people = {
        name: make_user(session, now=now, username=name, role=role, site_scope=sites)
        for name, role, sites in (
            ("kim", "operator", (SITE,)),
            ("lee", "manager", ("*",)),
            ("park", "operator", (OTHER,)),
            ("choi", "auditor", ("*",)),
        )
    }
    order = add_order(session, now - 30 * DAY, due_at=now - DAY)
    for back in (1, 2, 3):
        act(session, order, "kim", now - back * DAY)
    for hours in (1, 2, 3, 4):
        act(session, order, "lee", now - DAY - hours * MINUTE)
    act(session, order, "park", now - 12 * DAY)
    make_token(session, people["kim"], now=now, expires_at=now + 5 * DAY, last_used_at=now)
    make_token(session, people["lee"], now=now, expires_at=now + 50 * DAY, last_used_at=now - 20 * DAY)
    make_token(session, people["park"], now=now, expires_at=now - DAY, last_used_at=now)
    entry(session, "ops_handover_brief_view", "kim", now - DAY, resource_id=SITE)
    entry(session, "ops_handover_brief_view", "kim", now - DAY - HOUR, resource_id=SITE)
    entry(session, "report_handover_export_pdf", "kim", now - 2 * DAY, resource_id=f"{SITE}:20260301T000000Z")
    entry(session, "ops_handover_brief_view", "kim", now - 3 * DAY, resource_id="all")

    found = values(ctx, "w06/rhythm")
    assert {**found.metrics} == {
        "eligible_users": 3,
        "active_users": 1,
        "weekly_active_rate_percent": 33.33,
        "target_met": False,
        "handover_brief_views": 4,
        "handover_days_covered": 3,
        # Ten working days in two weeks.
        "cadence_adherence_percent": 30.0,
        "overdue_open_work_orders": 1,
        "active_tokens": 2,
        "tokens_expiring_7d": 1,
        "tokens_stale_14d": 1,
        "users_without_active_token": 1,
        "active_users_in_window": 3,
        "handover_days_expected": 10,
    }
    assert found.parts["role_coverage"] == [
        {"role": "owner", "user_count": 0, "active_user_count": 0},
        {"role": "manager", "user_count": 1, "active_user_count": 0},
        {"role": "operator", "user_count": 2, "active_user_count": 1},
    ]
    assert found.parts["site_activity"] == [{"site": SITE, "activity_events": 8}]
    at_site = values(ctx, "w06/rhythm", SITE).metrics
    # A brief of all sites is none of this one.
    assert (at_site["eligible_users"], at_site["handover_brief_views"], at_site["handover_days_covered"]) == (2, 3, 2)


# W07 -----------------------------------------------------------------------------------------------------------------
def test_answers_and_promises_against_the_window_before(ctx, session, clock):
    now = clock.now()
    for minutes in (10, 20, 30, 41):
        answered(session, now - 3 * DAY, minutes, due_at=now + DAY)
    for minutes in (40, 60):
        answered(session, now - 20 * DAY, minutes, due_at=now + DAY)
    at = now - 5 * DAY
    high = completed(session, at, 120, due_at=at + HOUR, priority="high", is_escalated=True)
    session.flush()
    add_hold(session, high, at + HOUR / 4, at + 3 * HOUR / 4)
    completed(session, now - 5 * DAY, 60, due_at=now - 4 * DAY, priority="low")
    add_order(session, now - 5 * DAY, due_at=now - DAY, site=OTHER, is_escalated=True)
    # Canceled orders break no promise, however late they were.
    add_order(session, now - 5 * DAY, due_at=now - 4 * DAY, status="canceled", canceled_at=now)
    delivery(session, now - DAY)
    delivery(session, now - DAY, "failed")
    delivery(session, now - DAY, "queued", site=None)
    for site in (None, SITE, OTHER):
        at = now - 2 * DAY
        session.add(
            JobRun(
                job_name="sla_escalation",
                trigger="cron",
                status="success",
                state="finished",
                started_at=at,
                finished_at=at,
                requested_at=at,
                options_json={"site": site},
            )
        )
    session.flush()

    found = values(ctx, "w07/sla-quality").metrics
    expected = {
        "created_work_orders": 8,
        "acked_work_orders": 4,
        "completed_work_orders": 2,
        "median_ack_minutes": 25.0,
        # 10 20 30 41: at 2.7 of 3 steps, 30 + 0.7 times 11.
        "p90_ack_minutes": 37.7,
        "baseline_median_ack_minutes": 50.0,
        "response_time_improvement_percent": 50.0,
        "target_met": True,
        "median_mttr_minutes": 90.0,
        # Half an hour of three.
        "mttr_waiting_share_percent": 16.7,
        "priority_mttr_minutes": {"low": 60.0, "medium": None, "high": 120.0, "critical": None, "unknown": None},
        "priority_waiting_share_percent": {
            **dict.fromkeys(("medium", "critical", "unknown")),
            "low": 0.0,
            "high": 25.0,
        },
        "sla_violation_count": 2,
        "sla_violation_rate_percent": 25.0,
        "open_work_orders": 7,
        "overdue_open_work_orders": 1,
        "escalated_open_work_orders": 1,
        "escalated_work_orders": 2,
        "escalation_rate_percent": 25.0,
        "alert_total": 3,
        "alert_success_count": 1,
        "alert_success_rate_percent": 33.33,
        "sla_run_count": 3,
        "data_quality_gate_pass": True,
        "data_quality_issue_count": 0,
        "data_quality_critical_issue_count": 0,
        "data_quality_issue_rate_percent": 0.0,
    }
    assert found == expected
    at_site = values(ctx, "w07/sla-quality", SITE).metrics
    assert (at_site["alert_total"], at_site["sla_run_count"], at_site["created_work_orders"]) == (2, 2, 7)
    risky = values(ctx, "w07/sla-quality").parts["top_risk_sites"]
    assert [one["site"] for one in risky] == [OTHER, SITE]
    assert (risky[1]["median_ack_minutes"], risky[0]["median_ack_minutes"]) == (25.0, None)


def test_impossible_times_close_the_gate_of_the_data(ctx, session, clock):
    now = clock.now()
    answered(session, now - DAY, -5)
    completed(session, now - DAY, -5)
    add_order(session, now - DAY, due_at=now - 2 * DAY)

    found = values(ctx, "w07/sla-quality")
    assert found.parts["data_quality"] == {
        "gate_pass": False,
        "issue_count": 3,
        "critical_issue_count": 3,
        "issue_rate_percent": 100.0,
        "checks": {
            "missing_due_at_count": 0,
            "missing_priority_count": 0,
            "invalid_status_count": 0,
            "completed_without_completed_at_count": 0,
            "ack_before_created_count": 1,
            "completion_before_created_count": 1,
            "due_before_created_count": 1,
        },
    }
    # What ended before it began is no time that something took.
    assert (found.metrics["median_ack_minutes"], found.metrics["median_mttr_minutes"]) == (None, None)


def test_no_alerts_are_no_lost_alerts(ctx, session, clock):
    answered(session, clock.now() - DAY, 5)
    found = values(ctx, "w07/sla-quality")
    assert found.metrics["alert_success_rate_percent"] is None
    assert "alert_success_rate_percent" in found.no_data
    assert "alerts_lost" not in [one.code for one in found.advice]


# W08 -----------------------------------------------------------------------------------------------------------------
def test_the_discipline_score_and_the_benchmark(ctx, session, clock, sites):
    now = clock.now()
    for _number in range(8):
        completed(session, now - 5 * DAY, 60)
    completed(session, now - 5 * DAY, 60 * 48)
    add_order(session, now - 5 * DAY, due_at=now - DAY)
    inspect(session, "kim", now - DAY, risk_level="danger")
    inspect(session, "kim", now - DAY, risk_level="warning")
    entry(session, "report_monthly_export_csv", "kim", now - DAY, resource_id=f"2026-02:{SITE}", detail={"site": SITE})
    entry(session, "report_monthly_export_pdf", "kim", now - 2 * DAY, resource_id="2026-02:ALL")

    found = values(ctx, "w08/report-discipline", SITE).metrics
    assert (found["overdue_rate_percent"], found["sla_violation_rate_percent"]) == (10.0, 20.0)
    # 0.4 times 0 + 0.3 times 10 + 0.3 times 20 = 9; two of two exports: 15 points; 100 less 9 + 15 is more than 100.
    assert (found["risk_score"], found["report_export_coverage_percent"], found["discipline_score"]) == (9.0, 100, 100)
    assert (found["inspections_created"], found["inspections_high_risk"], found["inspections_warning_risk"]) == (
        2,
        1,
        1,
    )
    both = values(ctx, "w08/report-discipline")
    # Three of four exports: that of all sites is one of each.
    assert both.metrics["report_export_coverage_percent"] == 75.0
    assert (both.metrics["discipline_score"], both.metrics["target_met"]) == (100.0, True)
    assert [(one["site"], one["discipline_score"]) for one in both.parts["site_benchmark"]] == [
        (SITE, 100.0),
        (OTHER, None),
    ]
    answer = metrics.benchmark(ctx, None, 30, 1)
    assert (answer["count"], [one["site"] for one in answer["items"]]) == (1, [SITE])
    assert answer["thresholds"]["report_export_coverage_percent"] == 95.0


# W09 -----------------------------------------------------------------------------------------------------------------
def test_the_kpis_are_judged_by_the_policy_of_the_site(ctx, session, clock, sites):
    now = clock.now()
    for number in range(10):
        completed(session, now - 5 * DAY, 60, is_escalated=number < 4)
    policies.put(ctx, "w09", {"kpis": [{"kpi_key": "escalation_rate_percent", "owner_role": "야간 반장"}]}, site=SITE)

    found = values(ctx, "w09/kpi-operation", SITE, 120)
    assert found.window_days == 90
    kpis = {one["kpi_key"]: one for one in found.parts["kpis"]}
    assert {key: (one["actual_value"], one["status"]) for key, one in kpis.items()} == {
        "two_week_retention_percent": (None, "yellow"),
        "weekly_active_rate_percent": (None, "yellow"),
        "escalation_rate_percent": (40.0, "red"),
        "report_discipline_score": (100.0, "green"),
        "data_quality_issue_rate_percent": (0.0, "green"),
    }
    assert found.metrics["overall_status"] == "red"
    assert (found.metrics["green_count"], found.metrics["yellow_count"], found.metrics["red_count"]) == (2, 2, 1)
    assert found.parts["top_red_kpis"][0]["owner_role"] == "야간 반장"
    assert [one["escalate_to"] for one in found.parts["escalation_candidates"]] == ["Ops Lead + QA"]
    # They are the values of the weeks themselves.
    others = {key: values(ctx, key, SITE, 90).metrics for key in KEYS[1:4]}
    assert others["w07/sla-quality"]["escalation_rate_percent"] == kpis["escalation_rate_percent"]["actual_value"]
    assert values(ctx, "w08/report-discipline", SITE, 90).metrics["discipline_score"] == 100.0
    policies.put(ctx, "w09", {"enabled": False}, site=SITE)
    silent = values(ctx, "w09/kpi-operation", SITE)
    assert (silent.parts["escalation_candidates"], silent.head["policy"]["enabled"]) == ([], False)
    assert [one.code for one in silent.advice] == ["policy_off"]


# W10 to W15 ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", KEYS[-6:])
def test_repeated_titles_and_the_tracker_of_the_week(ctx, session, clock, sites, key):
    now, code = clock.now(), key[:3]
    for title in ("Pump leaks", " pump LEAKS ", "Lamp", "Lamp", "Door", "", "Gate", "Roof", "Wall", "Lift"):
        add_order(session, now - DAY, title=title)
    for _again in range(3):
        add_order(session, now - DAY, title="Gate", status="canceled", canceled_at=now)
    for number in range(9):
        kind = "self_serve_guide" if number < 5 else "troubleshooting_runbook"
        add_item(
            session,
            now,
            number + 1,
            tracker=code,
            site=SITE,
            site_key=SITE,
            item_type=kind,
            item_key=f"K{number}",
            status="done" if number in (0, 1, 2, 3, 5, 6, 7) else "pending",
        )

    found = values(ctx, key, SITE)
    names = list(found.metrics)
    assert list(found.metrics.values()) == [10, 8, 4, 40.0, 5, 4, 80.0, 4, 3, 75.0, 50.0, "red", False]
    assert names[1] == "unique_titles"
    top = found.parts["top_repeat_titles" if code < "w14" else "top_repeat_incidents"]
    assert top == [
        {"title": "Pump leaks", "count": 2, "share_percent": 20.0},
        {"title": "Lamp", "count": 2, "share_percent": 20.0},
    ]
    assert [(one["status"], one["green_threshold"]) for one in found.parts["kpis"]] == [
        *(("red", 20.0), ("green", 80.0), ("yellow", 80.0), ("red", 75.0)),
    ]
    # The other site never began: it lacks everything.
    both = values(ctx, key).metrics
    assert (both["guide_done_count"], both["guide_total_count"], both["runbook_total_count"]) == (4, 10, 8)
    # A limit of 0 is a limit.
    policies.put(ctx, code, {next(n for n in policies.KINDS[code].fields if "green" in n.name).name: 0}, site=SITE)
    assert values(ctx, key, SITE).parts["kpis"][0]["green_threshold"] == 0.0
    # Switched off it judges as before, and recommends nothing.
    assert [one.code for one in found.advice] == ["repeats", "runbooks"]
    policies.put(ctx, code, {"enabled": False}, site=SITE)
    silent = values(ctx, key, SITE)
    assert (silent.metrics["overall_status"], [one.code for one in silent.advice]) == ("red", ["policy_off"])


def test_the_names_of_each_week(ctx):
    w10, w14 = values(ctx, "w10/self-serve"), values(ctx, "w14/stability-sprint")
    assert list(w10.metrics) == [
        *("work_orders_count", "unique_titles", "repeated_work_orders_count", "repeat_rate_percent"),
        *("guide_total_count", "guide_done_count", "guide_publish_rate_percent", "runbook_total_count"),
        *("runbook_done_count", "runbook_completion_rate_percent", "self_serve_readiness_score"),
        *("overall_status", "target_met"),
    ]
    assert list(w14.metrics)[:4] == [
        *("incidents_count", "unique_titles", "repeated_incidents_count", "incident_repeat_rate_percent"),
    ]
    assert len(w10.parts["guide_coverage"]) == 5
    assert len(w10.parts["runbook_modules"]) == 4
    assert [one["kpi_key"] for one in w14.parts["kpis"]] == [
        *("repeat_ticket_rate_percent", "checklist_completion_rate_percent", "simulation_success_rate_percent"),
        "stability_sprint_readiness_score",
    ]
    assert {one["key"]: one["status"] for one in w14.parts["indicators"]}["deploy_smoke"] == "no_data"
