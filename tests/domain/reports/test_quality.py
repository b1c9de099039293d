"""What quality reports say: worked figures, advice in its order, and sentences that claim no more than there is."""

from dataclasses import asdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.reports import quality
from console.domain.reports.quality import Counted, summary_of

MONDAY, TUESDAY = date(2026, 2, 23), date(2026, 2, 24)


def summary(*counted, findings=0, checks=0, sent=0, delivered=0):
    return summary_of(counted, (MONDAY, TUESDAY), findings=findings, checks=checks, sent=sent, delivered=delivered)


def said(one):
    return str(quality.headline(asdict(one)))


def test_runs_are_counted_by_job_and_by_day():
    made = summary(
        Counted(MONDAY, "b", "success", 5), Counted(MONDAY, "b", "ok", 1), Counted(TUESDAY, "b", "warning", 1),
        Counted(TUESDAY, "a", "critical", 1), Counted(TUESDAY, "a", None, 1), Counted(TUESDAY, "b", "success", 2),
    )  # fmt: skip

    assert [(job.job_name, job.total, job.success, job.warning, job.critical) for job in made.jobs] == [
        ("a", 2, 0, 0, 2), ("b", 9, 8, 1, 0),
    ]  # fmt: skip
    assert [job.success_rate_percent for job in made.jobs] == [0.0, 88.89]
    assert [(day.total, day.success, day.warning, day.critical) for day in made.days] == [(6, 6, 0, 0), (5, 2, 1, 2)]
    assert (made.job_count, made.job_runs_total) == (2, 11)


def test_no_deliveries_are_no_bad_deliveries():
    made = summary()

    assert made.alert_delivery_success_rate_percent is None
    assert [one.id for one in quality.advise(made, anomalies=0, preflight_errors=0)] == ["keep_going"]
    assert said(made) == "Nothing is on record for this period."


def test_advice_stands_in_the_published_order():
    made = summary(findings=2, checks=1, sent=20, delivered=18)

    found = quality.advise(made, anomalies=3, preflight_errors=1)

    assert [one.id for one in found] == [
        "critical_findings",
        "alert_delivery",
        "security_anomalies",
        "preflight_errors",
    ]
    assert str(found[1].text) == "Check the alert channels: 90% of the alerts arrived, 95% are wanted."


@pytest.mark.parametrize(("delivered", "advised"), [(95, False), (94, True)])
def test_the_limit_of_deliveries_is_where_it_is(delivered, advised):
    found = quality.advise(summary(sent=100, delivered=delivered), anomalies=0, preflight_errors=0)
    assert ("alert_delivery" in [one.id for one in found]) is advised


def test_the_headline_names_what_has_no_data():
    made = summary(Counted(MONDAY, "a", "success", 9999), Counted(MONDAY, "a", "critical", 1))

    assert said(made) == "The daily check did not run; 99.9% of 10000 job runs succeeded; no alert was sent"


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_a_shown_rate_never_says_more_than_there_was(part, more):
    rate = quality.percent(part, part + more)
    shown = quality.shown(rate)
    assert 0 <= rate - shown < 0.1 + 1e-9
    assert shown < 100 or rate == 100
    assert shown == round(shown, 1)


def test_the_worst_job_comes_first():
    lines = [
        {"job_name": name, "critical": critical, "warning": warning}
        for name, critical, warning in (("a", 0, 9), ("b", 1, 0), ("c", 0, 9), ("d", 0, 0))
    ]
    assert [one["job_name"] for one in quality.worst_first(lines)] == ["b", "a", "c", "d"]
