"""The share of waiting in the time that orders took."""

from datetime import timedelta

from console.domain.work_orders.waiting import Waited
from console.models.work_orders import WorkOrder
from console.services.work_orders import on_time, waiting
from tests.factories.work_orders import add_hold, add_order

HOUR = timedelta(hours=1)


def took(session, at, hours, waits=(), **values):
    order = add_order(session, at, status="completed", completed_at=at + hours * HOUR, **values)
    for start, end in waits:
        add_hold(session, order, at + start * HOUR, None if end is None else at + end * HOUR)
    return order


def test_the_share_is_of_the_time_of_all_completed_orders(ctx, session, clock):
    at = clock.now() - 100 * HOUR
    took(session, at, 10, [(1, 3), (4, 5)])
    took(session, at, 30, trade="fire")
    # What is open and what was canceled has taken no time yet.
    add_hold(session, add_order(session, at, status="acked"), at, None)

    found = waiting.of_completed(ctx, WorkOrder.site == "본관")[None]
    by_trade = waiting.of_completed(ctx, by=WorkOrder.trade)

    assert (round(found.took / HOUR, 3), round(found.waited / HOUR, 3), found.percent) == (40, 3, 7.5)
    assert {trade: one.percent for trade, one in by_trade.items()} == {"other": 30.0, "fire": 0.0}


def test_waiting_ends_with_the_order(ctx, session, clock):
    took(session, clock.now() - 20 * HOUR, 10, [(8, 15), (12, 14)])
    took(session, clock.now() - 20 * HOUR, 10, [(9, None)])

    assert waiting.of_completed(ctx)[None].percent == 15.0


def test_of_no_time_there_is_no_share(ctx):
    assert waiting.of_completed(ctx)[None].percent is None
    assert Waited(HOUR, 2 * HOUR).percent == 100.0


def test_it_stands_beside_what_was_done_in_time(ctx, session, clock):
    took(session, clock.now() - 20 * HOUR, 10, [(0, 4)], due_at=clock.now() - HOUR)

    assert on_time.last_30_days(ctx).waited.percent == 40.0
