"""The ranking of the database is the score of the domain, whatever the orders are."""

import random
from datetime import timedelta

import pytest

from console.domain.handover.requests import BriefAsked
from console.domain.handover.urgency import urgency
from console.services.handover import brief as briefs
from console.services.handover import exports
from tests.factories.work_orders import add_order
from tests.support.statements import statements


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_database_ranks_as_the_domain_does(ctx, session, clock, seed):
    rng, now = random.Random(seed), clock.now()
    made = [
        add_order(
            session,
            now,
            title=str(number),
            priority=rng.choice(["low", "medium", "high", "critical"]),
            due_at=now + timedelta(hours=rng.choice([-30, -1, 0, 1, 6, 7, 90])),
            created_at=now - timedelta(hours=rng.choice([0, 23, 24, 71, 72, 500])),
            is_escalated=rng.random() < 0.3,
            assignee=rng.choice([None, "lee"]),
        )
        for number in range(60)
    ]

    def place(order):
        judged = urgency(
            priority=order.priority,
            due_at=order.due_at,
            created_at=order.created_at,
            is_escalated=order.is_escalated,
            assigned=order.assignee is not None,
            now=now,
            soon=timedelta(hours=6),
        )
        return -judged.score, order.due_at, order.created_at, order.id

    found = briefs.brief(ctx, BriefAsked(max_items=50)).top_work_orders

    assert [one.id for one in found] == [one.id for one in sorted(made, key=place)[:50]]
    assert [one.urgency_score for one in found] == [-place(one)[0] for one in sorted(made, key=place)[:50]]


def test_a_brief_costs_three_statements(ctx, session, clock):
    add_order(session, clock.now())
    with statements(session.get_bind()) as sent:
        briefs.brief(ctx, BriefAsked())

    assert len(sent) == 3


def test_names_of_files():
    assert exports.file_name(BriefAsked(), "S", "csv") == "handover-brief-all-S.csv"
    assert exports.file_name(BriefAsked("한빛마을 3단지"), "S", "pdf") == "handover-brief-한빛마을_3단지-S.pdf"
