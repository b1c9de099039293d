"""The council's report: when it is closed, what it says, how versions differ, and what people may write."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from console.domain.errors import BadRequest, Conflict, Invalid
from console.domain.reports import council, monthly, periods

SEOUL, LISBON = ZoneInfo("Asia/Seoul"), ZoneInfo("Europe/Lisbon")
NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_month_is_closed_in_the_morning_of_the_chosen_day_at_the_site():
    assert council.freezes_at(periods.month_named("2026-02", SEOUL), 3) == datetime(2026, 3, 3, 0, tzinfo=UTC)
    # The clocks went forward on the 29th of March.
    assert council.freezes_at(periods.month_named("2026-02", LISBON), 28) == datetime(2026, 3, 28, 9, tzinfo=UTC)
    assert council.freezes_at(periods.month_named("2026-03", LISBON), 1) == datetime(2026, 4, 1, 8, tzinfo=UTC)
    assert council.freezes_at(periods.month_named("2026-12", SEOUL), 1) == datetime(2027, 1, 1, 0, tzinfo=UTC)


def test_a_month_with_a_change_of_clocks_has_all_its_days_once():
    march = periods.month_named("2026-03", LISBON)
    pieces = list(march.pieces())

    assert len(pieces) == 31
    assert sum((until - start).total_seconds() for _day, start, until in pieces) == (31 * 24 - 1) * 3600
    assert monthly.following(march).label == "2026-04"
    assert monthly.before(periods.month_named("2026-01", SEOUL)).label == "2025-12"


@pytest.mark.parametrize(
    ("text", "error"), [("2026-13", BadRequest), ("2026-00", BadRequest), ("2026-04", Invalid), ("2026-03", None)]
)
def test_what_is_no_month_and_what_has_not_begun_is_told_apart(text, error):
    if error is None:
        assert monthly.month_of(text, SEOUL, NOW).label == text
        return
    with pytest.raises(error):
        monthly.month_of(text, SEOUL, NOW)


def test_the_month_under_way_is_that_of_the_site():
    edge = datetime(2026, 2, 28, 15, tzinfo=UTC)
    assert monthly.month_of(None, SEOUL, edge).label == "2026-03"
    assert monthly.month_of(None, LISBON, edge).label == "2026-02"


def test_a_month_has_the_state_of_its_newest_version():
    february, march = (periods.month_named(f"2026-0{number}", SEOUL) for number in (2, 3))
    assert council.state_of(march, NOW, None) == council.OPEN
    assert council.state_of(february, NOW, None) == council.DRAFT
    assert council.state_of(march, NOW, council.DRAFT) == council.DRAFT
    assert council.state_of(february, NOW, council.FROZEN) == council.FROZEN
    council.check_over(february, NOW)
    with pytest.raises(Conflict):
        council.check_over(march, NOW)


def test_no_due_date_is_no_rate():
    assert council.on_time(0, 0)["rate_percent"] is None
    assert council.on_time(55, 62) == {"kept": 55, "counted": 62, "rate_percent": 88.7}


def test_sentences_are_kept_without_blanks_and_within_bounds():
    assert council.written({"ko": [" a \n b ", ""]}) == {"ko": ["a b"], "en": []}
    assert council.written({"en": ["x" * 300] * 3})["en"] == ["x" * 300] * 3
    for lines in (["x" * 301], ["x"] * 4):
        with pytest.raises(Invalid):
            council.written({"en": lines})


def document(**values):
    figures = {"received": 3, "completed": 2, "left_open": 1, "canceled": 0, "inspections": 1, "danger": 0}
    made = {
        "figures": {**figures, "warning": 0, "on_time": council.on_time(1, 2)},
        "work_orders": {"escalated_count": 0, "overdue_open_count": 0, "avg_resolution_hours": None},
        "open": {"total": 1, "rows": []},
        "trades": [{"trade": "fire", "received": 1, "completed": 1}],
        "faults": [],
        "sentences": {"ko": ["하나"], "en": ["One"]},
    }
    return {**made, **values}


def test_versions_that_say_the_same_have_no_differences():
    assert council.differences(document(), document()) == []


def test_differences_name_figures_trades_sentences_and_failures():
    later = document(
        trades=[{"trade": "electric", "received": 2, "completed": 1}],
        sentences={"ko": ["둘"], "en": ["One"]},
        faults=[{"ids": [3, 4]}],
        open={"total": 0, "rows": []},
    )
    found = {one["key"]: (one["old"], one["new"]) for one in council.differences(document(), later)}

    assert found == {
        "open.total": (1, 0),
        "trades.electric.received": (0, 2),
        "trades.electric.completed": (0, 1),
        "trades.fire.received": (1, 0),
        "sentences.ko": ("하나", "둘"),
        "faults": ("", "#3, #4"),
    }


def test_stored_figures_come_back_in_the_published_order():
    stored = {"total": 3, "risk_counts": {"danger": 1, "normal": 2, "warning": 0}, "top_risk_flags": {"b": 1, "a": 2}}
    found = monthly.inspections_of(stored)

    assert list(found.risk_counts) == ["normal", "warning", "danger"]
    assert list(found.top_risk_flags) == ["a", "b"]
