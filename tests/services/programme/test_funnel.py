"""W04: the way from the first sign-in to the first success, and what stands in it: worked numbers, sites, units."""

from datetime import timedelta

from console.services.programme import metrics
from tests.factories.programme import SITE, complete_event, delivery, entry, inspect
from tests.factories.work_orders import add_order

OTHER = "별관"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def values(ctx, key, site=None):
    return metrics.snapshot(ctx, key, site, 30)


def test_the_funnel_begins_with_the_first_sign_in(ctx, session, clock):
    at = clock.now() - DAY
    order = add_order(session, at)
    entry(session, "admin_user_update", "kim", at - HOUR)
    entry(session, "auth_login_success", "kim", at)
    inspect(session, "kim", at + 10 * MINUTE)
    complete_event(session, order, "kim", at + 12 * MINUTE)
    entry(session, "auth_login_success", "lee", at)
    inspect(session, "lee", at - HOUR)
    complete_event(session, order, "lee", at + 20 * MINUTE)
    entry(session, "auth_login_success", "park", at)

    found = values(ctx, "w04/funnel")
    assert found.head == {"target_ttv_minutes": 15.0}
    assert found.metrics == {
        "total_users": 3,
        "inspection_converted_users": 1,
        "work_order_completed_users": 2,
        "inspection_conversion_rate_percent": 33.33,
        "work_order_completion_rate_percent": 66.67,
        "median_ttv_minutes": 16.0,
        "target_met": False,
    }
    assert found.parts["stage_timings_minutes"] == {
        "auth_to_first_inspection": 10.0,
        "inspection_to_first_work_order_complete": 2.0,
        "auth_to_first_work_order_complete": 16.0,
    }
    assert [(one["stage_id"], one["user_count"]) for one in found.parts["stages"]] == [
        ("authenticated", 3),
        ("first_inspection", 1),
        ("first_work_order_complete", 2),
    ]
    assert [one["actor"] for one in found.parts["actors"]] == ["kim", "lee", "park"]
    # Sign-ins have no site: at a site only those are counted who worked there.
    assert values(ctx, "w04/funnel", SITE).metrics["total_users"] == 2


def test_work_of_before_a_sign_in_does_not_hide_that_of_after_it(ctx, session, clock):
    at = clock.now() - 2 * DAY
    order = add_order(session, at - DAY)
    # Kim's session began before the window did: the sign-in of today is not the first that kim did.
    entry(session, "auth_login_success", "kim", at)
    for minutes in (-600, 30, 90):
        inspect(session, "kim", at + minutes * MINUTE)
        complete_event(session, order, "kim", at + (minutes + 10) * MINUTE)
    inspect(session, "lee", at)
    complete_event(session, order, "lee", at)
    complete_event(session, order, "park", at - MINUTE)

    for site in (None, SITE):
        found = values(ctx, "w04/funnel", site)
        assert (found.metrics["inspection_converted_users"], found.metrics["work_order_completed_users"]) == (2, 3)
        # 40 minutes for kim, none for lee and park, who begin with what they did.
        assert found.parts["stage_timings_minutes"] == {
            "auth_to_first_inspection": 15.0,
            "inspection_to_first_work_order_complete": 5.0,
            "auth_to_first_work_order_complete": 0.0,
        }


def test_blockers_are_of_the_site_and_in_their_units(ctx, session, clock):
    now = clock.now()
    for site in (SITE, SITE, OTHER):
        add_order(session, now - 2 * DAY, due_at=now - DAY, site=site)
    delivery(session, now - DAY, "failed")
    delivery(session, now - DAY, "failed", site=OTHER)
    delivery(session, now - 40 * DAY, "failed")
    entry(session, "x", "kim", now - DAY, status="denied", detail={"site": OTHER})
    entry(session, "x", "kim", now - DAY, status="denied")
    order = add_order(session, now - DAY)
    entry(session, "auth_login_success", "kim", now - DAY)
    complete_event(session, order, "kim", now - DAY + 60 * MINUTE)

    everywhere = metrics.blockers(ctx, None, 30, 10)
    assert everywhere["counts"] == {
        "overdue_open_work_orders": 3,
        "failed_alert_deliveries": 2,
        "audit_operation_failures": 2,
        "w04_tracker_open_items": 0,
        "median_ttv_over_target": 60,
        "low_inspection_conversion": 70,
        "low_completion_conversion": 0,
    }
    assert [one["blocker_key"] for one in everywhere["top"]] == [
        "overdue_open_work_orders",
        "failed_alert_deliveries",
        "audit_operation_failures",
        "low_inspection_conversion",
        "median_ttv_over_target",
    ]
    at_site = metrics.blockers(ctx, SITE, 30, 1)
    assert (at_site["counts"]["failed_alert_deliveries"], at_site["counts"]["audit_operation_failures"]) == (1, 0)
    assert len(at_site["top"]) == 1


def test_an_empty_system_has_no_blockers(ctx):
    found = metrics.blockers(ctx, None, 30, 10)
    assert (found["top"], set(found["counts"].values())) == ([], {0})
