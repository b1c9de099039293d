"""What is due today and done this week, in a zone with clock changes and at the ends of months."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console.core.config import Config
from console.core.listing import ListQuery
from console.services.common import lists as engine
from console.services.work_orders import counts, lists, views
from tests.factories.work_orders import add_order

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# Noon, the midnight before it in Berlin, and how long the day is: two changes of the clock, the ends of months.
DAYS = [
    (datetime(2026, 3, 29, 12, tzinfo=UTC), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
    (datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2028, 2, 28, 23, tzinfo=UTC), 24),
    (datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2026, 12, 30, 23, tzinfo=UTC), 24),
]


@pytest.fixture
def berlin(ctx, clock):
    def at(now):
        clock.set(now)
        return replace(ctx, config=Config.for_tests(BUSINESS_TIME_ZONE="Europe/Berlin"))

    return at


@pytest.mark.parametrize(("now", "midnight", "hours"), DAYS)
def test_today_is_as_long_as_the_day_is(berlin, session, now, midnight, hours):
    ctx, ends = berlin(now), midnight + hours * HOUR
    dues = (midnight - MINUTE, midnight, ends - MINUTE, ends)
    ids = [add_order(session, now, due_at=due).id for due in dues]
    found = engine.run(ctx, lists.spec(now), ListQuery(filters={"due": ("today",)}))

    assert {one.id for one in found.rows} == set(ids[1:3])
    assert counts.figures(ctx).today == 2
    day = now.date().isoformat()
    named = engine.run(ctx, lists.spec(now), ListQuery(filters={"due_from": (day,), "due_until": (day,)}))
    assert {one.id for one in named.rows} == set(ids[1:3])


@pytest.mark.parametrize(("now", "midnight", "hours"), DAYS)
@pytest.mark.parametrize("span", ["month", "week"])
def test_the_calendar_puts_each_order_on_its_day(berlin, session, now, midnight, hours, span):
    ctx = berlin(now)
    inside = [add_order(session, now, due_at=due).id for due in (midnight, midnight + hours * HOUR - MINUTE)]
    found = views.due_calendar(ctx, ListQuery(), span, now.date().isoformat())

    (today,) = [day for day in found.days if day.day == found.today]
    assert ([order.id for order in today.orders], today.count) == (inside, 2)
    assert sum(day.count for day in found.days) == 2


def test_a_week_begins_on_monday_also_across_the_change_of_the_clock(berlin, session):
    # Monday the 30th of March; Sunday before it had 23 hours.
    now = datetime(2026, 3, 30, 6, tzinfo=UTC)
    ctx, monday = berlin(now), datetime(2026, 3, 29, 22, tzinfo=UTC)
    done = {"status": "completed"}
    add_order(session, now, completed_at=monday - MINUTE, **done)
    add_order(session, now, completed_at=monday, **done)

    assert counts.figures(ctx).done_this_week == 1
    board = views.board(ctx, ListQuery())
    assert [column.count for column in board.columns] == [0, 0, 0, 1]
