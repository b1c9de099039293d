"""The periods of quality reports: zones, ends of months, and the change of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from console.domain.errors import BadRequest
from console.domain.reports import periods

SEOUL, BERLIN = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Berlin")


def at(*parts, zone=UTC):
    return datetime(*parts, tzinfo=zone)


def test_the_week_before_is_the_last_whole_one_from_monday_to_sunday_of_the_zone():
    # Sunday 15:30 in UTC is Monday already in Seoul: the week is over there.
    made = periods.week_before(at(2026, 3, 1, 15, 30), SEOUL)

    assert (made.start, made.end) == (at(2026, 2, 22, 15), at(2026, 3, 1, 15))
    assert (made.label, made.days, made.finished(made.end)) == ("week-2026-02-23-2026-03-01", 7, True)
    before = periods.week_before(at(2026, 3, 1, 14, 59), SEOUL)
    assert before.label == "week-2026-02-16-2026-02-22"


def test_the_month_before_begins_and_ends_at_midnight_of_the_zone():
    made = periods.month_before(at(2026, 2, 28, 15, 20), SEOUL)

    assert (made.label, made.start, made.end) == ("2026-02", at(2026, 1, 31, 15), at(2026, 2, 28, 15))
    assert periods.month_before(at(2026, 2, 28, 14, 59), SEOUL).label == "2026-01"
    assert periods.month_before(at(2026, 1, 1, 0, 20), ZoneInfo("UTC")).label == "2025-12"


@pytest.mark.parametrize(("month", "days"), [("2026-02", 28), ("2028-02", 29), ("2026-04", 30), ("2026-12", 31)])
def test_a_month_has_its_days(month, days):
    made = periods.month_named(month, SEOUL)

    pieces = list(made.pieces())
    assert (made.days, len(pieces)) == (days, days)
    assert (pieces[0][1], pieces[-1][2]) == (made.start, made.end)
    assert all(until == begin for (_d, _b, until), (_e, begin, _u) in pairwise(pieces))


@pytest.mark.parametrize(
    ("month", "short", "hours"), [("2026-03", date(2026, 3, 29), 23), ("2026-10", date(2026, 10, 25), 25)]
)
def test_the_day_of_a_clock_change_is_shorter_or_longer_and_no_day_is_lost(month, short, hours):
    made = periods.month_named(month, BERLIN)
    pieces = list(made.pieces())

    assert len(pieces) == made.days == 31
    assert periods.week_before(made.end + timedelta(days=1), BERLIN).days == 7
    lengths = {day: (until - begin) / timedelta(hours=1) for day, begin, until in pieces}
    assert lengths.pop(short) == hours
    assert set(lengths.values()) == {24}


def test_the_published_week_is_seven_times_a_day_and_touches_eight_dates():
    made = periods.last_days(at(2026, 3, 2, 9, 30))

    assert (made.label, made.end - made.start) == ("week-2026-02-23-2026-03-02", timedelta(days=7))
    pieces = list(made.pieces())
    assert len(pieces) == 8
    assert (pieces[0][1], pieces[-1][2]) == (made.start, made.end)
    assert made.days == 7


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "0001-01", "0000-05"])
def test_what_is_no_month_of_the_zone_is_refused(text):
    with pytest.raises(BadRequest):
        periods.month_named(text, SEOUL)


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("week-2026-02-23-2026-03-01", ("weekly", date(2026, 2, 23), date(2026, 3, 1))),
        ("2028-02", ("monthly", date(2028, 2, 1), date(2028, 2, 29))),
        ("9999-12", ("monthly", date(9999, 12, 1), date(9999, 12, 31))),
    ],
)
def test_a_label_is_read_again(label, found):
    assert periods.span_of(label) == found
