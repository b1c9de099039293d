"""The daily check: when it alerts, what its run is called, and what it says of its files."""

import pytest

from console.domain.runbook import daily
from console.domain.runbook.daily import NO_TARGETS


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("off", "off"), ("NONE", "off"), ("disabled", "off"), ("warning", "warning"), ("Warn", "warning"),
        ("critical", "critical"), ("crit", "critical"), ("hugo", "critical"), ("", "critical"),
        ("always", "always"), ("all", "always"), (" ok ", "always"),
    ],
)  # fmt: skip
def test_levels_are_read_in_any_case_and_a_typo_is_not_silent(word, level):
    assert daily.alert_level(word) == level


@pytest.mark.parametrize(
    ("level", "due"),
    [("off", ""), ("critical", "critical"), ("warning", "warning critical"), ("always", "ok warning critical")],
)
def test_a_level_says_which_results_are_told(level, due):
    assert [word for word in ("ok", "warning", "critical") if daily.alert_is_due(level, word)] == due.split()


@pytest.mark.parametrize(
    ("overall", "error", "status"),
    [
        ("ok", None, "success"), ("ok", NO_TARGETS, "warning"), ("warning", None, "warning"),
        ("critical", None, "critical"), ("critical", NO_TARGETS, "critical"),
    ],
)  # fmt: skip
def test_an_alert_that_was_not_told_makes_a_success_a_warning(overall, error, status):
    assert daily.run_status(overall, error) == status


def test_no_channel_is_an_error():
    told = daily.outcome("critical", {})

    assert (told.attempted, told.dispatched, told.error, told.channels) == (True, False, NO_TARGETS, ())


def test_some_receivers_that_refused_are_named_beside_the_success():
    told = daily.outcome("critical", {1: ("https://a/…", True, None), 2: ("https://b/…", False, "returned 500")})

    assert (told.dispatched, told.error) == (True, "https://b/…: returned 500")
    assert told.channels[1] == {"target": "https://b/…", "success": False, "error": "returned 500"}


def test_an_alert_that_is_still_under_way_is_neither_told_nor_failed():
    told = daily.outcome("critical", {1: ("https://a/…", False, None)})

    assert (told.attempted, told.dispatched, told.error) == (True, False, None)


def test_the_worst_word_stands_for_the_files_of_a_check():
    assert daily.archive_state(("intact", "changed")) == "changed"
    assert daily.archive_state(("pruned", "intact")) == "pruned"
    assert daily.archive_state(()) == "none"


def test_the_csv_form_has_the_run_then_its_checks():
    made = daily.summary(
        {"run_id": 7, "trigger": "cron", "status": "success"},
        {"overall_status": "ok", "check_count": 1, "checks": [{"id": "a", "status": "ok", "message": "fine", "x": 1}]},
        None,
    )

    rows = list(daily.csv_rows(made))
    assert [len(row) for row in rows] == [12, 12, 0, 3, 3]
    assert rows[1][:6] == (7, None, "cron", "success", "ok", 1)
    assert rows[4] == ("a", "ok", "fine")
