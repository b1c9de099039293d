"""Where days begin: they have 23 or 25 hours when the clocks change, and some zones change them at midnight."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.domain.days import DAY, begins, day_of, last_days, midnight, monday_of

HOUR = timedelta(hours=1)
BERLIN, HAVANA, SEOUL = (ZoneInfo(name) for name in ("Europe/Berlin", "America/Havana", "Asia/Seoul"))


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), BERLIN, 23),
        (date(2026, 10, 25), BERLIN, 25),
        # Midnight itself is skipped in spring and comes twice in autumn.
        (date(2026, 3, 8), HAVANA, 23),
        (date(2026, 11, 1), HAVANA, 25),
        (date(2026, 3, 29), SEOUL, 24),
    ],
)
def test_a_day_is_as_long_as_it_is_at_any_of_its_hours(day, zone, hours):
    start, end = begins([day], zone)

    assert end - start == hours * HOUR
    assert {day_of(start + number * HOUR / 2, zone) for number in range(2 * hours)} == {(start, end)}
    assert day_of(start - HOUR / 2, zone)[1] == start


def test_the_last_days_end_with_that_of_the_instant():
    # Already tomorrow in Seoul.
    at = datetime(2026, 2, 28, 15, 30, tzinfo=UTC)

    assert last_days(at, SEOUL, 3) == (date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1))
    assert last_days(at, UTC, 1) == (date(2026, 2, 28),)
    assert midnight(date(2026, 3, 1), SEOUL) == at - HOUR / 2
    assert begins(last_days(at, SEOUL, 3), SEOUL)[-1] == at - HOUR / 2 + DAY


def test_weeks_start_on_monday_in_the_business_zone():
    sunday_evening_utc = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)  # already Monday 00:30 in Seoul

    assert monday_of(sunday_evening_utc, SEOUL) == date(2026, 3, 2)
    assert monday_of(sunday_evening_utc, UTC) == date(2026, 2, 23)
