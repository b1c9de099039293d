"""The days of a calendar: month ends, leap years, and days that are not 24 hours long."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.days import begins
from console.domain.work_orders.calendar import FIRST, LAST, MONTH, SPANS, days_of, read, turned


@pytest.mark.parametrize(
    ("day", "first", "last", "count"),
    [
        (date(2026, 2, 10), date(2026, 1, 26), date(2026, 3, 1), 35),
        (date(2027, 2, 1), date(2027, 2, 1), date(2027, 2, 28), 28),
        (date(2028, 2, 29), date(2028, 1, 31), date(2028, 3, 5), 35),
        (date(2026, 12, 31), date(2026, 11, 30), date(2027, 1, 3), 35),
        (date(2026, 8, 31), date(2026, 7, 27), date(2026, 9, 6), 42),
    ],
)
def test_a_month_shows_whole_weeks(day, first, last, count):
    days = days_of(MONTH, day)

    assert (days[0], days[-1], len(days)) == (first, last, count)


@pytest.mark.parametrize(
    ("day", "steps", "turned_to"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 3, 31), -1, date(2026, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 1, 15), -1, date(2025, 12, 15)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(day, steps, turned_to):
    assert turned(MONTH, day, steps) == turned_to


@given(
    st.dates(FIRST, LAST), st.sampled_from(SPANS), st.sampled_from(["Asia/Seoul", "America/New_York", "Pacific/Apia"])
)
def test_every_day_belongs_to_one_stretch_of_whole_weeks(day, span, zone):
    days = days_of(span, day)
    edges = begins(days, ZoneInfo(zone))

    assert day in days
    assert (days[0].weekday(), days[-1].weekday(), len(days) % 7) == (0, 6, 0)
    assert list(edges) == sorted(edges)


def test_a_word_that_is_no_day_reads_as_today():
    today = date(2026, 3, 2)

    assert [read(word, today) for word in ("", "2026-13-01", "0001-01-01", "9999-12-31", "x")] == [today] * 5
    assert read("2026-02-28", today) == date(2026, 2, 28)
