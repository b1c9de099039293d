"""What W10 to W15 are really about: worked numbers, and nothing where there are no facts (D33)."""

from datetime import date, timedelta

import pytest

from console.domain.programme.indicators import INDICATORS
from console.domain.programme.measures import METRICS, OF_WEEK
from console.domain.programme.repeats import REPEATS
from console.models.handover import Handover
from console.models.tracker import TrackerRun
from console.services.programme import metrics, trends, week_page
from console.services.programme.scope import scope_of
from tests.factories import make_user
from tests.factories.programme import OTHER, SITE, act, answered, complete_event, completed, entry, inspect
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def told(ctx, code, site=SITE):
    metric = OF_WEEK[code]
    found = metrics.snapshot(ctx, metric.key, site, metric.default).parts["indicators"]
    return {one["key"]: (one["value"], one["status"], one["data_state"]) for one in found}


@pytest.mark.parametrize("code", REPEATS)
def test_without_facts_an_indicator_says_so(ctx, sites, code):
    for site in (SITE, None):
        found = told(ctx, code, site)
        assert list(found) == [one.key for one in INDICATORS[code]]
        for key, (value, status, state) in found.items():
            if key in ("role_coverage_percent", "fallback_coverage_percent"):
                # That nobody is there is known.
                assert (value, status, state) == (0.0, "critical", "ok")
            elif key != "weekly_report_streak_weeks":
                assert (value, status, state) == (None, "no_data", "no_data"), key


@pytest.mark.parametrize("code", OF_WEEK)
def test_a_page_without_facts_misses_no_goal(ctx, sites, code):
    found = week_page.measured(ctx, code, SITE)
    if code not in ("w06", "w09"):  # who should work there is known, and so is that nobody did
        assert {one.state for one in found.measures} <= {"no_data", "plain"} or found.data_state == "ok"
    assert found.missed == 0 or found.data_state == "ok"


def test_fewer_repeats_and_how_fast_orders_are_answered(ctx, session, clock, sites):
    now = clock.now()
    for number in range(4):
        add_order(session, now - 40 * DAY, title="Lamp" if number < 4 else "x")
        answered(session, now - DAY, 50 + 10 * number, title="Pump" if number < 2 else f"Title {number}")
    assert told(ctx, "w10") == {
        "repeat_reduction_percent": (50.0, "ok", "ok"),
        "median_first_answer_minutes": (65.0, "warning", "ok"),
    }


def test_who_is_there_at_each_site(ctx, session, clock, sites):
    now = clock.now()
    for name, role, held in (
        *(("kim", "manager", (SITE,)), ("lee", "operator", (SITE, OTHER)), ("park", "owner", ("*",))),
        *(("choi", "auditor", (OTHER,)),),
    ):
        make_user(session, now=now, username=name, role=role, site_scope=held)
    assert {key: one[0] for key, one in told(ctx, "w11", None).items()} == {
        "role_coverage_percent": 100.0,
        "fallback_coverage_percent": 50.0,
    }
    assert told(ctx, "w11", OTHER)["fallback_coverage_percent"] == (0.0, "critical", "ok")


def test_what_is_closed_and_handed_over(ctx, session, clock, sites):
    now = clock.now()
    for code, status in (("w02", "completed"), ("w03", "completed_with_exceptions"), ("w04", "active")):
        begun = {"site": SITE, "site_key": SITE, "starts_on": date(2026, 3, 2), "created_at": now, "updated_at": now}
        session.add(TrackerRun(tracker=code, status=status, **begun))
    for number, accepted in enumerate((HOUR, 3 * HOUR, None, None)):
        given = now - DAY * (number + 1) if number < 3 else now - HOUR / 2
        session.add(
            Handover(
                site=SITE,
                previous_id=number,
                since_at=given - DAY,
                given_by="kim",
                given_at=given,
                deadline_at=given + 2 * HOUR,
                accepted_by="lee" if accepted else None,
                state="accepted" if accepted else "given",
                accepted_at=given + accepted if accepted else None,
            )
        )
    session.flush()
    found = told(ctx, "w12")
    # One in time, one late, one that nobody took; the newest still has time.
    assert found == {
        "closed_weeks_percent": (66.67, "warning", "ok"),
        "handover_in_time_percent": (33.33, "critical", "ok"),
    }
    assert told(ctx, "w12", OTHER)["handover_in_time_percent"][2] == "no_data"


def test_actions_of_the_gate_and_how_old_they_are(ctx, session, clock, sites):
    now = clock.now()
    for number, (opened, status) in enumerate(((2, "done"), (3, "pending"), (10, "pending"), (60, "pending"))):
        add_item(
            session, now, number + 1, site=SITE, site_key=SITE, item_key=f"K{number}", status=status,
            opened_at=now - opened * DAY,
        )  # fmt: skip
    session.flush()
    assert told(ctx, "w13") == {
        "improvements_closed_percent": (33.33, "critical", "ok"),
        "improvements_over_7_days_count": (2, "warning", "ok"),
    }


def test_what_is_late_for_more_than_a_week(ctx, session, clock, sites):
    now = clock.now()
    for back in (1, 6, 8, 30):
        add_order(session, now - 40 * DAY, due_at=now - back * DAY)
    assert told(ctx, "w15")["late_over_7_days_count"] == (2, "warning", "ok")


@pytest.mark.parametrize("code", [code for code in OF_WEEK if code != "w04"])
def test_a_trend_ends_with_what_the_measure_says(ctx, session, clock, sites, code):
    """The last point is that of the last seven days (or of the window that ends now), the first one is the oldest."""
    now = clock.now()
    make_user(session, now=now, username="kim", role="operator", site_scope=(SITE,))
    for number in range(30):
        at = now - (number * 3 + 1) * HOUR * 12
        made = (answered, completed)[number % 2]
        order = made(session, at, 30 + number, title=f"T{number % 4}", is_escalated=number % 5 == 0)
        complete_event(session, order, "kim", at + HOUR)
        act(session, order, "kim", at)
        inspect(session, "kim", at)
        entry(session, "auth_login_success", "kim", at - HOUR)
        entry(session, "ops_handover_brief_view", "kim", at, resource_id=SITE)
    session.commit()
    lines = trends.of_week(scope_of(ctx, code, SITE, OF_WEEK[code].default), code)
    assert lines
    assert {len(line) for line in lines.values()} == {trends.POINTS}
    key = METRICS[OF_WEEK[code].key].key
    seven = max(7, OF_WEEK[code].least)
    week = metrics.snapshot(ctx, key, SITE, seven)
    values = {**week.metrics, **{one["kpi_key"]: one["actual_value"] for one in week.parts.get("kpis", ())}}
    for name, line in lines.items():
        if seven == 7 and name in values:
            assert line[-1] == values[name], name
    shown = week_page.measured(ctx, code, SITE)
    assert any(one.trend for one in shown.measures)


@pytest.mark.parametrize(
    ("code", "most"),
    [("w04", 0), ("w05", 1), ("w06", 2), ("w07", 3), ("w08", 2), ("w09", 1), ("w10", 2), ("w15", 2)],
)
def test_a_trend_takes_a_few_questions_however_much_there_is(ctx, session, clock, sites, code, most):
    now = clock.now()
    make_user(session, now=now, username="kim", role="operator", site_scope=(SITE,))
    scope = scope_of(ctx, code, SITE, OF_WEEK[code].default)
    for back in range(1, 60, 3):
        order = completed(session, now - back * DAY, 60)
        complete_event(session, order, "kim", now - back * DAY)
        inspect(session, "kim", now - back * DAY)
        entry(session, "auth_login_success", "kim", now - back * DAY)
    session.flush()
    with statements() as made:
        trends.of_week(scope, code)
    assert len(made) == most, "\n".join(made)
