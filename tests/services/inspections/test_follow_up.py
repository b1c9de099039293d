"""Findings that need nothing, and the signature of a second person."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.context import unit_of_work
from console.core.listing import ListQuery
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.requests import FindingOrder, PointAnswer
from console.models.audit import AuditLog
from console.services.common.lists import run
from console.services.inspections import create, events, follow_up, orders, read
from console.services.inspections.lists import INSPECTIONS
from tests.conftest import actor_of
from tests.services.inspections.test_create import SITE, a_round, answers, made
from tests.support.statements import statements

HOT = answers(ins=Answer("ins", 0.4), oil=Answer("oil", 60.0))


@pytest.fixture
def stored(ctx):
    return create.create(ctx, a_round(made(ctx), answers=HOT, signed_by="강야간"))


@pytest.fixture
def second(make_ctx, ctx):
    return make_ctx("manager", (SITE,), username="park", display_name="박시설")


def on_record(ctx, action):
    ctx.commit()
    return [json.loads(text) for text in ctx.session.scalars(select(AuditLog.detail_json).filter_by(action=action))]


def waiting(ctx, **filters):
    query = ListQuery(filters={key: (word,) for key, word in filters.items()})
    return [row.id for row in run(ctx, INSPECTIONS, query).rows]


def test_a_finding_is_closed_with_its_reason_and_stays_what_it_is(ctx, stored):
    closed = follow_up.close_finding(ctx, stored.id, "oil", " 시험 운전 중 ")

    assert (closed.closed_reason, closed.closed_by, closed.verdict) == ("시험 운전 중", ctx.actor.username, "warning")
    assert read.detail(ctx, stored.id).inspection.risk_flags == stored.risk_flags
    (event,) = events.of_inspection(ctx, stored)
    assert (event.event_type, event.note, event.detail["code"]) == ("finding_closed", "시험 운전 중", "oil")
    assert on_record(ctx, "inspection_finding_close")[0]["reason"] == "시험 운전 중"


def test_what_cannot_be_closed_is_refused_and_leaves_nothing(ctx, make_ctx, stored):
    orders.of_finding(ctx, stored.id, FindingOrder("oil"))
    with pytest.raises(Conflict):
        follow_up.close_finding(ctx, stored.id, "oil", "이미 지시함")
    for code, reason, wrong in (
        ("insulation_mohm", "  ", Invalid),
        ("leak", "정상", Invalid),
        ("nothing", "없음", NotFound),
    ):
        with pytest.raises(wrong):
            follow_up.close_finding(ctx, stored.id, code, reason)
    with pytest.raises(PermissionDenied):
        follow_up.close_finding(make_ctx("auditor"), stored.id, "insulation_mohm", "읽기만")
    with pytest.raises(SiteDenied):
        follow_up.close_finding(make_ctx("operator", ("Site B",)), stored.id, "insulation_mohm", "남의 곳")
    assert events.of_inspection(ctx, stored) == []


def test_a_danger_that_was_settled_waits_for_nothing(ctx, stored):
    assert waiting(ctx, unordered="1") == [stored.id]

    follow_up.close_finding(ctx, stored.id, "insulation_mohm", "측정 실수")
    assert waiting(ctx, unordered="1") == []
    # Whoever thinks again may still order it.
    assert orders.of_finding(ctx, stored.id, FindingOrder("insulation_mohm")).inspection_id == stored.id


def test_of_three_who_close_a_finding_at_once_two_are_told(ctx, stored, at_once):
    ctx.commit()
    came = at_once(
        *(lambda mine, n=n: follow_up.close_finding(mine, stored.id, "oil", f"{n}") for n in range(3)),
    )

    assert sorted(type(one).__name__ for one in came) == ["Conflict", "Conflict", "ResultView"]


def test_a_second_person_signs_once(ctx, second, stored):
    assert waiting(ctx, to_countersign="1") == [stored.id]

    signed = follow_up.countersign(second, stored.id, "확인함")

    assert (signed.countersigned_by, signed.countersigned_at) == ("박시설", ctx.now())
    assert waiting(ctx, to_countersign="1") == []
    assert [one.event_type for one in events.of_inspection(ctx, stored)] == ["countersigned"]
    with pytest.raises(Conflict, match="박시설"):
        follow_up.countersign(second, stored.id)
    assert [one["inspector"] for one in on_record(second, "inspection_countersign")] == ["강야간"]


@pytest.mark.parametrize("own", [{"username": "owner_a"}, {"display_name": "강 야간"}, {"username": "강야간"}])
def test_whoever_did_it_cannot_sign_as_the_second(make_ctx, ctx, stored, own):
    mine = make_ctx("manager", (SITE,), **{"username": "park", "display_name": "박시설", **own})

    assert not follow_up.may_countersign(mine, stored)
    with pytest.raises(Conflict):
        follow_up.countersign(mine, stored.id)


def test_of_two_second_persons_at_once_one_is_told_who_was_first(ctx, stored, engine, clock, config):

    ctx.commit()

    def sign(name):
        actor = actor_of("manager", (SITE,), username=name, display_name=name)
        try:
            with unit_of_work(sessionmaker(engine), actor=actor, clock=clock, config=config) as mine:
                return follow_up.countersign(mine, stored.id).countersigned_by
        except Conflict as told:
            return str(told.detail)

    with ThreadPoolExecutor(2) as pool:
        came = list(pool.map(sign, ("park", "yoon")))

    assert sum(one in ("park", "yoon") for one in came) == 1


def test_a_round_costs_the_same_statements_however_many_points_and_few_more_for_each_order(ctx, engine):
    def cost(points, wanted):
        limits = Limits(danger_low=1, warn_low=5)
        many = tuple(Point(f"p{n}", f"항목 {n}", unit="MΩ", limits=limits) for n in range(points))
        template = made(ctx, many, code=f"bench-{points}-{wanted}")
        given = tuple(PointAnswer(Answer(one.code, 0.4)) for one in many)
        codes = tuple(FindingOrder(f"p{n}") for n in range(wanted))
        new = a_round(template, answers=given, orders=codes, round_key=f"bench-key-{points}-{wanted}")
        with statements() as sent:
            create.create(ctx, new)
        return len(sent)

    assert cost(40, 0) == cost(4, 0) <= 9
    # Two where the database takes one row at a time.
    assert cost(40, 4) - cost(40, 2) == (4 if engine.dialect.name == "sqlite" else 2)
    assert cost(39, 2) <= 19
