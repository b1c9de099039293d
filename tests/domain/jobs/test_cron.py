"""Instants of cron words: against a second implementation, forwards and backwards, and where clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.jobs import cron

START = datetime(2026, 3, 2, 0, 45, tzinfo=UTC)


def instants(words: str, zone: str, first: str, last: str) -> list[str]:
    found = cron.between(words, zone, datetime.fromisoformat(first), datetime.fromisoformat(last))
    return [instant.strftime("%m-%dT%H:%M") for instant in found]


FIELD = st.sampled_from(["*", "1-4", "1-4/2", "3", "2,4", "1,3-5"])
MOMENT = st.integers(0, 2 * 365 * 86400).map(lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(0, seconds))
HOUR = FIELD | st.sampled_from(["*/5", "*/7"])


@settings(max_examples=150, deadline=None)
@given(
    words=st.tuples(
        st.sampled_from(["0", "15", "*/20", "5,35", "58-59"]), HOUR, FIELD, st.sampled_from(["*", "2", "1-6"]), FIELD
    ).map(" ".join),
    zone=st.sampled_from(["UTC", "Asia/Seoul"]),
    start=MOMENT,
)
def test_the_instants_are_those_of_another_implementation(words, zone, start):
    other = croniter(words, start.astimezone(ZoneInfo(zone)))
    expected = [other.get_next(datetime).astimezone(UTC) for _ in range(5)]

    assert list(islice(cron.following(words, zone, start), 5)) == expected


@settings(max_examples=150, deadline=None)
@given(
    words=st.sampled_from(["45 0 * * *", "52 * * * *", "*/10 * * * *", "5 0 1 * *", "40 23 * * 5"]),
    zone=st.sampled_from(["UTC", "Asia/Seoul", "America/New_York", "Europe/Berlin"]),
    start=MOMENT,
)
def test_forwards_and_backwards_meet(words, zone, start):
    following = cron.next_after(words, zone, start)

    assert following > start
    assert cron.last_until(words, zone, following) == following
    assert cron.last_until(words, zone, following - timedelta(microseconds=1)) <= start
    assert cron.between(words, zone, start, following) == [following]


@pytest.mark.parametrize(
    ("words", "zone", "first", "last", "expected"),
    [
        ("0 9 * * *", "Asia/Seoul", "2026-03-01T00:00Z", "2026-03-02T00:00Z", ["03-02T00:00"]),
        # Clocks in New York jump from 02:00 to 03:00 on 8 March and back on 1 November 2026.
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", "2026-03-09T12:00Z", ["03-08T07:00", "03-09T06:30"]),
        ("0 2,3 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T12:00Z", ["03-08T07:00"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", "2026-11-02T12:00Z", ["11-01T05:30", "11-02T06:30"]),
        # Seen from within the second time of the repeated hour, its instant has passed.
        ("30 1 * * *", "America/New_York", "2026-11-01T05:00Z", "2026-11-01T06:10Z", ["11-01T05:30"]),
        ("50 1 * * *", "America/New_York", "2026-11-01T06:10Z", "2026-11-02T12:00Z", ["11-02T06:50"]),
        (
            "*/30 1 * * *",
            "America/New_York",
            "2026-11-01T04:45Z",
            "2026-11-01T07:45Z",
            ["11-01T05:00", "11-01T05:30", "11-01T06:00", "11-01T06:30"],
        ),
        ("30 * * * *", "America/New_York", "2026-03-08T05:45Z", "2026-03-08T08:00Z", ["03-08T06:30", "03-08T07:30"]),
        (
            "30 * * * *",
            "America/New_York",
            "2026-11-01T05:00Z",
            "2026-11-01T07:45Z",
            ["11-01T05:30", "11-01T06:30", "11-01T07:30"],
        ),
        ("0 0 13 * 5", "UTC", "2026-03-09T00:00Z", "2026-03-21T00:00Z", ["03-13T00:00", "03-20T00:00"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", "2028-03-01T00:00Z", ["02-29T00:00"]),
        ("0 0 * * 7", "UTC", "2026-03-02T00:00Z", "2026-03-09T00:00Z", ["03-08T00:00"]),
        ("45 0 * * *", "UTC", "2026-03-02T00:45Z", "2026-03-02T23:00Z", []),
    ],
)
def test_instants_in_a_zone(words, zone, first, last, expected):
    assert instants(words, zone, first, last) == expected


def test_a_long_silence_gives_a_bounded_list_with_the_newest_instant_at_its_end():
    found = cron.between("* * * * *", "UTC", START - timedelta(days=365), START, most=100)

    assert len(found) == 100
    assert found[-1] == START
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("words", "blame"),
    [
        ("* * * *", "five fields"),
        ("0 * * * * *", "five fields"),
        ("60 * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day-of-month"),
        ("* * * 13 *", "month"),
        ("* * * * 8", "day-of-week"),
        ("*/0 * * * *", "minute"),
        ("5-1 * * * *", "minute"),
        ("a * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("0 0 31 2 *", "day-of-month"),
    ],
)
def test_words_that_mean_nothing_or_never_happen_are_refused_by_name(words, blame):
    with pytest.raises(ValueError, match=blame):
        cron.next_after(words, "UTC", START)
    with pytest.raises(ValueError, match=blame):
        cron.last_until(words, "UTC", START)
