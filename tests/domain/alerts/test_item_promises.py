"""What had to be told about an item: worked examples, and random histories in which every promise was kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.domain.alerts.item_promises import Item, ItemEvent, ItemState, Span, judge, rewound
from console.domain.automation import sla
from console.domain.automation.sla import EscalationPolicy, Watched

NOW = datetime(2026, 3, 20, 0, 35, tzinfo=UTC)
SINCE = NOW - timedelta(days=14)
HOUR = timedelta(hours=1)
POLICY = EscalationPolicy(12, True, 4)
ALWAYS = [Span(SINCE, NOW, POLICY)]
OPEN = ItemState(True, "in_progress", NOW - timedelta(days=1), False, "warning")


def item(state=OPEN, *events, opened_at=NOW - timedelta(days=3), sla_hours=24):
    opened = ItemEvent(opened_at, "opened", {}, {"due_at": None})
    return Item(7, "본관", sla_hours, opened_at, state, sorted((opened, *events), key=lambda one: one.at))


def told(at, level):
    return ItemEvent(at, "escalated", level=level)


def found(*events, state=OPEN, spans=ALWAYS):
    made = judge(item(state, *events), spans, SINCE, NOW)
    return [one.label for one in made.findings]


def every_four_hours(start, level):
    return [told(start + 4 * HOUR * number, level) for number in range(7) if start + 4 * HOUR * number < NOW]


def test_an_item_that_nobody_was_told_about_lacks_a_warning_and_a_step():
    made = judge(item(), ALWAYS, SINCE, NOW)

    assert [(one.label, one.detail["level"]) for one in made.findings] == [
        ("lost_escalation", sla.DUE_SOON),
        ("lost_escalation", sla.LATE),
    ]
    assert made.steps == [OPEN.due_at - 12 * HOUR, OPEN.due_at + timedelta(microseconds=1)]


def test_an_item_that_was_told_in_time_is_right():
    soon = [told(OPEN.due_at - 12 * HOUR + 4 * HOUR * number, 1) for number in range(3)]

    assert found(*soon, *every_four_hours(OPEN.due_at + HOUR / 2, 2)) == []


def test_a_message_after_the_promised_time_is_late():
    soon = [told(OPEN.due_at - 12 * HOUR + 4 * HOUR * number, 1) for number in range(3)]

    assert found(*soon, *every_four_hours(OPEN.due_at + 2 * HOUR, 2)) == ["late_escalation"]


def test_a_repeat_that_did_not_come_is_lost():
    soon = [told(OPEN.due_at - 12 * HOUR + 4 * HOUR * number, 1) for number in range(3)]
    late = every_four_hours(OPEN.due_at + HOUR / 2, 2)

    assert found(*soon, *late[:2], *late[3:]) == ["lost_repeat"]


def test_nothing_is_expected_while_the_automation_is_stopped():
    assert found(spans=[Span(SINCE, NOW, POLICY, silent=True)]) == []


def test_a_step_during_silence_is_due_when_it_ends():
    until = NOW - 6 * HOUR
    spans = [Span(SINCE, until, POLICY, silent=True), Span(until, NOW, POLICY)]

    assert found(spans=spans) == ["lost_escalation"]
    assert found(told(until + HOUR, 2), spans=spans) == []


def test_an_item_that_was_done_before_anybody_had_to_be_told_asks_for_nothing():
    done = ItemEvent(OPEN.due_at - 12 * HOUR + HOUR / 2, "status", {"status": "in_progress"}, {"status": "done"})

    assert found(done, state=replace(OPEN, status="done")) == []


def test_a_new_deadline_begins_anew():
    at, before = NOW - 2 * HOUR, OPEN.due_at - timedelta(days=1)
    moved = ItemEvent(at, "due", {"due_at": before.isoformat()}, {"due_at": OPEN.due_at.isoformat()})

    states = rewound(item(OPEN, moved), SINCE)

    assert [(since, state.due_at) for since, state in states[1:]] == [
        (NOW - timedelta(days=3), before),
        (at, OPEN.due_at),
    ]


def test_what_was_taken_back_is_rewound_like_a_change():
    undone = ItemEvent(NOW - HOUR, "undo", {"from": "done"}, {"undo": "status", "to": "in_progress"})

    assert [state.status for _since, state in rewound(item(OPEN, undone), SINCE)[1:]] == ["done", "in_progress"]


@pytest.mark.parametrize(("gap", "level", "doubled"), [(1, 2, 1), (1, 3, 0), (4, 2, 0)])
def test_the_same_within_the_interval_is_doubled_and_a_higher_step_is_not(gap, level, doubled):
    first = OPEN.due_at + HOUR / 2

    made = judge(item(OPEN, told(first, 2), told(first + gap * HOUR, level)), ALWAYS, SINCE, NOW)

    assert len(made.doubled) == doubled


def test_what_was_reached_before_the_window_is_not_judged():
    old = Item(7, None, 24, SINCE - timedelta(days=3), replace(OPEN, due_at=SINCE - timedelta(days=1)))

    assert judge(old, ALWAYS, SINCE, NOW).findings == []


HOURS = st.integers(0, 14 * 24 - 1)
CHANGES = st.lists(
    st.tuples(HOURS, st.integers(0, 59), st.sampled_from(["due", "done", "open", "raised"]), st.integers(-48, 96)),
    max_size=6,
)
POLICIES = st.lists(
    st.tuples(
        HOURS,
        st.builds(EscalationPolicy, st.sampled_from([0, 6, 12, 24]), st.booleans(), st.sampled_from([0, 2, 4, 8])),
        st.booleans(),
    ),
    max_size=3,
)


def history(opened, sla_hours, changes, policies):
    """Return an item, the policies, and what an hourly escalation told that decided by the rules of the policy."""
    points = sorted(
        {SINCE: (POLICY, False), **{SINCE + hour * HOUR: (one, off) for hour, one, off in policies}}.items()
    )
    ends = [*(at for at, _one in points[1:]), NOW]
    spans = [Span(at, end, one, off) for (at, (one, off)), end in zip(points, ends, strict=True)]
    start = SINCE + opened * HOUR
    state = ItemState(True, "pending", start + sla_hours * HOUR, True, "warning")
    events = [ItemEvent(start, "opened")]
    todo = sorted((SINCE + hour * HOUR + timedelta(minutes=minute), kind, by) for hour, minute, kind, by in changes)
    known = Watched(7, state.due_at, sla_hours, False)
    run = SINCE.replace(minute=20) + timedelta(seconds=4)
    while run <= NOW:
        while todo and todo[0][0] < run:
            at, kind, by = todo.pop(0)
            if at <= start:
                continue
            new = {
                "due": {"due_at": at + by * HOUR},
                "done": {"status": "done"},
                "open": {"status": "in_progress"},
                "raised": {"rule_status": "fail"},
            }[kind]
            old = {name: getattr(state, name) for name in new}
            state = replace(state, **new)
            plain = {name: one.isoformat() if isinstance(one, datetime) else one for name, one in old.items()}
            events.append(ItemEvent(at, kind, plain, {}))
        span = next((one for one in spans if one.start <= run < one.end), None)
        if span is not None and not span.silent and state.open and start <= run:
            known = replace(known, due_at=state.due_at, critical=state.critical)
            decided = sla.escalation(known, run, span.policy)
            if decided.send:
                events.append(told(run, decided.level))
                known = replace(known, level=decided.level, told_at=run, told_due_at=state.due_at)
        run += HOUR
    return Item(7, None, sla_hours, start, state, events), spans


@settings(max_examples=400)
@given(HOURS, st.sampled_from([1, 4, 24, 72]), CHANGES, POLICIES)
def test_nothing_is_found_in_a_history_that_kept_every_promise(opened, sla_hours, changes, policies):
    made, spans = history(opened, sla_hours, changes, policies)

    judged = judge(made, spans, SINCE, NOW)

    assert judged.findings == []
    assert judged.doubled == []


@settings(max_examples=100)
@given(HOURS, st.sampled_from([1, 4, 24]), st.integers(1, 8))
def test_whatever_is_left_out_is_missed(opened, sla_hours, repeat):
    made, spans = history(opened, sla_hours, [], [(0, replace(POLICY, repeat_hours=repeat), False)])
    messages = [event for event in made.events if event.kind == "escalated"]
    kept = [event for event in made.events if event.kind != "escalated"]
    if not messages or messages[-1].at - messages[0].at < 24 * HOUR:
        return

    assert judge(replace(made, events=kept), spans, SINCE, NOW).findings


def test_a_repeat_is_expected_after_the_snooze_that_stood_in_its_way():
    soon = [told(OPEN.due_at - 12 * HOUR + 4 * HOUR * number, 1) for number in range(3)]
    late = told(OPEN.due_at + HOUR / 2, 2)
    begun = ItemEvent(late.at + HOUR, "snoozed", new={"until": (late.at + 10 * HOUR).isoformat()})
    again = every_four_hours(late.at + 10 * HOUR, 2)

    assert found(*soon, late, begun, *again) == []
    assert found(*soon, late, begun, *again[1:]) == ["lost_repeat"]
    ended = ItemEvent(late.at + 2 * HOUR, "snooze_ended", new={"why": "ended"})
    assert found(*soon, late, begun, ended, *again) == ["lost_repeat"]


def test_a_step_is_expected_in_spite_of_a_snooze():
    soon = [told(OPEN.due_at - 12 * HOUR + 4 * HOUR * number, 1) for number in range(3)]
    begun = ItemEvent(OPEN.due_at - HOUR, "snoozed", new={"until": (NOW + HOUR).isoformat()})

    assert found(*soon, begun) == ["lost_escalation"]
