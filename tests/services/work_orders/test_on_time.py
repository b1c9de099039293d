"""The share of orders that were done by their due date, and the inspections of today."""

from datetime import timedelta

import pytest

from console.domain.errors import SiteDenied
from console.domain.work_orders.on_time import OnTime
from console.services.home import overview
from console.services.work_orders import on_time
from tests.factories.work_orders import add_order
from tests.support.statements import statements

DAY = timedelta(days=1)


def done(session, now, due, after, **values):
    at = now - due
    return add_order(session, now - 40 * DAY, due_at=at, status="completed", completed_at=at + after, **values)


def test_the_share_is_of_what_was_due_within_30_days(ctx, session, clock):
    now = clock.now()
    done(session, now, 2 * DAY, -DAY)
    done(session, now, 3 * DAY, timedelta(0))
    done(session, now, 4 * DAY, timedelta(seconds=1))
    add_order(session, now - 5 * DAY, due_at=now - DAY)
    add_order(session, now - 5 * DAY, due_at=now - DAY, status="canceled")
    add_order(session, now, due_at=now + DAY)
    done(session, now, 31 * DAY, -DAY)
    done(session, now, 2 * DAY, -DAY, site="별관")

    assert on_time.last_30_days(ctx, "본관") == OnTime(4, 2)
    assert on_time.last_30_days(ctx).percent == 60.0


def test_where_nothing_was_due_there_is_no_share(make_ctx):
    assert on_time.last_30_days(make_ctx("operator", ("본관",))).percent is None


def test_it_costs_two_queries_and_follows_what_becomes_due_and_what_leaves(ctx, session, clock):
    now = clock.now()
    done(session, now, 29 * DAY, -DAY)
    add_order(session, now, due_at=now + DAY)
    session.commit()
    assert on_time.last_30_days(ctx) == OnTime(1, 1)
    with statements() as asked:
        on_time.last_30_days(ctx)
    assert len(asked) <= 2

    clock.advance(DAY + timedelta(minutes=1))
    assert on_time.last_30_days(ctx) == OnTime(1, 0)


def test_the_overview_has_both_for_those_who_may_see_them(make_ctx, session, clock):
    done(session, clock.now(), DAY, -DAY)
    session.commit()
    found = overview.read(make_ctx("operator", ("본관",)), None)

    assert found.on_time == OnTime(1, 1)
    assert {one.figure.key: one.value for one in found.numbers}["inspections_today"] == 0
    with pytest.raises(SiteDenied):
        on_time.last_30_days(make_ctx("operator", ("본관",)), "별관")
