"""The published algorithm of the time to recovery, with its worked example (API contract, MTTR)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.domain.alerts.incidents import Incident, window
from console.domain.alerts.slo import SloPolicy, breach, cooldown, told_error

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def ago(**parts):
    return NOW - timedelta(**parts)


SEEDS = [
    Incident("A", "a", ago(days=10), ago(days=9)),
    Incident("A", "a", ago(days=2), ago(days=2) + timedelta(hours=4)),
    Incident("B", "b", ago(days=3)),
    Incident("C", "c", ago(days=1)),
]


def test_the_published_example():
    week, month = window(SEEDS, days=7, now=NOW).figures, window(SEEDS, days=30, now=NOW)

    assert (week.incident_count, week.recovered_incidents, week.unresolved_incidents, week.mttr_minutes) == (
        *(3, 1, 2),
        240.0,
    )
    seen = month.figures
    assert (seen.incident_count, seen.recovered_incidents, seen.unresolved_incidents) == (4, 2, 2)
    assert (seen.mttr_minutes, seen.median_recovery_minutes, seen.longest_recovery_minutes) == (840.0, 840.0, 1440.0)
    assert [(one.channel, one.figures.mttr_minutes) for one in month.channels] == [("B", None), ("C", None), ("A", 840)]


def test_one_that_was_open_when_the_window_began_counts_from_there():
    found = window([Incident("A", "a", ago(days=20), ago(days=6))], days=7, now=NOW)

    assert (found.figures.incident_count, found.figures.mttr_minutes) == (1, 1440.0)
    assert found.channels[0].last_incident_start == ago(days=7)


def test_nothing_has_no_mean():
    found = window([Incident("A", "a", ago(days=20), ago(days=19))], days=7, now=NOW)

    assert (found.figures.incident_count, found.figures.mttr_minutes, found.channels) == (0, None, ())
    assert found.figures.mean_with_open_minutes is None


_instants = st.integers(0, 60 * 24 * 40).map(lambda minutes: NOW - timedelta(minutes=minutes))


@given(st.lists(st.tuples(_instants, st.none() | _instants), max_size=30))
def test_every_incident_is_recovered_or_open_and_no_figure_leaves_the_window(drawn):
    seeds = [Incident(str(n % 3), "t", min(a, b or a), b and max(a, b)) for n, (a, b) in enumerate(drawn)]
    found = window(seeds, days=7, now=NOW)
    seen = found.figures

    assert seen.incident_count == seen.recovered_incidents + seen.unresolved_incidents
    assert seen.incident_count == sum(one.figures.incident_count for one in found.channels)
    most = 7 * 24 * 60
    for value in (seen.mttr_minutes, seen.median_recovery_minutes, seen.longest_recovery_minutes):
        assert value is None or 0 <= value <= most
    assert (seen.mttr_minutes is None) == (seen.recovered_incidents == 0)


def judged(incidents, channel_count=9, **policy):
    return breach(SloPolicy(**policy), window(incidents, days=30, now=NOW), channel_count=channel_count)


def test_a_breach_is_strictly_above_the_threshold_and_wants_enough_incidents():
    seeds = [Incident("A", "a", ago(days=1), ago(days=1) + timedelta(hours=2)), Incident("B", "b", ago(minutes=1))]

    assert judged(seeds, threshold_minutes=30, min_incidents=1) == "mttr"
    assert judged(seeds, threshold_minutes=120, min_incidents=1) is None
    assert judged(seeds, threshold_minutes=30, min_incidents=3) is None
    assert judged(seeds, threshold_minutes=30, min_incidents=1, enabled=False) is None


def test_what_never_recovers_is_a_breach_by_its_age():
    seeds = [Incident("A", "a", ago(hours=9))]

    assert judged(seeds, min_incidents=1) == "open"
    assert judged(seeds) is None
    assert judged(seeds, channel_count=1) == "outage"
    assert judged([], channel_count=0) is None
    assert judged([Incident("A", "a", ago(minutes=44))], channel_count=1) is None


def test_the_cooldown_runs_from_the_last_message():
    assert cooldown(None, 120, NOW).active is False
    assert (cooldown(ago(minutes=119), 120, NOW).active, cooldown(ago(minutes=119), 120, NOW).remaining_minutes) == (
        *(True,),
        1,
    )
    assert cooldown(ago(minutes=120), 120, NOW).active is False
    assert cooldown(ago(minutes=0), 0, NOW).active is False


def test_the_published_words_about_who_was_told():
    assert told_error(2, 2) is None
    assert told_error(1, 3) == "2/3 alert channels failed"
    assert told_error(0, 3) == "all alert channels failed"
    assert told_error(0, 0) == "no_targets"
