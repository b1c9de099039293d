"""Quiet hours on the clock of a zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.alerts.quiet import DAY, Quiet

NIGHT = Quiet(22 * 60, 7 * 60, frozenset(range(7)), "Asia/Seoul")
WEEKEND_NOON = Quiet(12 * 60, 13 * 60, frozenset({5, 6}), "Asia/Seoul")


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        # Seoul is nine hours ahead: 13:00 UTC is 22:00 there.
        (NIGHT, "2026-03-02T12:59:59", None),
        (NIGHT, "2026-03-02T13:00:00", "2026-03-02T22:00:00"),
        (NIGHT, "2026-03-02T21:59:59", "2026-03-02T22:00:00"),
        (NIGHT, "2026-03-02T22:00:00", None),
        # Saturday the 7th, and the Friday before.
        (WEEKEND_NOON, "2026-03-07T03:30:00", "2026-03-07T04:00:00"),
        (WEEKEND_NOON, "2026-03-06T03:30:00", None),
        # Begun on Friday evening alone: Saturday morning is quiet, Sunday morning is not.
        (Quiet(22 * 60, 7 * 60, frozenset({4}), "Asia/Seoul"), "2026-03-06T20:00:00", "2026-03-06T22:00:00"),
        (Quiet(22 * 60, 7 * 60, frozenset({4}), "Asia/Seoul"), "2026-03-07T20:00:00", None),
        # The night in which clocks go forward is an hour shorter.
        (Quiet(22 * 60, 7 * 60, frozenset(range(7)), "Europe/Berlin"), "2026-03-28T22:00:00", "2026-03-29T05:00:00"),
    ],
)
def test_when_quiet_hours_end(quiet, at, until):
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert quiet.until(moment) == (None if until is None else datetime.fromisoformat(until).replace(tzinfo=UTC))


@given(
    st.integers(0, DAY - 1),
    st.integers(0, DAY - 1),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
)
def test_quiet_hours_end_within_a_day_and_then_are_over(start, end, days, zone, at):
    if start == end:
        return
    quiet = Quiet(start, end, days, zone)
    until = quiet.until(at)
    if until is not None:
        assert at < until <= at + timedelta(hours=25)
        assert quiet.until(until) is None
