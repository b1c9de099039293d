"""Times typed in a zone: one instant, or a sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.local_time import LocalTimeError, instant_of, typed_time

SEOUL, NEW_YORK = ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 2, tzinfo=UTC)
ZONES = sorted(name for name in available_timezones() if "/" in name)


def test_a_typed_time_is_read_in_its_zone() -> None:
    typed = typed_time("2026-03-09T18:00")
    assert instant_of(typed, SEOUL, NOW) == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert instant_of(typed, NEW_YORK, NOW) == datetime(2026, 3, 9, 22, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T08:00", "9999-12-31T23:59", "2016-02-20T00:00", "2036-03-20T00:00"])
def test_ten_years_are_enough(text: str) -> None:
    for zone in (SEOUL, NEW_YORK, ZoneInfo("Pacific/Kiritimati")):
        with pytest.raises(LocalTimeError) as refused:
            instant_of(typed_time(text), zone, NOW)
        assert "ten years" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-02-30T08:00",
        "2026-03-09T18:00+09:00",
        "2026-03-09",
        "2026-W10-1T08:00",
        "٢٠٢٦-03-09T18:00",
    ],
)
def test_what_is_no_local_time_is_refused(text: str) -> None:
    with pytest.raises(LocalTimeError):
        typed_time(text)


def test_clock_changes_are_said() -> None:
    with pytest.raises(LocalTimeError, match="no 02:30 on that day: the clocks of America/New_York are put forward"):
        instant_of(typed_time("2026-03-08T02:30"), NEW_YORK, NOW)
    with pytest.raises(LocalTimeError, match="01:30 comes twice on that day: the clocks of America/New_York"):
        instant_of(typed_time("2026-11-01T01:30"), NEW_YORK, NOW)
    assert instant_of(typed_time("2026-03-08T03:00"), NEW_YORK, NOW) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert instant_of(typed_time("2026-11-01T02:00"), NEW_YORK, NOW) == datetime(2026, 11, 1, 7, tzinfo=UTC)


@given(st.datetimes(), st.sampled_from(ZONES))
def test_what_is_taken_reads_back_as_it_was_typed(typed: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    try:
        instant = instant_of(typed, zone, NOW)
    except LocalTimeError:
        return
    assert instant.astimezone(zone).replace(tzinfo=None) == typed
    assert abs(instant - NOW) < timedelta(days=3662)
