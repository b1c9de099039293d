"""A proposed policy runs beside the live one: it decides, touches nothing, and is compared with what happened."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from console.core.config import Config
from console.models.automation import ItemEscalation, ShadowDecision, ShadowRun
from console.services.automation import shadow
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.automation import AUTOPILOT as POLICY
from console.services.tracker import items as tracker_items
from console.services.tracker.change import ItemChange
from tests.services.automation.automation_support import AUTOPILOT, HOOK, item, items_of, people, run, set_policy


@pytest.fixture
def ids(session, clock):
    made = people(session, clock)
    session.commit()
    return made


@pytest.fixture
def ctx(make_ctx, ids):
    made = make_ctx(username="anna", user_id=ids["anna"])
    made.config = Config.for_tests(ALERT_WEBHOOK_URL=HOOK)
    set_policy(made, sync_before_run=False, cooldown_minutes=0)
    return made


def propose(ctx, *, shadowed=True, **values):
    ctx.begin_write()
    made = policy_proposals.propose(ctx, POLICY, values, reason="try it", shadow=shadowed)
    ctx.commit()
    return made


def seen(session):
    session.rollback()
    return session.scalars(select(ShadowRun).order_by(ShadowRun.id)).all()


def test_the_shadow_decides_beside_the_live_policy_and_touches_nothing(ctx, session, clock):
    set_policy(ctx, unassigned_trigger=10, overdue_trigger=10)
    for number in (1, 2, 3):
        item(session, clock, number, 20)
    item(session, clock, 4, -1, assignee="bora")
    session.commit()
    propose(ctx, unassigned_trigger=1, overdue_trigger=1, auto_assign_max_items=2)

    found = run(ctx, AUTOPILOT)

    assert found.detail["skip_reason"] == "no_triggered_actions"
    row = seen(session)[0]
    assert (row.run_id, row.live_skip_reason, row.shadow_skip_reason) == (found.run.id, "no_triggered_actions", None)
    assert (row.live_assign_count, row.shadow_assign_count, row.shadow_notify_count) == (0, 2, 1)
    assert (row.agrees, row.acted) == (False, True)
    decisions = session.scalars(select(ShadowDecision).order_by(ShadowDecision.id)).all()
    assert [(one.action, one.assignee, one.level, one.live) for one in decisions] == [
        ("auto_assign", "bora", 0, False),
        ("auto_assign", "chul", 0, False),
        ("escalation", None, 2, False),
    ]
    assert all(row.assignee in (None, "bora") for row in items_of(session).values())
    assert session.scalar(select(func.count()).select_from(ItemEscalation)) == 0


def test_the_same_policy_agrees_in_every_run(ctx, session, clock):
    propose(ctx, kpi_window_days=30)
    for hour in range(5):
        item(session, clock, hour + 1, -1)
        session.commit()
        clock.advance(timedelta(hours=1))
        run(ctx, AUTOPILOT)

    made = shadow.comparison(ctx)

    assert (made.runs, made.agreeing_runs, made.percent) == (5, 5, 100)
    assert (made.live_assign_count, made.shadow_assign_count) == (5, 5)
    assert made.live_notify_count == made.shadow_notify_count > 0
    # The live run did what the shadow would have: everybody got what the shadow chose.
    assert (made.assignments.same, made.assignments.other, made.assignments.open) == (5, 0, 0)
    assert all(one.live for one in session.scalars(select(ShadowDecision)))


def test_what_people_do_is_compared_with_what_the_shadow_would_have_done(ctx, make_ctx, session, clock, ids):
    set_policy(ctx, unassigned_trigger=1000, overdue_trigger=1000)
    for number in (1, 2, 3):
        item(session, clock, number, 20 + number)
    item(session, clock, 4, -2, assignee="dong", assignee_user_id=ids["dong"])
    item(session, clock, 5, -1, assignee="eun", assignee_user_id=ids["eun"])
    session.commit()
    propose(ctx, unassigned_trigger=1, overdue_trigger=1)
    run(ctx, AUTOPILOT)
    chosen = {one.item_id: one.assignee for one in session.scalars(select(ShadowDecision)) if one.assignee}
    rows = {number: row.id for number, row in items_of(session).items()}
    clock.advance(timedelta(minutes=10))

    def change(number, **values):
        ctx.begin_write()
        tracker_items.change(ctx, rows[number], ItemChange(**values))
        ctx.commit()

    change(1, assignee=chosen[rows[1]])
    change(2, assignee="somebody else")
    change(4, status="in_progress")

    made = shadow.comparison(ctx)

    assert (made.assignments.same, made.assignments.other, made.assignments.open) == (1, 1, 1)
    assert made.assignments.percent == 50
    assert (made.messages.same, made.messages.other, made.messages.open) == (1, 0, 1)
    clock.advance(timedelta(hours=24))
    later = shadow.comparison(ctx).messages
    assert (later.same, later.other, later.open, later.percent) == (1, 1, 0, 50)
    clock.advance(timedelta(hours=-24))
    assert (made.days, made.since, made.percent) == (1, clock.now() - timedelta(minutes=10), 0)


def test_the_shadow_has_a_cooldown_of_its_own(ctx, session, clock):
    propose(ctx, cooldown_minutes=150)
    for hour in range(6):
        item(session, clock, hour + 1, -1)
        session.commit()
        clock.advance(timedelta(hours=1))
        run(ctx, AUTOPILOT)

    assert [row.shadow_skip_reason for row in seen(session)] == [
        None,
        "cooldown_active",
        "cooldown_active",
        None,
        "cooldown_active",
        "cooldown_active",
    ]


@pytest.mark.parametrize("shadowed", [False, None])
def test_without_a_shadow_proposal_nothing_is_kept(ctx, session, clock, shadowed):
    if shadowed is not None:
        propose(ctx, shadowed=shadowed, cooldown_minutes=60)
    item(session, clock, 1, -1)
    session.commit()

    run(ctx, AUTOPILOT)

    assert seen(session) == []
    assert (shadow.comparison(ctx) is None) == (shadowed is None)


def test_a_dry_run_leaves_no_trace_in_the_comparison(ctx, session, clock):
    propose(ctx, cooldown_minutes=60)
    run(ctx, AUTOPILOT, dry_run=True)

    assert seen(session) == []


def test_an_approval_promotes_the_shadow(ctx, make_ctx, session, clock, ids):
    made = propose(ctx, cooldown_minutes=60)
    other = make_ctx(username="olga", user_id=None)
    other.begin_write()

    policy_proposals.approve(other, POLICY, made.id)
    other.commit()

    assert policies.resolve(ctx, POLICY).values["cooldown_minutes"] == 60
    assert shadow.comparison(ctx) is None


def test_each_decision_is_kept_once(ctx, session, clock):
    set_policy(ctx, unassigned_trigger=1000)
    propose(ctx, unassigned_trigger=1)
    item(session, clock, 1, 20)
    session.commit()
    for _hour in range(3):
        clock.advance(timedelta(hours=1))
        run(ctx, AUTOPILOT)

    assert session.scalar(select(func.count()).select_from(ShadowDecision)) == 1
    assert len(seen(session)) == 3
