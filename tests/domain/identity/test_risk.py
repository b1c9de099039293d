"""Worked numbers of the risk score, its anomalies and the business night."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.identity import risk as security
from console.domain.identity.risk import RiskNumbers

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("changes", "score", "level"),
    [
        ({}, 0, "low"),
        ({"failed_or_warning": 3}, 6, "low"),
        ({"failed_or_warning": 13}, 25, "low"),  # 26 is cut at 25
        ({"off_hours_total": 8}, 15, "low"),
        ({"expiring_7d": 7, "rotate_overdue": 7}, 40, "medium"),
        ({"active_users_without_token": 9, "dormant_30d": 9}, 20, "low"),
        ({"non_owner_wildcard_tokens": 1}, 20, "low"),
        ({"non_owner_wildcard_tokens": 3}, 40, "medium"),
        ({"non_owner_wildcard_tokens": 2, "expiring_7d": 7}, 60, "high"),
        ({"non_owner_wildcard_tokens": 2, "expiring_7d": 7, "rotate_overdue": 7}, 80, "critical"),
        ({name.name: 1000 for name in security.RISK_TERMS}, 100, "critical"),
    ],
)
def test_the_score_adds_capped_terms(changes, score, level):
    assert security.risk(RiskNumbers(**changes)) == security.Risk(score, level)


@given(st.builds(RiskNumbers, *[st.integers(0, 10_000)] * 7))
def test_the_score_stays_within_0_and_100_and_equals_its_terms(numbers):
    risk = security.risk(numbers)

    assert 0 <= risk.score <= 100
    assert risk.score == min(100, sum(security.risk_points(numbers).values()))


def test_the_highest_score_of_each_level_is_just_below_the_next():
    assert [security.highest_score(level) for level in security.RISK_LEVELS] == [29, 59, 79, 100]
    assert security.rank("nonsense") == security.rank("high")


@pytest.mark.parametrize(
    ("numbers", "more", "days", "expected"),
    [
        (RiskNumbers(failed_or_warning=9), {}, 5, []),
        (RiskNumbers(failed_or_warning=10), {}, 5, [("failed_actions_spike", 10, "warning")]),
        (RiskNumbers(failed_or_warning=29), {}, 30, []),
        (RiskNumbers(), {"sensitive_total": 60}, 30, [("sensitive_action_volume", 60, "warning")]),
        (RiskNumbers(off_hours_total=15), {}, 31, [("off_hours_activity", 15, "warning")]),
        (RiskNumbers(off_hours_total=4), {}, 1, []),
        (RiskNumbers(expiring_7d=1), {}, 30, [("token_expiring_soon", 0, "warning")]),
        (RiskNumbers(), {"stale_14d": 1}, 30, [("stale_token_usage", 0, "warning")]),
        (RiskNumbers(rotate_overdue=1), {}, 30, [("token_rotate_overdue", 0, "warning")]),
        (RiskNumbers(active_users_without_token=1), {}, 30, [("users_without_active_token", 0, "warning")]),
        (RiskNumbers(dormant_30d=1), {}, 30, [("dormant_tokens", 0, "warning")]),
        (RiskNumbers(non_owner_wildcard_tokens=1), {}, 30, [("token_wildcard_scope_non_owner", 0, "critical")]),
    ],
)
def test_an_anomaly_fires_at_its_threshold(numbers, more, days, expected):
    found = security.anomalies(numbers, **{"sensitive_total": 0, "stale_14d": 0, **more}, days=days)

    assert [(a.id, a.threshold, a.status) for a in found] == expected


def test_all_anomalies_stand_in_the_published_order():
    numbers = RiskNumbers(*[1000] * 7)

    found = security.anomalies(numbers, sensitive_total=1000, stale_14d=1000, days=30)

    assert [a.id for a in found] == [
        "failed_actions_spike",
        "sensitive_action_volume",
        "off_hours_activity",
        "token_expiring_soon",
        "stale_token_usage",
        "token_rotate_overdue",
        "users_without_active_token",
        "dormant_tokens",
        "token_wildcard_scope_non_owner",
    ]
    assert len({str(a.recommendation) for a in found}) == len(found)
    assert security.overall(found, "low") == "critical"
    assert security.overall(found[:1], "medium") == "warning"
    assert security.overall((), "critical") == "critical"
    assert security.overall((), "high") == "ok"


@pytest.mark.parametrize(
    ("utc", "night"),
    [
        ("2026-03-02T00:30", False),  # 09:30 in Seoul: the working morning
        ("2026-03-02T06:00", False),  # 15:00
        ("2026-03-02T13:00", True),  # 22:00
        ("2026-03-02T12:59", False),
        ("2026-03-02T20:59", True),  # 05:59
        ("2026-03-02T21:00", False),  # 06:00
    ],
)
def test_off_hours_are_those_of_the_business_zone(utc, night):
    assert security.is_off_hours(datetime.fromisoformat(utc).replace(tzinfo=UTC), SEOUL) is night


@given(
    st.integers(0, 730 * 86400).map(lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.integers(1, 90),
    st.integers(0, 90 * 24 * 3600),
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_the_night_ranges_agree_with_the_clock_on_the_wall(start, days, seconds, zone):
    zone = ZoneInfo(zone)
    end = start + timedelta(days=days)
    at = start + timedelta(seconds=seconds % (days * 86400))

    nights = list(security.off_hours(start, end, zone))

    assert any(begin <= at < until for begin, until in nights) is security.is_off_hours(at, zone)
    assert all(start <= begin < until <= end for begin, until in nights)
