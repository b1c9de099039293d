"""Findings that become work orders: with everything filled in, in the same send and only once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import unit_of_work
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.domain.inspections.points import Answer
from console.domain.inspections.readings import Readings
from console.domain.inspections.requests import FindingOrder
from console.models.inspections import Inspection, InspectionSignature
from console.models.work_orders import WorkOrder
from console.services.inspections import create, orders, read, rounds
from console.services.work_orders import rows as work_orders
from tests.conftest import actor_of
from tests.services.inspections.test_create import POINTS, SITE, a_round, answers, made

HOT = answers(ins=Answer("ins", 0.4), oil=Answer("oil", 60.0))


def test_a_round_brings_the_orders_of_its_findings(ctx):
    template = made(ctx)
    create.create(ctx, a_round(template))
    wanted = (FindingOrder("ins"), FindingOrder("oil", priority="low", title="유온 다시 재기"))
    stored = create.create(ctx, a_round(template, answers=HOT, orders=wanted, inspector="강야간"))
    found = {one.code: one for one in read.detail(ctx, stored.id).results}
    first, second = (work_orders.load(ctx, found[code].work_order_id, ctx.now()) for code in ("insulation_mohm", "oil"))

    assert (first.title, first.priority) == ("절연저항 R–E 0.4 MΩ (변압기 1호)", "critical")
    assert first.description == "12.4 → 0.4 MΩ ≤ 1 MΩ"
    assert (first.site, first.location, first.reporter) == (SITE, "변전실", "강야간")
    assert (first.source, first.inspection_id, first.status) == ("inspection", stored.id, "open")
    assert first.due_at is not None
    assert (second.title, second.priority) == ("유온 다시 재기", "low")
    assert found["leak"].work_order_id is None


def test_three_sendings_make_one_order(ctx):
    template = made(ctx)
    sent = [
        create.create(ctx, a_round(template, answers=HOT, orders=(FindingOrder("ins"),), round_key="phone-0001"))
        for _time in range(3)
    ]

    assert len({one.id for one in sent}) == 1
    assert ctx.session.scalar(select(func.count()).select_from(WorkOrder)) == 1
    with pytest.raises(Conflict):
        create.create(ctx, a_round(template, answers=HOT, round_key="phone-0001"))


def test_the_unbalance_of_voltages_can_become_an_order(ctx):
    template = made(ctx)
    uneven = Readings(voltage_r=220, voltage_s=240, voltage_t=217)
    stored = create.create(ctx, a_round(template, readings=uneven, orders=(FindingOrder("voltage_unbalance"),)))

    order = ctx.session.scalars(select(WorkOrder).where(WorkOrder.inspection_id == stored.id)).one()
    assert order.priority == "high"


@pytest.mark.parametrize(
    "wanted",
    [
        (FindingOrder("nothing"),),
        (FindingOrder("ins"), FindingOrder("insulation_mohm")),
        (FindingOrder("memo"),),
    ],
)
def test_an_order_of_nothing_takes_the_round_with_it(ctx, wanted):
    template = made(ctx)
    with pytest.raises(Invalid):
        create.create(ctx, a_round(template, answers=HOT, orders=wanted))
    ctx.rollback()

    assert ctx.session.scalar(select(func.count()).select_from(Inspection)) == 0


def test_what_was_not_measured_makes_no_order(ctx):
    template = made(ctx)
    with pytest.raises(Invalid):
        create.create(
            ctx,
            a_round(template, answers=answers(ins=Answer("ins", reason="가동 중")), orders=(FindingOrder("ins"),)),
        )


def test_an_order_can_follow_later_but_only_one(ctx, make_ctx):
    template = made(ctx)
    stored = create.create(ctx, a_round(template, answers=HOT))
    made_of = orders.of_finding(ctx, stored.id, FindingOrder("oil"))

    assert (made_of.priority, made_of.inspection_id) == ("high", stored.id)
    with pytest.raises(Conflict, match=str(made_of.id)):
        orders.of_finding(ctx, stored.id, FindingOrder("oil"))
    with pytest.raises(NotFound):
        orders.of_finding(ctx, stored.id, FindingOrder("nothing"))
    with pytest.raises(PermissionDenied):
        orders.of_finding(make_ctx("auditor"), stored.id, FindingOrder("ins"))
    with pytest.raises(SiteDenied):
        orders.of_finding(make_ctx("operator", ("Site B",)), stored.id, FindingOrder("ins"))


def test_two_orders_of_one_finding_at_once_are_one(engine, clock, config):
    with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
        number = create.create(ctx, a_round(made(ctx), answers=HOT)).id

    def ask(_number):
        try:
            with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
                return orders.of_finding(ctx, number, FindingOrder("oil")).id
        except Conflict:
            return None

    with ThreadPoolExecutor(4) as pool:
        given = [one for one in pool.map(ask, range(4)) if one is not None]
    with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config, write=False) as ctx:
        assert ctx.session.scalar(select(func.count()).select_from(WorkOrder)) == len(given) == 1


def test_a_signature_is_kept_apart_and_belongs_to_the_sending(ctx):
    template = made(ctx)
    stored = create.create(ctx, a_round(template, signature="M1 2L3 4", signed_by="강야간", round_key="phone-0001"))

    assert ctx.session.get(InspectionSignature, stored.id).drawing == "M1 2L3 4"
    with pytest.raises(Conflict):
        create.create(ctx, a_round(template, signature="M1 2L3 5", signed_by="강야간", round_key="phone-0001"))


def test_a_sheet_has_what_was_found_before(ctx, make_ctx):
    template = made(ctx)
    for value in (12.4, 11.9):
        create.create(ctx, a_round(template, answers=answers(ins=Answer("ins", value))))
    sheet = rounds.sheet(ctx, template.id, SITE)
    elsewhere = rounds.sheet(ctx, template.id, SITE, " 다른  변전실 ")

    assert [one.point.code for one in sheet.points] == [point.code for point in POINTS]
    assert (sheet.points[0].values, sheet.points[0].last.value) == ([12.4, 11.9], 11.9)
    assert sheet.points[2].last.answer == "없음"
    assert (elsewhere.location, elsewhere.points[0].recent) == ("다른 변전실", ())
    assert [(one.template.id, one.last_at) for one in rounds.offers(ctx, SITE)] == [(template.id, ctx.now())]
    assert rounds.offers(ctx, "Site B")[0].last_at is None
    with pytest.raises(PermissionDenied):
        rounds.sheet(make_ctx("auditor"), template.id, SITE)
    with pytest.raises(SiteDenied):
        rounds.offers(make_ctx("operator", ("Site B",)), SITE)
    with pytest.raises(NotFound):
        rounds.sheet(ctx, 999, SITE)
    with pytest.raises(Invalid):
        rounds.sheet(ctx, made(ctx, code="own", site=SITE).id, "Site B")
