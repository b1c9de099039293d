"""What holds for the metrics of every week: nothing counted, one order in three years, sums of sites, who may look."""

from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.core.serialize import plain
from console.domain.errors import PermissionDenied, SiteDenied
from console.domain.programme.judge import RED, YELLOW
from console.domain.programme.measures import OF_WEEK
from console.services.programme import history, metrics, trends, week_page, weekly
from console.services.programme.orders import MEDIAN, P90, _quantile
from console.services.programme.scope import scope_of
from console.services.programme.week_page import BAD
from tests.factories import make_site, make_user
from tests.factories.programme import OTHER, SITE, answered, complete_event, completed, delivery, entry, inspect
from tests.factories.work_orders import add_order
from tests.services.programme.metric_support import KEYS, values

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def numbers(value, path=""):
    if isinstance(value, dict):
        for key, one in value.items():
            yield from numbers(one, f"{path}.{key}")
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from numbers(one, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_no_result(ctx, make_ctx, sites, key):
    for found in (values(ctx, key), values(ctx, key, SITE), values(make_ctx("manager", ()), key)):
        answer = found.as_answer()
        assert answer["no_data"] or answer["data_state"] == "no_data"
        assert found.metrics.get("target_met") in (False, None)
        assert "red" not in [one["status"] for one in answer.get("kpis", ()) if one.get("data_state") == "no_data"]
    # The shape is the same for somebody without any site.
    assert list(values(make_ctx("manager", ()), key).as_answer()) == list(values(ctx, key).as_answer())


@pytest.mark.parametrize("key", KEYS)
def test_one_order_in_three_years(ctx, session, clock, sites, key):
    completed(session, clock.now() - 3 * 365 * DAY, 60)
    old = plain(values(ctx, key).metrics)
    completed(session, clock.now() - DAY, 60)
    for path, value in numbers(plain(values(ctx, key).as_answer())):
        if path.endswith("percent") and "improvement" not in path:
            assert 0 <= value <= 100, path
    assert set(old) == set(values(ctx, key).metrics)


def test_a_year_without_orders_is_no_bad_year(ctx, session, clock, sites):
    clock.set(clock.now() + 366 * DAY)
    for back in range(366, 3 * 365, 30):
        at = clock.now() - back * DAY
        order = completed(session, at, 900, due_at=at + HOUR, is_escalated=True)
        complete_event(session, order, "kim", at + HOUR)
        inspect(session, "kim", at, risk_level="danger")
        entry(session, "report_monthly_export_csv", "kim", at, resource_id=f"2026-02:{SITE}")
        delivery(session, at, "failed")
    for site in (SITE, None):
        for key in KEYS:
            found = values(ctx, key, site)
            assert found.data_state == "no_data", key
            repeats = [one for one in found.parts.get("kpis", ()) if one["kpi_key"] == "repeat_ticket_rate_percent"]
            assert RED not in {one["status"] for one in repeats}, key
        board = values(ctx, "w09/kpi-operation", site)
        assert (board.metrics["red_count"], board.metrics["overall_status"]) == (0, YELLOW)
        assert set(board.parts["source_metrics"].values()) == {None}
        assert metrics.blockers(ctx, site, 90, 10)["top"] == []
        for code in OF_WEEK:
            assert BAD not in [one.state for one in week_page.measured(ctx, code, site).measures], code
        made, status = weekly.produce(ctx, site=site)
        assert (status, made.degradation.reasons, made.alert_attempted) == ("success", (), False)


@pytest.mark.parametrize("key", KEYS)
def test_the_window_ends_where_it_ends(ctx, session, clock, key):
    before = plain(values(ctx, key).metrics)
    order = completed(session, clock.now() + HOUR, 5, due_at=clock.now() + 2 * DAY)
    complete_event(session, order, "kim", clock.now() + HOUR)
    inspect(session, "kim", clock.now() + HOUR)
    assert plain(values(ctx, key).metrics) == before


COUNTS = {
    "w05/consistency": ("open_work_orders", "overdue_open_work_orders"),
    "w07/sla-quality": (
        *("created_work_orders", "acked_work_orders", "completed_work_orders", "sla_violation_count"),
        *("open_work_orders", "escalated_work_orders"),
    ),
    "w08/report-discipline": (
        *("work_orders_created", "sla_violation_count", "inspections_created", "report_export_count", "site_count"),
    ),
    "w10/self-serve": ("work_orders_count", "guide_total_count", "guide_done_count", "runbook_total_count"),
}


@pytest.mark.parametrize("key", COUNTS)
def test_all_sites_are_the_sum_of_the_sites(ctx, make_ctx, session, clock, sites, key):
    now = clock.now()
    for number in range(7):
        site = (SITE, OTHER)[number % 2]
        made = (add_order, answered, completed)[number % 3]
        more = () if made is add_order else (number * 400,)
        made(session, now - number * DAY, *more, site=site, is_escalated=number % 4 == 0)
        inspect(session, "kim", now - DAY, site=site)
        entry(session, "report_monthly_export_csv", "kim", now - DAY, resource_id=f"2026-02:{site}")
    entry(session, "report_monthly_export_csv", "kim", now - DAY, resource_id="2026-02:ALL")
    every, each = values(ctx, key).metrics, [values(ctx, key, site).metrics for site in (SITE, OTHER)]
    both = values(make_ctx("manager", (SITE, OTHER)), key).metrics
    for name in COUNTS[key]:
        assert every[name] == both[name] == sum(one[name] for one in each), name


@pytest.mark.parametrize("key", KEYS)
def test_who_may_look(make_ctx, key):
    held = make_ctx("auditor", (SITE,))
    assert values(held, key, SITE).site == SITE
    assert values(held, key).site is None
    with pytest.raises(SiteDenied):
        values(held, key, OTHER)
    with pytest.raises(PermissionDenied):
        values(make_ctx("auditor", permissions=("reports:read",)), key)


def test_weeks_across_a_change_of_the_clock_and_the_years_end(ctx, session, clock):
    make_site(session, SITE, now=clock.now(), zone="Europe/Berlin")
    moments = ((2026, 12, 31, 23, 59), (2027, 1, 1, 0, 30), (2027, 3, 28, 1, 30), (2027, 10, 31, 0, 30))
    for moment in moments:
        now = datetime(*moment, tzinfo=UTC)
        clock.set(now)
        # One order a day for a fortnight, whatever the clock on the wall did.
        for back in range(14):
            order = completed(session, now - back * DAY, 60, is_escalated=True)
            complete_event(session, order, "kim", now - back * DAY)
        entry(session, "ops_handover_brief_view", "kim", now - HOUR, resource_id=SITE)
        make_user(session, now=now, username=f"kim{now:%j%H%Y}", role="operator", site_scope=(SITE,))
        for key in KEYS:
            found = values(ctx, key, SITE, 14)
            for path, value in numbers(plain(found.as_answer())):
                if path.endswith("percent") and not ("improvement" in path or "reduction" in path):
                    assert 0 <= value <= 100, (moment, path)
            for line in trends.of_week(scope_of(ctx, key[:3], SITE, 14), key[:3]).values():
                assert len(line) in (0, trends.POINTS)
        assert values(ctx, "w06/rhythm", SITE, 14).metrics["handover_days_expected"] == 10, moment
        escalated = history.values(scope_of(ctx, "w09", SITE, 14), "escalation_rate_percent", 28)
        assert set(escalated) <= {100.0, None}
        assert escalated[:13] == [100.0] * 13


def test_every_measure_names_a_value_of_its_metric(ctx):
    for metric in OF_WEEK.values():
        found = values(ctx, metric.key)
        for measure in metric.measures:
            assert measure.key in found.metrics, measure.key
            if isinstance(measure.threshold, str):
                group, name = measure.threshold.split(".")
                assert name in found.head[group]
        assert metric.measures or found.parts["kpis"]


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40))
def test_the_database_finds_the_same_quantiles_as_the_formula(minutes):
    ordered = sorted(map(float, minutes))
    places = {place + 1: value for place, value in enumerate(ordered)}
    assert _quantile(places, len(ordered), MEDIAN) == round(median(ordered), 2)
    at = 0.9 * (len(ordered) - 1)
    low = int(at + 1e-9)
    high = ordered[min(low + 1, len(ordered) - 1)]
    assert _quantile(places, len(ordered), P90) == pytest.approx(
        ordered[low] + (high - ordered[low]) * (at - low), abs=0.01
    )
