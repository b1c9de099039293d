"""Storing inspections and rounds: once, judged once, with what was found the last time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import unit_of_work
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied, SiteDenied
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.readings import Readings
from console.domain.inspections.requests import NewInspection, NewTemplate, PointAnswer
from console.models.inspections import Inspection, InspectionResult
from console.services.inspections import create, read, templates
from tests.conftest import START, actor_of

SITE = "한빛마을 3단지"
POINTS = (
    Point("ins", "절연저항 R–E", section="변압기 1호", unit="MΩ", maps_to="insulation_mohm"),
    Point("oil", "유온", section="변압기 1호", unit="°C", limits=Limits(warn_high=60, danger_high=80)),
    Point("leak", "누수", kind="choice", choices=(("없음", "normal"), ("있음", "danger"))),
    Point("memo", "특이 사항", kind="text", optional=True),
)


def made(ctx, points=POINTS, **values):
    new = {"code": "power-monthly", "name": "변전실 월간 점검", "location": "변전실", "cycle": "monthly"}
    return templates.publish(ctx, NewTemplate(points=points, **{**new, **values}))


def answers(**values):
    given = {"ins": Answer("ins", 12.4), "oil": Answer("oil", 45.0), "leak": Answer("leak", text="없음"), **values}
    return tuple(PointAnswer(one) for one in given.values() if one is not None)


def a_round(template, **values):
    base = {"site": SITE, "location": "변전실", "cycle": "monthly", "inspector": "강야간", "inspected_at": START}
    return NewInspection(**{**base, "template_id": template.id, "answers": answers(), **values})


def test_a_round_writes_its_points_and_the_published_measurement(ctx):
    template = made(ctx)
    stored = create.create(ctx, a_round(template, answers=answers(ins=Answer("ins", 0.4), oil=Answer("oil", 60.0))))
    found = read.detail(ctx, stored.id)

    assert (stored.insulation_mohm, stored.risk_level) == (0.4, "danger")
    assert stored.risk_flags == ("insulation_low", "point:oil")
    assert [(one.code, one.section, one.verdict) for one in found.results] == [
        ("insulation_mohm", "변압기 1호", "danger"),
        ("oil", "변압기 1호", "warning"),
        ("leak", "", "normal"),
    ]
    assert [one.code for one in found.findings] == ["insulation_mohm", "oil"]
    assert [name for name, _rows in found.sections] == ["변압기 1호", ""]
    assert found.template == template


def test_three_voltages_are_told_with_their_unbalance(ctx):
    template = made(ctx)
    stored = create.create(ctx, a_round(template, readings=Readings(voltage_r=220, voltage_s=230, voltage_t=217)))
    found = read.detail(ctx, stored.id).results

    assert [one.code for one in found][3:] == ["voltage_r", "voltage_s", "voltage_t", "voltage_unbalance"]
    assert (found[-1].value, found[-1].verdict) == (3.4483, "warning")


def test_the_last_value_and_the_years_before_stand_beside_a_result(ctx):
    template = made(ctx)
    months = [
        create.create(
            ctx,
            a_round(
                template,
                inspected_at=START - timedelta(days=30 * (12 - month)),
                answers=answers(ins=Answer("ins", 14.0 - month)),
            ),
        )
        for month in range(13)
    ]
    result = read.detail(ctx, months[-1].id).results[0]
    first = read.detail(ctx, months[0].id).results[0]

    assert (result.value, result.last, result.change) == (2.0, 3.0, -1.0)
    assert (first.last, first.change) == (None, None)
    assert [one.value for one in read.series(ctx, months[-1], result)] == [14.0 - month for month in range(13)]
    assert [one.value for one in read.series(ctx, months[1], first)] == [14.0]


def test_what_could_not_be_measured_has_its_reason_and_no_verdict(ctx):
    template = made(ctx)
    stored = create.create(ctx, a_round(template, answers=answers(ins=Answer("ins", reason="가동 중"))))
    found = read.detail(ctx, stored.id).results[0]

    assert (stored.insulation_mohm, stored.risk_level) == (None, "normal")
    assert (found.verdict, found.reason, found.value) == ("unmeasured", "가동 중", None)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"leak": None}, "leak"),
        ({"leak": Answer("leak", text="몰라")}, "leak"),
        ({"oil": Answer("oil")}, "oil"),
        ({"oil": Answer("oil", 1e10)}, "oil"),
        ({"nothing": Answer("nothing", 1.0)}, "nothing"),
        ({"twice": Answer("oil", 1.0)}, "oil"),
        ({"ins": Answer("ins", -1.0)}, "ins"),
    ],
)
def test_a_wrong_point_is_named_and_nothing_is_stored(ctx, values, code):
    template = made(ctx)
    with pytest.raises(Invalid) as refused:
        create.create(ctx, a_round(template, answers=answers(**values)))

    assert refused.value.detail[0]["loc"] == ["body", "results", code]
    assert ctx.session.scalar(select(func.count()).select_from(Inspection)) == 0


def test_a_value_that_differs_from_its_point_is_refused(ctx):
    template = made(ctx)

    with pytest.raises(Invalid, match="insulation_mohm"):
        create.create(ctx, a_round(template, readings=Readings(insulation_mohm=3.0)))


def test_a_round_of_an_older_version_is_taken_and_says_so(ctx):
    old = made(ctx)
    new = made(ctx, points=POINTS[:2])
    stored = create.create(ctx, a_round(old))
    found = read.detail(ctx, stored.id)

    assert (old.version, new.version) == (1, 2)
    assert (found.template.version, found.template.is_current) == (1, False)
    assert [one.id for one in templates.offered(ctx, SITE)] == [new.id]


def test_two_rounds_of_the_same_thing_are_both_kept_and_the_second_is_marked(ctx, make_ctx):
    template = made(ctx)
    first = create.create(ctx, a_round(template))
    second = create.create(make_ctx("operator", username="lee"), a_round(template, inspector="이정비"))
    later = create.create(ctx, a_round(template, inspected_at=START + timedelta(days=1)))

    assert (first.twin_of, second.twin_of, later.twin_of) == (None, first.id, None)


def test_the_same_round_sent_three_times_is_stored_once(ctx, make_ctx):
    template = made(ctx)
    sent = [create.create(ctx, a_round(template, round_key="phone-0001")) for _time in range(3)]
    with pytest.raises(Conflict):
        create.create(ctx, a_round(template, round_key="phone-0001", answers=answers(oil=Answer("oil", 46.0))))
    other = create.create(make_ctx("operator", username="lee"), a_round(template, round_key="phone-0001"))

    assert {one.id for one in sent} == {sent[0].id}
    assert other.id != sent[0].id
    assert ctx.session.scalar(select(func.count()).select_from(InspectionResult)) == 6


def test_the_same_round_sent_at_the_same_moment_is_stored_once(engine, clock, config):
    with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
        template = made(ctx)

    def send(_number):
        with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=config) as ctx:
            return create.create(ctx, a_round(template, round_key="phone-0001")).id

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(send, range(4)))
    assert len(ids) == 1


def test_who_may_do_what(ctx, make_ctx):
    template = made(ctx, site=SITE)

    with pytest.raises(PermissionDenied):
        create.create(make_ctx("auditor"), a_round(template))
    with pytest.raises(SiteDenied):
        create.create(make_ctx("operator", ("Site B",)), a_round(template))
    with pytest.raises(PermissionDenied):
        made(make_ctx("operator"))
    with pytest.raises(PermissionDenied):
        made(make_ctx("manager", (SITE,)))
    with pytest.raises(Invalid, match="another site"):
        create.create(ctx, a_round(template, site="Site B"))
    with pytest.raises(NotFound):
        create.create(ctx, a_round(template, template_id=999))
    assert templates.offered(make_ctx("operator", ("Site B",))) == []
    assert [one.id for one in templates.offered(make_ctx("operator", (SITE,)))] == [template.id]
