"""The days of a calendar: whole weeks that begin on Monday."""

from __future__ import annotations

from datetime import date

from console.domain.days import DAY

MONTH, WEEK = SPANS = ("month", "week")
FIRST, LAST = date(1971, 1, 1), date(8999, 12, 31)


def days_of(span: str, day: date) -> tuple[date, ...]:
    """Return the days that a month or a week with `day` in it shows: whole weeks, from Monday to Sunday."""
    first = day.replace(day=1) if span == MONTH else day
    last = turned(MONTH, day, 1).replace(day=1) - DAY if span == MONTH else day
    start = first - DAY * first.weekday()
    end = last + DAY * (6 - last.weekday())
    return tuple(start + DAY * number for number in range((end - start).days + 1))


def turned(span: str, day: date, steps: int) -> date:
    """Return a day so many months or weeks later: the same day of the month, or the last one that it has."""
    if span == WEEK:
        return day + 7 * DAY * steps
    number = day.year * 12 + day.month - 1 + steps
    first = date(number // 12, number % 12 + 1, 1)
    following = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    return first + DAY * (min(day.day, (following - first).days) - 1)


def read(word: str, today: date) -> date:
    """Return the day that an address names, `today` for none and for what is no day of these centuries."""
    try:
        day = date.fromisoformat(word)
    except ValueError:
        return today
    return day if FIRST <= day <= LAST else today
