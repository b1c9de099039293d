"""The replay: the policies that were in force give the recorded escalations exactly, over random histories."""

from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import select

from console.core.context import start_writing
from console.domain.errors import GlobalScopeRequired, SiteDenied
from console.domain.facility_sla import replay as rules
from console.domain.facility_sla.policy import HOURS, SlaPolicy
from console.domain.work_orders.requests import NewOrder, OrderChange
from console.models.work_orders import WorkOrder, WorkOrderEvent
from console.services.facility_sla import history, policies, proposals, replays, whatif
from console.services.facility_sla.whatif import Wish
from console.services.jobs import engine, registry
from console.services.work_orders import actions, create, edit, escalation, events, holds

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SITES = ("본관", "별관", "신관")
PRIORITIES = ("low", "medium", "high", "critical")


def some_policy(chance):
    hours = {word: chance.choice((1, 2, 5, 12, 30)) for word in HOURS}
    return SlaPolicy(hours, chance.choice((0, 0, 15, 60, 240)), chance.random() < 0.4)


def step(ctx, chance, orders):
    """Do one thing that people do, at random."""
    what = chance.choice(("new", "new", "ack", "hold", "resume", "done", "cancel", "reopen", "edit", "due", "policy"))
    if what == "new" or not orders:
        due = ctx.now() + chance.randint(-3, 9) * HOUR if chance.random() < 0.3 else None
        new = NewOrder("Pump", chance.choice(SITES), "B1", priority=chance.choice(PRIORITIES), due_at=due)
        orders.append(create.create(ctx, new).id)
        return
    if what == "policy":
        site = chance.choice((None, *SITES))
        if site is not None and chance.random() < 0.3:
            if policies.shown(ctx, site).source == "site":
                policies.remove(ctx, site)
        else:
            policies.put(ctx, some_policy(chance), site=site)
        return
    number = chance.choice(orders)
    row = ctx.session.get_one(WorkOrder, number, populate_existing=True)
    is_open = row.status in ("open", "acked")
    if what == "ack" and row.status == "open":
        actions.acknowledge(ctx, number, "kim")
    elif what == "hold" and row.status == "acked":
        holds.hold(ctx, number, chance.choice(("parts", "contractor")))
    elif what == "resume" and row.waiting_reason:
        holds.resume(ctx, number)
    elif what in ("done", "cancel") and is_open:
        (actions.complete if what == "done" else actions.cancel)(ctx, number, "done")
    elif what == "reopen" and not is_open:
        actions.reopen(ctx, number, "leaks")
    elif what == "edit" and is_open:
        edit.change(ctx, number, OrderChange(priority=chance.choice(PRIORITIES), reason="worse"))
    elif what == "due" and is_open:
        due = ctx.now() + chance.randint(-2, 20) * HOUR
        edit.change(ctx, number, OrderChange(due_at=due, reason="agreed"))


def live(ctx, clock, make_ctx, seed, steps=120):
    """Let random things happen and the escalation pass now and then, also for some sites or a few orders alone."""
    chance, orders = Random(seed), []
    scoped = make_ctx("manager", ("본관", "신관"))
    for _each in range(steps):
        clock.advance(chance.randint(1, 120) * MINUTE + timedelta(seconds=1))
        if chance.random() < 0.35:
            who = scoped if chance.random() < 0.3 else ctx
            site = "본관" if chance.random() < 0.2 else None
            escalation.escalate(who, site=site, limit=chance.choice((1, 2, 500)))
        else:
            step(ctx, chance, orders)
    clock.advance(MINUTE)
    return orders


@pytest.mark.parametrize("seed", range(12))
def test_the_policies_in_force_reproduce_what_was_recorded(ctx, clock, make_ctx, seed):
    live(ctx, clock, make_ctx, seed)
    made = replays.run(ctx, policies.shown(ctx, None).policy, site=None, days=30)

    assert (made.missing, made.extra, made.proven) == ((), (), True)
    assert made.recorded == made.escalations_before
    # A period that begins in the middle of their lives is proven as well.
    for hours in (20, 60):
        start = clock.now() - hours * HOUR
        found = history.of_period(ctx, start, clock.now())
        fates = rules.walk(found.starts, found.steps, found.passes, found.policies, start=start, end=clock.now())
        assert rules.prove(found.escalated, fates).holds


def test_due_dates_of_the_walk_are_the_recorded_ones(ctx, clock, make_ctx):
    live(ctx, clock, make_ctx, 99)
    start = clock.now() - timedelta(days=30)
    found = history.of_period(ctx, start, clock.now())
    fates = rules.walk(found.starts, found.steps, found.passes, found.policies, start=start, end=clock.now())
    stored = {row.id: row.due_at for row in ctx.session.scalars(select(WorkOrder))}
    assert {key: fate.due_at for key, fate in fates.items()} == stored


def test_a_record_that_nobody_could_have_made_is_told(ctx, clock):
    order = create.create(ctx, NewOrder("Pump", "본관", "B1", priority="critical"))
    clock.advance(3 * HOUR)
    escalation.escalate(ctx)
    ctx.session.flush()
    row = ctx.session.scalars(select(WorkOrderEvent).where(WorkOrderEvent.event_type == "escalated")).one()
    row.created_at = row.created_at - MINUTE
    ctx.session.flush()
    clock.advance(HOUR)
    made = replays.run(ctx, SlaPolicy(HOURS), site=None, days=30)

    assert made.proven is False
    assert [number for number, _at in made.missing] == [order.id]
    assert [number for number, _at in made.extra] == [order.id]


def test_another_policy_changes_sides(ctx, clock):
    def order(site, priority, hours):
        number = create.create(ctx, NewOrder("Pump", site, "B1", priority=priority)).id
        clock.advance(hours * HOUR)
        escalation.escalate(ctx)
        clock.advance(MINUTE)
        actions.complete(ctx, number, "done")
        return number

    policies.put(ctx, SlaPolicy(HOURS), site="별관")
    clock.advance(MINUTE)
    kept, worse = order("본관", "high", 9), order("본관", "low", 50)
    own = order("별관", "high", 9)
    made = replays.run(ctx, SlaPolicy({**HOURS, "high": 12, "low": 48}), site=None, days=30)

    assert (made.breaches_before, made.breaches_after) == (2, 2)
    assert [(one.id, one.side) for one in made.changed] == [(worse, "newly_breached"), (kept, "kept")]
    assert (made.newly_breached, made.newly_kept, made.changed_count) == (1, 1, 2)
    assert (made.escalations_before, made.escalations_after, made.newly_escalated) == (2, 2, 1)
    by_site = {line.site: line for line in made.sites}
    assert (by_site["별관"].own, by_site["별관"].breaches_after, by_site["본관"].own) == (True, 1, False)
    mine = replays.run(ctx, SlaPolicy({**HOURS, "high": 12}), site="별관", days=30)
    assert [one.id for one in mine.changed] == [own]
    assert made.proven
    assert mine.proven


def test_after_its_approval_a_run_does_what_the_what_if_said(ctx, clock, make_ctx):
    live(ctx, clock, make_ctx, 7)
    policy = SlaPolicy(HOURS, 45)
    said = whatif.measured(ctx, policy, Wish(sample_size=1000, limit=20_000))
    now_known = whatif.measured(ctx, policies.shown(ctx, None).policy, Wish(sample_size=1000))
    policies.put(ctx, policy)
    made = escalation.escalate(ctx, limit=2000)

    assert made.escalated_count == said.simulated_escalate_count
    assert now_known.delta_escalate_count == 0
    assert said.simulated_by_site == _by_site(ctx, made.work_order_ids)


def _by_site(ctx, ids):
    found = {}
    for row in ctx.session.scalars(select(WorkOrder).where(WorkOrder.id.in_(ids))):
        found[row.site] = found.get(row.site, 0) + 1
    return found


def test_a_replay_needs_the_sites_that_it_is_about(make_ctx, session):
    scoped = make_ctx("owner", ("본관",))
    start_writing(session)
    with pytest.raises(GlobalScopeRequired):
        replays.run(scoped, SlaPolicy(HOURS), site=None, days=30)
    with pytest.raises(SiteDenied):
        replays.run(scoped, SlaPolicy(HOURS), site="별관", days=30)
    assert replays.run(scoped, SlaPolicy(HOURS), site="본관", days=30).proven


def test_a_pass_over_more_sites_that_ended_at_its_limit_is_proven_for_each_of_them(make_ctx, session, clock):
    ctx = make_ctx()
    start_writing(session)
    mine = [create.create(ctx, NewOrder("Pump", "본관", "B1", priority="critical")).id for _ in range(2)]
    ctx.commit()
    clock.advance(-HOUR)
    start_writing(session)
    for _ in range(3):
        create.create(ctx, NewOrder("Door", "별관", "B1", priority="critical"))
    events.comment(ctx, mine[0], "on my way")
    ctx.commit()
    clock.advance(6 * HOUR)
    for _ in range(5):
        clock.advance(MINUTE)
        start_writing(session)
        escalation.escalate(ctx, limit=1)
        ctx.commit()
    clock.advance(MINUTE)
    for sites, count in (("본관",), 2), (("별관",), 3):
        found = replays.run(make_ctx("owner", sites), SlaPolicy(HOURS), site=sites[0], days=1)
        assert (found.proven, found.missing, found.extra) == (True, (), ())
        assert [line.site for line in found.sites] == list(sites)
        assert (found.recorded, found.orders) == (count, count)


def test_what_a_step_does_to_the_due_date_is_read_from_its_event(ctx, session, clock):
    start, later = clock.now(), clock.now() + HOUR
    by_policy = create.create(ctx, NewOrder("Pump", "본관", "B1"))
    create.create(ctx, NewOrder("Door", "본관", "B1", due_at=later))
    edit.change(ctx, by_policy.id, OrderChange(priority="high", reason="flood"))
    edit.change(ctx, by_policy.id, OrderChange(due_at=later, reason="agreed"))
    events.comment(ctx, by_policy.id, "on my way")
    actions.acknowledge(ctx, by_policy.id)
    actions.complete(ctx, by_policy.id)
    actions.reopen(ctx, by_policy.id)
    ctx.commit()
    clock.advance(MINUTE)
    found = history.of_period(ctx, start, clock.now())

    steps = [(step.status, step.due, bool(step.begins)) for step in found.steps]
    assert steps == [
        ("open", rules.BY_POLICY, True),
        ("open", rules.BY_PERSON, True),
        ("open", rules.KEEPS, False),
        ("open", rules.BY_PERSON, False),
        ("completed", rules.KEEPS, False),
        ("open", rules.BY_POLICY, True),
    ]
    assert found.events == 8


def test_the_job_keeps_what_it_found_with_its_proposal(make_ctx, session, clock):
    ctx = make_ctx()
    start_writing(session)
    order = create.create(ctx, NewOrder("Pump", "본관", "B1", priority="critical"))
    made = proposals.propose(ctx, SlaPolicy({**HOURS, "critical": 5}), Wish())
    ctx.commit()
    clock.advance(3 * HOUR)
    start_writing(session)
    escalation.escalate(ctx)
    ctx.commit()
    clock.advance(MINUTE)
    found = engine.execute(ctx, registry.get("sla_replay"), {"proposal_id": made.id, "days": 30}, trigger="api")

    assert (found.run.status, found.run.detail["proven"], found.run.detail["changed_count"]) == ("success", True, 1)
    kept = replays.latest(ctx, made.id)
    assert (kept.proven, kept.result["changed"][0]["id"]) == (True, order.id)
    assert kept.policy.default_due_hours["critical"] == 5
    assert replays.latest(ctx, made.id + 1) is None
    # Without a proposal it only proves itself by the policy in force.
    plain = engine.execute(ctx, registry.get("sla_replay"), {}, trigger="api")
    assert (plain.run.detail["proven"], plain.run.detail["changed_count"]) == (True, 0)
