"""The monthly review: which deploys the gate may have let through or held up (API contract, runbook review)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.runbook.evidence_checks import (
    DrillFacts,
    EvidenceFacts,
    ReportFacts,
    runbook_critical_monthly_review,
)
from console.domain.runbook.review import ReviewFacts, Smoke, review, window

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 20, tzinfo=UTC)
DAY = timedelta(days=1)


def smoke(status="success", *, passed=True, checks=(), run_id=1):
    found = [{"id": check_id, "status": word} for check_id, word in checks]
    return Smoke(run_id, status, NOW, "d", "2026.03.v1", passed, found)


def reviewed(*smokes, limit=8):
    return review(smokes, month="2026-03", bounds=(START, NOW), sample_limit=limit, lookback_days=35)


@pytest.mark.parametrize(
    ("now", "days", "bounds"),
    [
        (NOW, 35, (START, END)),
        (NOW, 10, (NOW - 10 * DAY, END)),
        # Less than a week is a week.
        (NOW, 1, (NOW - 7 * DAY, END)),
        (END + 10 * DAY, 35, (END - 25 * DAY, END)),
        # A month that lies further back than anybody looks has nothing to review.
        (END + 90 * DAY, 35, (END, END)),
        # A month to come: the look back changes nothing.
        (START - 40 * DAY, 35, (START, END)),
    ],
)
def test_a_month_is_looked_at_no_further_back_than_asked(now, days, bounds):
    assert window(START, END, now=now, lookback_days=days) == bounds


@pytest.mark.parametrize(
    ("one", "missed", "false"),
    [
        (smoke("warning", checks=[("ui", "warning")]), 1, 0),
        (smoke("critical", checks=[("ui", "critical")]), 1, 0),
        # The run is fine: whatever a check said was settled.
        (smoke("success", checks=[("ui", "warning")]), 0, 0),
        (smoke("warning"), 0, 0),
        (smoke("critical", passed=False), 0, 1),
        (smoke("success", passed=False), 0, 1),
        # What the gate itself says is no problem beside it, nor is that the walk broke off.
        (smoke("critical", passed=False, checks=[("runbook_gate", "critical")]), 0, 1),
        (smoke("critical", passed=False, checks=[("runbook_checks", "critical"), ("fatal", "critical")]), 0, 1),
        (smoke("warning", checks=[("runbook_gate", "warning")]), 0, 0),
        (smoke("critical", passed=False, checks=[("ui", "critical")]), 0, 0),
        (smoke("warning", checks=[("ui", "skipped"), ("api", "ok"), ("db", "unknown")]), 0, 0),
    ],
)
def test_a_deploy_is_a_miss_a_false_alarm_or_neither(one, missed, false):
    found = reviewed(one)
    assert (found.false_negative_candidate_count, found.false_positive_candidate_count) == (missed, false)
    assert (found.deploy_smoke_count, found.candidate_count) == (1, missed + false)


words = st.sampled_from(["ok", "warning", "critical", "skipped", "unknown"])
ids = st.sampled_from(["ui", "api", "runbook_gate", "runbook_checks", "fatal"])
smokes = st.builds(
    smoke,
    st.sampled_from(["success", "warning", "critical"]),
    passed=st.booleans(),
    checks=st.lists(st.tuples(ids, words), max_size=4),
)


@given(st.lists(smokes, max_size=12), st.integers(1, 4))
def test_counts_are_of_all_lists_are_cut_and_nothing_is_both(many, limit):
    found = reviewed(*many, limit=limit)
    missed, false = found.false_negative_candidate_count, found.false_positive_candidate_count

    assert found.deploy_smoke_count == len(many)
    assert found.candidate_count == missed + false <= len(many)
    assert len(found.false_negative_candidates) == min(limit, missed)
    assert len(found.false_positive_candidates) == min(limit, false)
    assert all(one.runbook_gate_passed and one.problem_check_ids for one in found.false_negative_candidates)
    assert not any(one.runbook_gate_passed or one.problem_check_ids for one in found.false_positive_candidates)


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (ReviewFacts("2026-03"), "ok"),
        (ReviewFacts("2026-03", smoke_count=2), "warning"),
        (ReviewFacts("2026-03", smoke_count=2, latest_at=NOW, run_id=7), "ok"),
    ],
)
def test_the_check_wants_a_review_where_there_were_deploys(facts, status):
    evidence = EvidenceFacts(ReportFacts(NOW, streak=None), DrillFacts(NOW), facts)
    found = runbook_critical_monthly_review(evidence)
    assert found.status == status
    assert list(found.fields) == [
        *("month", "review_completed", "latest_review_at", "latest_run_id", "deploy_smoke_count"),
        *("false_positive_candidate_count", "false_negative_candidate_count"),
    ]
