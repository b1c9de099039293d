"""The same trouble at an asset for the third time within 90 days."""

import random
from datetime import UTC, datetime, timedelta

from console.domain.work_orders.repeats import Seen, repeat_of, repeats

NOW = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def seen(number, days, trade="electric"):
    return Seen(number, trade, NOW - days * DAY)


def test_the_third_one_is_said_with_the_ones_before_it():
    orders = [seen(1, 80), seen(2, 10)]

    assert repeat_of(orders[:1], "electric", NOW) is None
    told = repeat_of(orders, "electric", NOW)
    assert (told.number, told.earlier) == (3, (2, 1))


def test_other_trades_and_what_lies_90_days_back_do_not_count():
    assert repeat_of([seen(1, 90), seen(2, 10)], "electric", NOW) is None
    assert repeat_of([seen(1, 5, "fire"), seen(2, 10)], "electric", NOW) is None


def test_an_order_is_told_what_it_was_when_it_was_made():
    orders = [seen(1, 60), seen(2, 40), seen(3, 20), seen(4, 1)]

    assert repeat_of(orders, "electric", orders[1].at, 2) is None
    assert repeat_of(orders, "electric", orders[2].at, 3).number == 3
    assert repeat_of(orders, "electric", orders[3].at, 4).earlier == (3, 2, 1)


def test_orders_of_one_instant_are_counted_in_their_order():
    orders = [seen(1, 0), seen(2, 0), seen(3, 0)]

    assert [repeat_of(orders, "electric", NOW, number) is not None for number in (1, 2, 3)] == [False, False, True]


def test_an_asset_names_its_trades_that_return_most_first():
    orders = [*(seen(n, n) for n in range(1, 4)), *(seen(n, n, "fire") for n in range(10, 14)), seen(20, 2, "other")]

    assert [(one.trade, one.number) for one in repeats(orders, NOW)] == [("fire", 4), ("electric", 3)]
    assert repeats(orders, NOW + 100 * DAY) == []


def test_form_order_and_asset_agree_whatever_happened():
    chance = random.Random(3)
    for _round in range(200):
        orders = [seen(n, chance.randint(0, 120), chance.choice(["fire", "other"])) for n in range(1, 12)]
        now = NOW + timedelta(seconds=1)
        for trade in ("fire", "other"):
            lately = [one for one in orders if one.trade == trade and one.at > now - 90 * DAY]
            coming = repeat_of(orders, trade, now)
            assert (coming.number if coming else 0) == (len(lately) + 1 if len(lately) >= 2 else 0)
            named = {one.trade: one.number for one in repeats(orders, now)}
            assert named.get(trade, 0) == (len(lately) if len(lately) >= 3 else 0)
