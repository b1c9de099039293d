"""The ranking of the database is the score of the domain, whatever the orders are."""

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from console.adapters.pdf import Paper
from console.domain.handover.requests import BriefAsked
from console.domain.handover.urgency import urgency
from console.services.handover import brief as briefs
from console.services.handover import exports, paper
from tests.factories.facility import add_inspection
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


def test_people_read_the_paper_in_their_own_words_and_programs_as_published(ctx, session, clock, monkeypatch):
    order = add_order(session, clock.now(), title="펌프", priority="critical", due_at=clock.now() - timedelta(hours=1))
    found = add_inspection(session, clock.now(), risk_flags=["insulation_low", "point:motor"])
    made = briefs.brief(ctx, BriefAsked(site="본관"))
    score, said = made.top_work_orders[0].urgency_score, []
    monkeypatch.setattr(Paper, "line", lambda _self, text: said.append(text))
    paper.draw(made, "ko", ZoneInfo("Asia/Seoul"))
    told = "\n".join(said)
    said.clear()
    paper.draw(made, "ko")

    assert f"#{order.id} 긴급 · 접수 · 기한 2026-03-02 08:00\n    펌프" in told
    assert f"#{found.id} 위험 · B1 · 2026-03-02 09:00 · 절연저항 낮음, motor" in told
    assert not any(word in told for word in ("=", "T00:00Z", "high", "critical"))
    assert f"#{order.id} critical/open score={score} site=본관 due=2026-03-01T23:00Z" in said
