"""Items of failing runbook checks: what stands on the board by a runbook, also after any history."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.domain.gate.rules import RULES
from console.domain.remediation import checks
from console.domain.remediation.sync import PlannedItem, SyncedRow, sync
from console.domain.runbook import (
    accuracy_check,
    alert_checks,
    automation_checks,
    channel_checks,
    evidence_checks,
    integrity,
    process_checks,
    programme_checks,
    release_checks,
)
from console.domain.runbook import checks as first_checks
from console.domain.runbook.runbook import CheckResult, Runbook, registered
from console.domain.text import T

# A check is registered where it is written.
WHERE = (
    *(accuracy_check, alert_checks, automation_checks, evidence_checks, first_checks),
    *(integrity, process_checks, release_checks, channel_checks, programme_checks),
)
AT = datetime(2026, 3, 2, 0, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORST = {"ok": 0, "warning": 1, "critical": 2}


def result(check_id, status="warning", **fields):
    return CheckResult(check_id, status, T("It is so."), "Ops Lead", "jobs", fields, status, AT)


def book(at=AT, **statuses):
    found = tuple(result(check_id, status) for check_id, status in statuses.items())
    worst = max((one.status for one in found), key=WORST.__getitem__, default="ok")
    return Runbook(at, worst, found)


def planned(plan):
    return [
        PlannedItem(
            item.rule_id, item.rule_status, item.required, item.priority, item.owner_role, item.sla_hours, item.due_at
        )
        for item in plan.items
    ]


def test_every_check_that_exists_says_what_has_to_be_done():
    written = {name for module in WHERE for name in vars(module)}
    known = {spec.id for spec in registered()} & written
    assert known == set(checks.ACTIONS)


def test_what_covers_a_check_exists_and_no_rule_is_called_like_an_item_of_a_check():
    rules = {rule.id for rule in RULES}
    assert set(checks.COVERED_BY.values()) <= rules
    assert set(checks.COVERED_BY) <= set(checks.ACTIONS)
    assert not [rule for rule in rules if rule.startswith(checks.PREFIX)]


def test_a_failing_check_asks_for_its_owner_and_is_never_required():
    plan = checks.plan(book(queue_age="warning", worker_alive="critical", scheduler_alive="ok"), (), ())

    assert [(item.rule_id, item.rule_status, item.priority, item.sla_hours, item.required) for item in plan.items] == [
        ("runbook:worker_alive", "fail", 2, 4, False),
        ("runbook:queue_age", "warning", 4, 24, False),
    ]
    assert plan.items[0].due_at == AT + 4 * HOUR
    assert plan.passed == {"runbook:scheduler_alive"}


def test_a_check_that_this_release_does_not_know_any_more_counts_as_passed():
    plan = checks.plan(book(queue_age="ok"), (), {"runbook:of_yesterday"})
    assert plan.passed == {"runbook:queue_age", "runbook:of_yesterday"}


def test_a_check_has_no_item_while_the_item_of_a_rule_is_about_the_same():
    plan = checks.plan(book(dr_rehearsal_recent="warning"), {"dr_restore_valid_recent"}, ())
    assert (plan.items, plan.covered) == ((), {"runbook:dr_rehearsal_recent"})

    plan = checks.plan(book(dr_rehearsal_recent="warning"), {"daily_check_recent"}, ())
    assert [item.rule_id for item in plan.items] == ["runbook:dr_rehearsal_recent"]


def test_what_nobody_can_tell_yet_is_no_work():
    unknown = replace(result("api_burn_rate"), shown="unknown")
    plan = checks.plan(Runbook(AT, "warning", (unknown,)), (), {"runbook:api_burn_rate"})
    assert (plan.items, plan.passed) == ((), {"runbook:api_burn_rate"})


def test_lists_of_a_check_stay_with_its_run():
    found = Runbook(AT, "warning", (result("api_latency_p95", endpoints=[{"endpoint": "GET /"}], target_count=5),))
    assert checks.plan(found, (), ()).items[0].detail == {"status": "warning", "target_count": 5, "seen_at": AT}


NAMES = ("queue_age", "dr_rehearsal_recent", "startup_preflight")
RULES_OF = tuple(sorted(set(checks.COVERED_BY.values())))
moments = st.tuples(
    st.fixed_dictionaries({name: st.sampled_from(sorted(WORST)) for name in NAMES}),
    st.sets(st.sampled_from(RULES_OF)),
    # The look may be late: taken before what the board knows.
    st.booleans(),
    # Somebody may call all of it done in between.
    st.booleans(),
)


def stored(key, values):
    known = {name: value for name, value in values.items() if name in SyncedRow.__dataclass_fields__}
    return SyncedRow(**{"id": 1, "completed_at": None, "unproven_at": None, **known, "rule_id": key})


def after(rows, decided, at):
    """Return the rows as the database would have them, by key."""
    found = {row.rule_id: row for row in rows}
    for change in decided.changes:
        values = {**change.values, "judged_at": at}
        if change.row is None:
            assert values["rule_id"] not in found
            found[values["rule_id"]] = stored(values["rule_id"], values)
        else:
            known = {name: value for name, value in values.items() if name in SyncedRow.__dataclass_fields__}
            found[change.row.rule_id] = replace(change.row, **known)
    return tuple(found.values())


@given(st.lists(moments, min_size=1, max_size=12))
def test_after_any_history_a_failing_check_has_one_item_and_a_passing_one_none(history):
    rows, at = (), AT
    for statuses, rules, late, claimed in history:
        at += HOUR
        if claimed:
            rows = tuple(
                replace(row, status="done", completed_at=at - HOUR / 2) if row.is_active else row for row in rows
            )
        if late:
            old = checks.plan(book(at - 30 * HOUR, **statuses), rules, {row.rule_id for row in rows if row.is_active})
            decided = sync(rows, planned(old), old.passed, at - 30 * HOUR, at, covered=old.covered)
            assert {change.kind for change in decided.changes} <= {"opened"}
            rows = after(rows, decided, at - 30 * HOUR)
        plan = checks.plan(book(at, **statuses), rules, {row.rule_id for row in rows if row.is_active})
        rows = after(rows, sync(rows, planned(plan), plan.passed, at, at, covered=plan.covered), at)
        open_keys = [row.rule_id for row in rows if row.is_active]
        assert len(open_keys) == len(set(open_keys))
        expected = {
            checks.key_of(name)
            for name, status in statuses.items()
            if status != "ok" and checks.COVERED_BY.get(name) not in rules
        }
        assert set(open_keys) == expected
        assert all(row.required is False for row in rows)
