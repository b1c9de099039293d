from datetime import UTC, datetime, timedelta

import pytest

from console.domain import durations

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "due now"),
        (12, "12 min left"),
        (60, "1 h left"),
        (134, "2 h 14 min left"),
        (180, "3 h left"),
        (419, "6 h left"),
        (23 * 60 + 59, "23 h left"),
        (24 * 60, "1 d left"),
        (-24, "24 min late"),
        (-72, "1 h 12 min late"),
        (-300, "5 h late"),
        (-3 * 1440 - 5, "3 d late"),
    ],
)
def test_a_countdown_says_no_more_than_matters(minutes, said):
    assert str(durations.countdown(NOW + timedelta(minutes=minutes), NOW)) == said


@pytest.mark.parametrize(("minutes", "tone"), [(-1, "late"), (0, "soon"), (720, "soon"), (721, "wait")])
def test_the_hue_follows_the_window(minutes, tone):
    assert durations.tone(NOW + timedelta(minutes=minutes), NOW, 12) == tone


def test_what_is_past_reads_as_ago_and_what_is_to_come_as_left():
    assert str(durations.ago(NOW - timedelta(minutes=5), NOW)) == "5 min ago"
    assert str(durations.ago(NOW + timedelta(minutes=5), NOW)) == "5 min left"
    assert str(durations.length(timedelta(seconds=20))) == "under 1 min"


@pytest.mark.parametrize(("at", "percent"), [(-5, 0), (0, 0), (30, 50), (59, 98), (60, 100), (90, 100)])
def test_the_time_until_a_due_date_is_used_up_in_percent(at, percent):
    minutes = [NOW + timedelta(minutes=number) for number in (0, 60, at)]

    assert durations.used(*minutes) == percent
