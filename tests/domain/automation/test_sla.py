from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.automation.sla import (
    CRITICAL_LATE,
    DUE_SOON,
    LATE,
    NONE,
    EscalationPolicy,
    Watched,
    effective_minutes,
    escalation,
    level_of,
    minutes_until,
    run_status,
    sentence,
)

NOW = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
POLICY = EscalationPolicy(due_soon_hours=12, half_sla=True, repeat_hours=4)


def hours(number):
    return timedelta(hours=number)


def watched(due_in, *, sla_hours=24, critical=False, level=NONE, told=None, moved=0):
    """Return an item due in so many hours, told so many hours ago; its deadline was moved by `moved` hours since."""
    due_at = None if due_in is None else NOW + hours(due_in)
    told_at = None if told is None else NOW - hours(told)
    told_due_at = None if told is None else due_at - hours(moved)
    return Watched(1, due_at, sla_hours, critical, level, told_at, told_due_at)


@pytest.mark.parametrize(
    ("item", "policy", "level"),
    [
        (watched(None), POLICY, NONE),
        (watched(12.01), POLICY, NONE),
        (watched(12), POLICY, DUE_SOON),
        (watched(0), POLICY, DUE_SOON),
        (watched(-0.001), POLICY, LATE),
        (watched(-1, critical=True), POLICY, CRITICAL_LATE),
        (watched(1, critical=True), POLICY, DUE_SOON),
        # Half of a short SLA is shorter than the window: a critical rule is not late at birth.
        (watched(4, sla_hours=4, critical=True), POLICY, NONE),
        (watched(2, sla_hours=4), POLICY, DUE_SOON),
        (watched(4, sla_hours=4), replace(POLICY, half_sla=False), DUE_SOON),
        # Zero hours mean overdue only.
        (watched(0), replace(POLICY, due_soon_hours=0), NONE),
        (watched(-0.001), replace(POLICY, due_soon_hours=0), LATE),
        # A broken SLA is read as one hour.
        (watched(0.5, sla_hours=0), POLICY, DUE_SOON),
        (watched(0.51, sla_hours=0), POLICY, NONE),
    ],
)
def test_the_step_at_which_an_item_stands(item, policy, level):
    assert level_of(item, NOW, policy) == level


@pytest.mark.parametrize(
    ("item", "send", "rule"),
    [
        (watched(30), False, "not_due"),
        (watched(None), False, "no_deadline"),
        (watched(3), True, "step"),
        (watched(3, level=DUE_SOON, told=1), False, "told"),
        (watched(3, level=DUE_SOON, told=4), True, "repeat"),
        (watched(-1, level=DUE_SOON, told=1), True, "step"),
        (watched(-1, level=LATE, told=1), False, "told"),
        (watched(-1, critical=True, level=LATE, told=0.1), True, "step"),
        # Less bad than what people know: nothing new to say.
        (watched(-1, level=CRITICAL_LATE, told=1), False, "told"),
        # An hourly run that starts some seconds early does not miss its hour.
        (watched(-1, level=LATE, told=3.95), True, "repeat"),
        (watched(-1, level=LATE, told=3.9), False, "told"),
        # What was told about another deadline does not count: it moved, or the item was reopened.
        (watched(-1, level=LATE, told=2, moved=1), True, "step"),
        (watched(-1, level=LATE, told=2, moved=-9), True, "step"),
        # Nor what was told in the future, by a clock that was set back.
        (watched(-1, level=LATE, told=-24), True, "step"),
        (watched(-1, level=LATE, told=-0.05), False, "told"),
    ],
)
def test_people_are_told_on_a_step_and_after_the_interval(item, send, rule):
    decided = escalation(item, NOW, POLICY)

    assert (decided.send, decided.rule) == (send, rule)
    assert decided.candidate == (decided.level > NONE)


def test_without_an_interval_each_level_is_told_once():
    item = watched(-1, level=LATE, told=60)

    assert escalation(item, NOW, replace(POLICY, repeat_hours=0)).rule == "told"


def test_an_item_is_named_in_few_messages_a_day():
    item = watched(6)
    sent = []
    for quarter in range(24 * 4):
        now = NOW + timedelta(minutes=15 * quarter, seconds=quarter % 7)
        decided = escalation(item, now, POLICY)
        if decided.send:
            sent.append(decided.level)
            item = replace(item, level=decided.level, told_at=now, told_due_at=item.due_at)

    assert sent == [DUE_SOON, DUE_SOON, LATE, LATE, LATE, LATE, LATE]


items = st.builds(
    lambda due, sla, critical, level, told, moved: Watched(
        1,
        None if due is None else NOW + timedelta(minutes=due),
        sla,
        critical,
        level,
        None if told is None else NOW - timedelta(minutes=told),
        None if due is None or told is None else NOW + timedelta(minutes=due + moved),
    ),
    st.none() | st.integers(-5000, 5000),
    st.integers(0, 200),
    st.booleans(),
    st.integers(0, 3),
    st.none() | st.integers(-10, 6000),
    st.sampled_from([0, 0, 0, 60, -60]),
)
policies = st.builds(EscalationPolicy, st.integers(0, 168), st.booleans(), st.integers(0, 168))


@given(items, policies)
def test_nobody_is_told_twice_in_the_same_moment(item, policy):
    first = escalation(item, NOW, policy)
    if first.send:
        item = replace(item, level=first.level, told_at=NOW, told_due_at=item.due_at)

    assert not escalation(item, NOW, policy).send


@given(items, policies, st.integers(0, 3000))
def test_an_open_item_never_gets_better_by_waiting(item, policy, minutes):
    assert level_of(item, NOW + timedelta(minutes=minutes), policy) >= level_of(item, NOW, policy)


@given(items, policies)
def test_an_item_is_never_due_soon_in_the_first_half_of_its_time(item, policy):
    fresh = replace(item, due_at=NOW + hours(max(item.sla_hours, 1)))
    half = replace(policy, half_sla=True)

    assert level_of(fresh, NOW, half) == NONE
    assert effective_minutes(item.sla_hours, half) <= half.due_soon_hours * 60


@given(items, policies)
def test_every_decision_has_its_sentence(item, policy):
    decided = escalation(item, NOW, policy)
    minutes = 0 if item.due_at is None else minutes_until(item.due_at, NOW)

    assert "%" not in str(sentence(decided.rule, decided.level, minutes=minutes, repeat_hours=policy.repeat_hours))


@pytest.mark.parametrize(
    ("candidates", "critical", "failed", "status"),
    [
        (0, 0, False, "success"),
        (2, 1, False, "critical"),
        (2, 0, False, "warning"),
        (0, 0, True, "warning"),
    ],
)
def test_the_status_of_a_run(candidates, critical, failed, status):
    assert run_status(candidates=candidates, critical=critical, failed=failed) == status


def test_minutes_until_a_deadline_are_negative_when_it_has_passed():
    assert minutes_until(NOW + timedelta(minutes=90, seconds=59), NOW) == 90
    assert minutes_until(NOW - timedelta(minutes=90, seconds=59), NOW) == -90
