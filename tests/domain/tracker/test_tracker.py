from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.text import T
from console.domain.tracker.tracker import (
    REMEDIATION,
    STATUSES,
    WEEKLY_CONDITIONS,
    CountedItem,
    Tally,
    TrackerKind,
    overview,
    percent,
    readiness,
    tally,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=4)
EARLIER = NOW - timedelta(hours=4)
WEEKLY = TrackerKind(
    key="w99",
    item_prefix="W99",
    conditions=WEEKLY_CONDITIONS,
    audit_prefix="w99_tracker",
    read=("adoption_w99:read",),
    write=("adoption_w99:write",),
    manage=("adoption_w99:write",),
    force=("admins:manage",),
    resource="adoption_w99_tracker",
    item_resource="adoption_w99_tracker_item",
    closing_resource="adoption_w99_tracker_site",
    evidence_resource="adoption_w99_evidence",
    item_not_found="W99 tracker item not found",
    evidence_not_found="W99 evidence not found",
    not_ready="W99 completion gate failed",
    invalid_status="Invalid W99 tracker status",
    evidence_words=(T("Sandbox scenario"),),
)

items = st.builds(
    CountedItem,
    status=st.sampled_from(STATUSES),
    completion_checked=st.booleans(),
    assignee=st.sampled_from([None, "", "  ", "kim", "lee"]),
    rule_status=st.sampled_from(["fail", "warning"]),
    required=st.booleans(),
    due_at=st.sampled_from([None, EARLIER, NOW, LATER]),
    is_active=st.booleans(),
    evidence_required=st.booleans(),
    evidence_count=st.integers(0, 2),
)


def open_item(**values):
    return CountedItem(**{"due_at": LATER, **values})


def done_item(**values):
    return CountedItem(**{"status": "done", "completion_checked": True, "due_at": LATER, **values})


def check(items, programme=REMEDIATION, *, synced=True):
    return readiness(programme, tally(items, NOW), NOW, synced=synced)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (1, 8, 12),
        (3, 8, 38),
        (5, 8, 62),
        (7, 8, 88),
        (1, 3, 33),
        (2, 3, 67),
        (0, 5, 0),
        (5, 5, 100),
        (1, 200, 0),
        (3, 200, 2),
    ],
)
def test_percentages_round_half_to_even(part, whole, expected):
    assert percent(part, whole) == expected


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_percentages_agree_with_pythons_own_rounding_of_exact_fractions(part, whole):
    from fractions import Fraction

    assert percent(part, whole) == round(Fraction(100 * part, whole))


def test_five_fresh_items_score_57_with_three_blockers():
    state = check([open_item() for _ in range(5)])

    assert (state.readiness_score_percent, state.ready) == (57, False)
    assert state.blocker_codes == ("pending", "missing_assignee", "missing_completion_checked")
    assert [str(text) for text in state.blockers] == ["Waiting: 5", "Without assignee: 5", "Completion not checked: 5"]


def test_all_done_but_nobody_assigned_is_capped_at_99():
    state = check([done_item() for _ in range(5)])

    assert (state.completion_rate_percent, state.readiness_score_percent, state.ready) == (100, 99, False)
    assert state.blocker_codes == ("missing_assignee",)


def test_everything_done_and_assigned_is_ready():
    state = check([done_item(assignee="kim") for _ in range(3)])

    assert (state.readiness_score_percent, state.ready, state.blockers, state.blocker_codes) == (100, True, (), ())


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"status": "pending"}, ("pending", "missing_completion_checked")),
        ({"status": "in_progress"}, ("in_progress", "missing_completion_checked")),
        ({"status": "blocked"}, ("blocked", "missing_completion_checked")),
        ({"status": "pending", "rule_status": "fail"}, ("pending", "missing_completion_checked")),
        (
            {"status": "pending", "rule_status": "fail", "required": True},
            ("pending", "missing_completion_checked", "critical_open"),
        ),
        ({"status": "pending", "due_at": EARLIER}, ("pending", "missing_completion_checked", "overdue")),
        ({"status": "pending", "due_at": NOW}, ("pending", "missing_completion_checked")),
        ({"status": "pending", "due_at": None}, ("pending", "missing_completion_checked")),
    ],
)
def test_each_condition_blocks_in_the_order_of_the_contract(changes, codes):
    state = check([open_item(assignee="kim", **changes), done_item(assignee="kim")])

    assert state.blocker_codes == codes
    assert len(state.passed_codes) == 7 - len(codes)


@pytest.mark.parametrize(
    ("programme", "synced", "ready", "score", "codes"),
    [
        (REMEDIATION, True, True, 100, ()),
        (REMEDIATION, False, False, 0, ("never_synced",)),
        (WEEKLY, True, False, 0, ("no_items",)),
    ],
)
def test_an_empty_tracker_differs_per_programme(programme, synced, ready, score, codes):
    state = check([], programme, synced=synced)

    assert (state.ready, state.readiness_score_percent, state.blocker_codes) == (ready, score, codes)


def test_completion_rate_of_an_empty_tracker_differs_per_programme():
    rates = [overview(programme, Tally(), NOW).completion_rate_percent for programme in (REMEDIATION, WEEKLY)]

    assert rates == [100, 0]


def test_a_weekly_tracker_wants_evidence_where_its_catalogue_says_so():
    ready = [done_item(assignee="kim", evidence_required=True, evidence_count=1), done_item(assignee="lee")]
    missing = [done_item(assignee="kim", evidence_required=True)]

    assert check(ready, WEEKLY).ready
    assert check(missing, WEEKLY).blocker_codes == ("missing_required_evidence",)


def test_a_weekly_tracker_does_not_look_at_deadlines_and_rules():
    late = done_item(assignee="kim", due_at=EARLIER, rule_status="fail", required=True)

    assert check([late], WEEKLY).ready


def test_overview_counts_active_items_and_closed_ones_apart():
    state = overview(
        REMEDIATION,
        tally([open_item(due_at=EARLIER), done_item(), done_item(is_active=False)], NOW),
        NOW,
    )

    assert (state.total_items, state.active_count, state.closed_count, state.done_count) == (2, 2, 1, 1)
    assert (state.overdue_count, state.completion_rate_percent, state.missing_assignee_count) == (1, 50, 2)


@given(st.lists(items, max_size=12), st.booleans(), st.sampled_from([REMEDIATION, WEEKLY]))
def test_ready_means_no_blocker_and_only_then_the_score_is_100(some, synced, programme):
    state = check(some, programme, synced=synced)

    assert state.ready == (not state.blockers) == (state.readiness_score_percent == 100)
    assert 0 <= state.readiness_score_percent <= 100
    assert len(state.blockers) == len(state.blocker_codes) == len(state.blocker_counts)
    assert state.total_items == state.pending_count + state.in_progress_count + state.done_count + state.blocked_count


@given(st.lists(items, max_size=12))
def test_the_score_is_never_below_the_completion_rate_unless_it_is_capped(some):
    state = check(some)

    assert state.readiness_score_percent >= min(99, state.completion_rate_percent)


@given(st.lists(items, max_size=12), items)
def test_an_inactive_item_changes_nothing_but_the_closed_count(some, extra):
    from dataclasses import replace

    before = tally(some, NOW)
    after = tally([*some, replace(extra, is_active=False)], NOW)

    assert replace(after, closed=before.closed) == before
    assert after.closed == before.closed + 1
