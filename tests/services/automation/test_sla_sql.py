"""The escalation's decisions in SQL and in Python are the same, item by item."""

import random
from datetime import timedelta
from itertools import product

import pytest

from console.domain.automation import sla
from console.domain.automation.sla import EscalationPolicy, Watched, escalation
from console.models.automation import ItemEscalation
from console.models.snoozes import Snooze
from console.models.tracker import TrackerItem
from console.services.automation import sla_sql
from tests.factories.tracker import add_item
from tests.support.statements import statements

MINUTE = timedelta(minutes=1)


@pytest.fixture
def watched(ctx, session, clock):
    """Add 240 items of every kind and return what the domain must know of the open ones."""
    rng, now = random.Random(5), clock.now()
    items = []
    for number in range(1, 241):
        due_at = None if rng.random() < 0.05 else now + rng.choice((-1, 1)) * MINUTE * rng.randrange(0, 2000)
        status = rng.choice(("pending", "in_progress", "blocked", "done"))
        row = add_item(
            session,
            now,
            number,
            due_at=due_at,
            status=status,
            is_active=rng.random() < 0.9,
            required=rng.random() < 0.5,
            rule_status=rng.choice(("fail", "warning")),
            sla_hours=rng.choice((1, 2, 4, 8, 24, 24, 200)),
        )
        level, told_at, told_due_at = 0, None, None
        if due_at is not None and rng.random() < 0.6:
            level = rng.randrange(1, 4)
            told_at = now - MINUTE * rng.choice((-60, -5, 0, 1, 60, 234, 235, 236, 240, 500))
            told_due_at = due_at + MINUTE * rng.choice((0, 0, 0, 7))
            session.add(ItemEscalation(item_id=row.id, level=level, told_at=told_at, due_at=told_due_at))
        if row.is_active and status != "done":
            critical = row.required and row.rule_status == "fail"
            until = {0: now + 60 * MINUTE, 1: now, 2: now - MINUTE}.get(number % 5)
            if until is not None:
                values = {"reason": "x", "started_at": now - 90 * MINUTE, "started_by": "kim", "until_at": until}
                session.add(Snooze(kind="tracker_item", thing_id=row.id, **values))
            asleep = until is not None and until > now
            items.append(Watched(row.id, due_at, row.sla_hours, critical, level, told_at, told_due_at, asleep))
    session.flush()
    return items


def decided(ctx, clock, policy):
    return sla_sql.decide(ctx, sla_sql.window(ctx, clock.now(), policy))


def test_sql_decides_as_the_domain_does(ctx, clock, watched, subtests):
    for due_soon_hours, half_sla, repeat_hours in product((0, 1, 12, 168), (True, False), (0, 4)):
        with subtests.test(due_soon_hours=due_soon_hours, half_sla=half_sla, repeat_hours=repeat_hours):
            same_decisions(ctx, clock.now(), watched, EscalationPolicy(due_soon_hours, half_sla, repeat_hours))


def same_decisions(ctx, now, watched, policy):
    window = sla_sql.window(ctx, now, policy)
    rows = ctx.session.execute(sla_sql.candidates(ctx, window, TrackerItem.id))
    found = {row.id: (row.level, row.rule) for row in rows}

    decided = [escalation(item, now, policy) for item in watched]

    assert found == {one.item_id: (one.level, one.rule) for one in decided if one.candidate}
    assert len(found) > 40
    totals = sla_sql.decide(ctx, window)
    assert totals.count() == len(found)
    assert totals.count(*sla_sql.SENT) == sum(one.send for one in decided)
    critical = {item.id for item in watched if item.critical}
    assert totals.critical == len(critical & set(found))
    for part in totals.parts:
        here = (part.level, part.rule)
        ids = [id_ for id_, where in found.items() if where == here and (id_ in critical) == part.critical]
        assert (part.count, part.id_sum, part.newest_id) == (len(ids), sum(ids), max(ids))


def test_only_items_that_the_caller_sees_are_decided_about(make_ctx, session, clock):
    for number, site in enumerate((None, "본관", "별관"), start=1):
        add_item(session, clock.now(), number, site=site, due_at=clock.now() - MINUTE)

    policy = EscalationPolicy()
    seen = [decided(make_ctx("manager", sites), clock, policy).count() for sites in (("*",), ("본관",), ())]

    assert seen == [3, 2, 1]


def test_the_number_of_queries_does_not_depend_on_the_items(ctx, clock, watched, engine):
    with statements(engine) as seen:
        decided(ctx, clock, EscalationPolicy())

    assert len(seen) == 2


def test_every_rule_of_the_domain_occurs(ctx, clock, watched):
    found = decided(ctx, clock, EscalationPolicy())

    assert {part.rule for part in found.parts} == {sla.STEP, sla.REPEAT, sla.TOLD}
    assert {part.level for part in found.parts} == {sla.DUE_SOON, sla.LATE, sla.CRITICAL_LATE}
