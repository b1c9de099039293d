from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.remediation.sync import PlannedItem, SyncedRow, sync

GATE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NOW = GATE + timedelta(seconds=1)
HOUR = timedelta(hours=1)


def planned(rule="dr_restore_valid_recent", **values):
    return PlannedItem(rule, **{"sla_hours": 24, "due_at": GATE + 24 * HOUR, "priority": 4, **values})


def stored(rule="dr_restore_valid_recent", **values):
    base = {
        "id": 1,
        "rule_status": "warning",
        "required": False,
        "sla_hours": 24,
        "due_at": GATE + 4 * HOUR,
        "status": "pending",
        "completed_at": None,
        "unproven_at": None,
        "is_active": True,
    }
    return SyncedRow(rule_id=rule, **{**base, **values})


def done(**values):
    return stored(**{"status": "done", "completed_at": GATE - HOUR, **values})


def only(result):
    (change,) = result.changes
    return change


def test_a_rule_seen_for_the_first_time_opens_an_item_with_its_deadline():
    change = only(sync([], [planned()], (), GATE, NOW))

    assert (change.kind, change.row, change.kinds) == ("opened", None, ("opened",))
    assert change.values["due_at"] == GATE + 24 * HOUR
    assert (change.values["opened_at"], change.values["first_seen_at"], change.values["status"]) == (
        NOW,
        NOW,
        "pending",
    )


def test_a_second_sync_does_not_move_the_deadline():
    change = only(sync([stored()], [planned()], (), GATE, NOW))

    assert change.kind == "refreshed"
    assert "due_at" not in change.values


def test_a_shorter_sla_brings_the_deadline_forward_and_a_longer_one_does_not_move_it():
    shorter = only(
        sync([stored(due_at=GATE + 20 * HOUR)], [planned(sla_hours=4, due_at=GATE + 4 * HOUR)], (), GATE, NOW)
    )
    longer = only(sync([stored(sla_hours=4)], [planned(sla_hours=24)], (), GATE, NOW))

    assert (shorter.values["due_at"], shorter.values["due_changed_at"]) == (GATE + 4 * HOUR, NOW)
    assert "due_at" not in longer.values


def test_an_extension_by_a_person_survives_the_next_sync():
    change = only(sync([stored(due_at=GATE + 90 * HOUR)], [planned()], (), GATE, NOW))

    assert "due_at" not in change.values


def test_from_warning_to_fail_is_a_step_that_reopens_the_completion():
    result = sync([stored(due_at=GATE + 30 * HOUR)], [planned(rule_status="fail")], (), GATE, NOW)

    assert (only(result).kind, only(result).kinds, result.counts["raised"]) == ("raised", ("raised",), 1)
    assert only(result).values["due_at"] == GATE + 24 * HOUR
    assert result.resets_completion


def test_from_fail_to_warning_is_no_step():
    result = sync([stored(rule_status="fail", required=True)], [planned()], (), GATE, NOW)

    assert (only(result).kind, result.resets_completion) == ("refreshed", False)


def test_a_rule_that_was_filtered_or_cut_out_stays_open():
    result = sync([stored(), stored("daily_check_recent", id=2)], [], (), GATE, NOW)

    assert (result.changes, result.untouched_count) == ((), 2)


def test_an_older_snapshot_changes_nothing_unless_the_clock_was_set_back():
    known = stored(judged_at=GATE + HOUR)
    late, back = GATE + 2 * HOUR, GATE + HOUR / 2

    assert sync([known], [planned(rule_status="fail")], (), GATE, late).changes == ()
    assert sync([known], [], {"dr_restore_valid_recent"}, GATE, late).untouched_count == 1
    assert only(sync([known], [], {"dr_restore_valid_recent"}, GATE, back)).kind == "resolved"
    assert only(sync([stored(judged_at=GATE)], [], {"dr_restore_valid_recent"}, GATE, late)).kind == "resolved"


def test_an_item_that_another_covers_leaves_undone_and_comes_back_with_a_new_deadline():
    rule = "dr_restore_valid_recent"
    gone = only(sync([stored()], [], (), GATE, NOW, covered={rule}))
    assert (gone.kind, gone.kinds, gone.values["is_active"]) == ("covered", ("covered",), False)
    assert "status" not in gone.values

    back = only(sync([stored(is_active=False)], [planned()], (), GATE, NOW))
    assert (back.kind, back.values["due_at"]) == ("reopened", GATE + 24 * HOUR)
    assert sync([stored(is_active=False)], [], (), GATE, NOW, covered={rule}).changes == ()


def test_a_rule_that_passes_resolves_its_item():
    result = sync([stored()], [], {"dr_restore_valid_recent"}, GATE, NOW)
    values = only(result).values

    assert (only(result).kind, only(result).kinds, result.counts["resolved"]) == ("resolved", ("resolved",), 1)
    assert (values["status"], values["completion_checked"], values["completed_at"]) == ("done", True, NOW)
    assert (values["is_active"], values["verified_at"]) == (False, GATE)


def test_a_done_item_whose_rule_passes_is_verified_and_keeps_its_time():
    result = sync([done()], [], {"dr_restore_valid_recent"}, GATE, NOW)

    assert (only(result).kind, only(result).kinds) == ("resolved", ("verified",))
    assert "completed_at" not in only(result).values


def test_a_snapshot_from_before_the_work_was_done_proves_nothing():
    claimed = done(completed_at=GATE + HOUR)

    assert sync([claimed], [], {"dr_restore_valid_recent"}, GATE, NOW).untouched_count == 1
    assert only(sync([claimed], [planned()], (), GATE, NOW)).kind == "refreshed"


def test_an_unproven_done_gets_one_gate_run_of_grace_and_then_comes_back():
    first = only(sync([done()], [planned()], (), GATE, NOW))
    again = only(sync([done(unproven_at=GATE)], [planned()], (), GATE, NOW))
    later = sync([done(unproven_at=GATE)], [planned()], (), GATE + HOUR, NOW + HOUR)

    assert (first.kind, first.values["unproven_at"]) == ("unproven", GATE)
    assert "status" not in first.values
    assert again.kind == "refreshed"
    assert (only(later).kind, only(later).values["status"], later.counts["reopened"]) == ("reopened", "pending", 1)
    assert "due_at" not in only(later).values


def test_a_rule_that_is_back_reopens_its_item_as_a_new_episode():
    result = sync([done(is_active=False)], [planned()], (), GATE, NOW)
    values = only(result).values

    assert (only(result).kind, result.counts["reopened"]) == ("reopened", 1)
    assert (values["status"], values["completed_at"], values["is_active"]) == ("pending", None, True)
    assert (values["opened_at"], values["due_at"]) == (NOW, GATE + 24 * HOUR)
    assert "first_seen_at" not in values


def test_an_old_inactive_item_that_is_not_done_keeps_its_status_but_counts():
    result = sync([stored(is_active=False, status="blocked")], [planned()], (), GATE, NOW)

    assert (only(result).kind, result.counts["reopened"]) == ("reopened", 1)
    assert "status" not in only(result).values


@pytest.mark.parametrize("rule", ["", "   "])
def test_a_plan_line_without_rule_is_dropped(rule):
    assert sync([], [planned(rule)], (), GATE, NOW).changes == ()


def test_a_rule_planned_twice_counts_once():
    assert len(sync([], [planned(), planned(priority=1)], (), GATE, NOW).changes) == 1


rules = st.sampled_from([f"rule_{number}" for number in range(6)])
times = st.sampled_from([GATE - HOUR, GATE, GATE + HOUR])


@st.composite
def tracked(draw):
    rows = []
    for number, rule in enumerate(sorted(draw(st.sets(rules))), start=1):
        is_done = draw(st.booleans())
        rows.append(
            stored(
                rule,
                id=number,
                status="done" if is_done else draw(st.sampled_from(["pending", "in_progress", "blocked"])),
                completed_at=draw(times) if is_done else None,
                unproven_at=draw(st.sampled_from([None, GATE - HOUR])) if is_done else None,
                is_active=draw(st.booleans()),
                rule_status=draw(st.sampled_from(["warning", "fail"])),
                due_at=draw(times),
                sla_hours=draw(st.sampled_from([4, 24])),
            )
        )
    plan = [
        planned(rule, rule_status=draw(st.sampled_from(["warning", "fail"])), sla_hours=draw(st.sampled_from([4, 24])))
        for rule in sorted(draw(st.sets(rules)))
    ]
    passed = draw(st.sets(rules)) - {item.rule_id for item in plan}
    return rows, plan, passed


def apply(rows, result):
    after = {row.rule_id: row for row in rows}
    for change in result.changes:
        known = {key: value for key, value in change.values.items() if key in SyncedRow.__dataclass_fields__}
        if change.row is None:
            after[known["rule_id"]] = stored(known["rule_id"], **{k: v for k, v in known.items() if k != "rule_id"})
        else:
            after[change.row.rule_id] = replace(change.row, **known)
    return list(after.values())


@given(tracked())
def test_a_sync_repeated_with_the_same_snapshot_changes_nothing_more(case):
    rows, plan, passed = case
    after = apply(rows, sync(rows, plan, passed, GATE, NOW))
    again = sync(after, plan, passed, GATE, NOW)

    assert {change.kind for change in again.changes} <= {"refreshed"}
    assert not again.resets_completion


@given(tracked())
def test_within_an_episode_a_deadline_only_ever_comes_forward(case):
    rows, plan, passed = case
    for change in sync(rows, plan, passed, GATE, NOW).changes:
        if change.row is not None and change.row.is_active and "due_at" in change.values:
            assert change.values["due_at"] < change.row.due_at


@given(tracked())
def test_nothing_leaves_the_tracker_unless_its_rule_passes(case):
    rows, plan, passed = case
    for change in sync(rows, plan, passed, GATE, NOW).changes:
        if change.values.get("is_active") is False:
            assert change.row.rule_id in passed
            assert change.row.rule_id not in {item.rule_id for item in plan}


@given(tracked())
def test_every_active_row_is_either_changed_or_counted_as_untouched(case):
    rows, plan, passed = case
    result = sync(rows, plan, passed, GATE, NOW)
    changed = {change.row.id for change in result.changes if change.row is not None and change.row.is_active}

    assert len(changed) + result.untouched_count == sum(row.is_active for row in rows)
