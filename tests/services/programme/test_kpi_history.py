"""How long a KPI of W09 has been red: counted from the facts of each day, and whom that calls."""

from datetime import timedelta

from console.domain.programme.kpi_policy import KEYS
from console.services.programme import history, kpis, metrics, policies
from console.services.programme.scope import scope_of
from tests.factories import make_user
from tests.factories.programme import OTHER, SITE, act, completed, entry
from tests.factories.work_orders import add_order
from tests.support.statements import statements

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RETENTION, ACTIVE, ESCALATED, SCORE, ISSUES = KEYS


def values(ctx, key, days, site=SITE):
    return history.values(scope_of(ctx, "w09", site, 30), key, days)


def board(ctx, site=SITE):
    return metrics.snapshot(ctx, "w09/kpi-operation", site, 30)


def escalated(session, at, since, **more):
    order = completed(session, at, 60, is_escalated=True, **more)
    act(session, order, "system", since, event_type="escalated")
    return order


def test_every_day_says_what_the_board_said_on_it(ctx, session, clock, sites):
    now = clock.now()
    for name in ("kim", "lee", "park"):
        make_user(session, now=now, username=name, role="operator", site_scope=(SITE,))
    # Everything is over before the first day that is asked for, or begins after the last.
    for number in range(40):
        at = now - (9 + number) * DAY
        order = (completed if number % 3 else add_order)(session, at, *((60 * 40,) if number % 3 else ()))
        for place, name in enumerate(("kim", "lee", "park")):
            if number % (place + 2) == 0:
                act(session, order, name, at)
        if number % 4 == 0:
            act(session, order, "system", at, event_type="escalated")
            order.is_escalated = True
    entry(session, "report_monthly_export_csv", "kim", now - 20 * DAY, resource_id=f"2026-02:{SITE}")
    session.flush()
    scope = scope_of(ctx, "w09", SITE, 30)
    for key in KEYS:
        for back, found in enumerate(history.values(scope, key, 7), start=1):
            then = kpis.snapshot(scope.ending(now - back * DAY))
            told = {kpi["kpi_key"]: kpi["actual_value"] for kpi in then.parts["kpis"]}
            assert found == told[key], (key, back)


def test_what_happened_later_does_not_change_the_days_before(ctx, session, clock, sites):
    now = clock.now()
    for number in range(4):
        completed(session, now - 10 * DAY, 60)
        escalated(session, now - 10 * DAY, now - (2 * DAY if number else HOUR))
    assert values(ctx, ESCALATED, 3) == [37.5, 37.5, 0.0]
    # Late until it was done half a day ago: then it broke its promise, and is late no more.
    add = {"status": "completed", "due_at": now - 5 * DAY, "completed_at": now - DAY / 2}
    add_order(session, now - 6 * DAY, site=OTHER, **add)
    assert values(ctx, SCORE, 7, OTHER) == [*([40.0] * 4), 100.0, 100.0, None]


def test_a_rule_calls_when_its_condition_has_held_long_enough(ctx, session, clock, sites):
    now = clock.now()
    for _number in range(2):
        completed(session, now - 10 * DAY, 60)
    escalated(session, now - 10 * DAY, now - DAY - HOUR)
    two = board(ctx)
    assert two.parts["escalation_candidates"] == []
    (waits,) = two.parts["escalation_waiting"]
    assert (waits["red_days"], waits["hold_days"], waits["escalate_to"]) == (2, 3, "Ops Lead + QA")
    assert "escalation_waits" in [one.code for one in two.advice]
    for _number in range(2):
        escalated(session, now - 10 * DAY, now - 2 * DAY - HOUR)
    three = board(ctx)
    (called,) = three.parts["escalation_candidates"]
    assert list(called) == [
        *("kpi_key", "kpi_name", "actual_value", "condition", "escalate_to", "sla_hours", "action"),
        *("hold_days", "red_days"),
    ]
    assert (called["red_days"], three.parts["escalation_waiting"]) == (3, [])
    assert "escalate" in [one.code for one in three.advice]
    # A site that asks for one day is called on the first.
    rule = {"id": "R", "kpi_key": ESCALATED, "escalate_to": "반장", "hold_days": 1, "action": "전화"}
    policies.put(ctx, "w09", {"escalation_map": [rule, {**rule, "id": "S", "hold_days": 28}]}, site=SITE)
    both = board(ctx).parts
    assert [one["hold_days"] for one in both["escalation_candidates"]] == [1]
    assert [(one["hold_days"], one["red_days"]) for one in both["escalation_waiting"]] == [(28, 3)]
    policies.put(ctx, "w09", {"enabled": False}, site=SITE)
    assert board(ctx).parts["escalation_waiting"] == []


def test_looking_back_costs_the_same_however_far_it_goes(ctx, session, clock, sites):
    now = clock.now()
    make_user(session, now=now, username="kim", role="operator", site_scope=(SITE,))
    order = escalated(session, now - 20 * DAY, now - 19 * DAY)
    act(session, order, "kim", now - 20 * DAY)
    add_order(session, now - 19 * DAY, due_at=now - 18 * DAY)

    def asked(days):
        rules = [{"id": key, "kpi_key": key, "escalate_to": "x", "hold_days": days} for key in KEYS]
        policies.put(ctx, "w09", {"escalation_map": rules}, site=SITE)
        with statements() as made:
            found = board(ctx)
        return found, made

    (_one, none), (few, some), (_many, all_of_them) = asked(1), asked(2), asked(28)
    assert few.metrics["red_count"] == 4
    assert len(some) == len(all_of_them) <= len(none) + 7, "\n".join(all_of_them)
