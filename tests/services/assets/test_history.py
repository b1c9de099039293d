"""What happened at an asset: orders, inspections, readings, and the third time of the same."""

from datetime import timedelta

import pytest

from console.domain.errors import BadRequest, Invalid, PermissionDenied
from console.domain.inspections.points import Answer, Limits, Point
from console.domain.inspections.readings import Readings
from console.domain.inspections.requests import FindingOrder, NewInspection, NewTemplate, PointAnswer
from console.domain.work_orders.requests import NewOrder, OrderChange
from console.services.assets import history, readings, rows
from console.services.inspections import create as inspections
from console.services.inspections import orders as finding_orders
from console.services.inspections import templates
from console.services.work_orders import create, edit, repeats
from console.services.work_orders.rows import load
from tests.factories.work_orders import add_asset, add_order
from tests.support.statements import statements

DAY = timedelta(days=1)


@pytest.fixture
def asset(session, clock):
    return add_asset(session, clock.now()).id


def inspect(ctx, clock, **values):
    made = {
        "site": "본관",
        "location": "전기실",
        "cycle": "monthly",
        "inspector": "김정비",
        "inspected_at": clock.now(),
    }
    return inspections.create(ctx, NewInspection(**{**made, **values}))


def test_orders_and_inspections_stand_in_one_history(ctx, session, clock, asset):
    add_order(session, clock.now() - 2 * DAY, asset_id=asset, title="Old", assignee="lee", trade="electric")
    inspect(ctx, clock, asset_id=asset, readings=Readings(insulation_mohm=0.5))
    add_order(session, clock.now(), title="Elsewhere")

    found = history.of_asset(ctx, rows.load(ctx, asset))

    assert [(line.kind, line.state, line.person) for line in found.lines] == [
        ("inspection", "danger", "김정비"),
        ("work_order", "open", "lee"),
    ]
    assert found.total == 2
    seen = rows.load(ctx, asset)
    assert (seen.open_orders, seen.last_inspected_at) == (1, clock.now())


def test_each_reader_sees_of_the_history_what_he_may_read(make_ctx, ctx, session, clock, asset):
    add_order(session, clock.now(), asset_id=asset)
    inspect(ctx, clock, asset_id=asset)
    mine = make_ctx("auditor", ("본관",), permissions=(), grants=frozenset({"assets:read", "work_orders:read"}))

    assert [line.kind for line in history.of_asset(mine, rows.load(mine, asset)).lines] == ["work_order"]
    with pytest.raises(PermissionDenied):
        readings.newest(mine, rows.load(mine, asset))


def test_the_newest_reading_of_each_point_and_how_it_went(ctx, session, clock, asset):
    for days, value in ((40, 80.0), (20, 85.0), (0, 95.0)):
        at, found = clock.now() - days * DAY, Readings(winding_temp_c=value)
        inspect(ctx, clock, asset_id=asset, inspected_at=at, readings=found)
    inspect(ctx, clock, readings=Readings(winding_temp_c=10.0))

    with statements() as asked:
        (found,) = readings.newest(ctx, rows.load(ctx, asset))
    assert len(asked) == 2
    assert (found.value, found.verdict, found.unit) == (95.0, "danger", "°C")
    went = readings.samples(ctx, rows.load(ctx, asset), found)
    assert [one.value for one in went] == [80.0, 85.0, 95.0]


def test_a_round_carries_the_asset_of_its_template_and_so_do_its_orders(ctx, session, clock, asset):
    point = Point("temp", "온도", unit="°C", limits=Limits(warn_high=60, danger_high=70))
    template = templates.publish(
        ctx, NewTemplate("tr", "변압기 순회", "전기실", "monthly", (point,), "본관", asset_id=asset)
    )
    answers = (PointAnswer(Answer("temp", 75.0)),)

    stored = inspect(ctx, clock, template_id=template.id, answers=answers, orders=(FindingOrder("temp"),))
    order = load(ctx, next(iter(finding_orders.linked(ctx, stored))), clock.now())

    assert (stored.asset_id, order.asset_id, order.asset_code) == (asset, asset, "TR-01")


def test_a_round_of_a_retired_asset_is_kept_and_its_order_has_none(ctx, session, clock):
    asset = add_asset(session, clock.now(), is_active=False).id

    stored = inspect(ctx, clock, asset_id=asset, readings=Readings(insulation_mohm=0.1))
    order = finding_orders.of_finding(ctx, stored.id, FindingOrder("insulation_mohm"))

    assert (stored.asset_id, order.asset_id) == (asset, None)


def test_an_asset_of_another_site_or_none_is_refused(make_ctx, ctx, session, clock, asset):
    with pytest.raises(BadRequest):
        inspect(ctx, clock, site="별관", asset_id=asset)
    with pytest.raises(Invalid):
        inspect(make_ctx("operator", ("별관",)), clock, site="별관", asset_id=asset)
    with pytest.raises(Invalid):
        create.create(make_ctx("operator", ("별관",)), NewOrder("Hot", "별관", "B1", asset_id=asset))
    with pytest.raises(Invalid):
        inspect(ctx, clock, asset_id=77)
    point = Point("temp", "온도", unit="°C")
    with pytest.raises(Invalid):
        templates.publish(ctx, NewTemplate("tr", "순회", "전기실", "monthly", (point,), None, asset_id=asset))


def test_the_asset_of_an_order_is_taken_away_with_an_event(ctx, session, clock, asset):
    order = create.create(ctx, NewOrder("Hot", "본관", asset_id=asset))

    after = edit.change(ctx, order.id, OrderChange(asset_id=0))

    assert (after.asset_id, after.asset_code, after.location) == (None, None, "전기실")
    assert edit.change(ctx, order.id, OrderChange(asset_id=0)).version == after.version


def test_the_third_order_of_the_same_asset_and_trade_is_said_everywhere_alike(ctx, session, clock, asset):
    ids = [
        add_order(session, clock.now() - days * DAY, asset_id=asset, trade="electric", title=str(days)).id
        for days in (80, 40)
    ]
    add_order(session, clock.now() - DAY, asset_id=asset, trade="electric", status="canceled")
    add_order(session, clock.now() - DAY, asset_id=asset, trade="fire")

    assert repeats.of_next(ctx, asset, "electric").number == 3
    assert repeats.of_asset(ctx, asset) == []
    made = create.create(ctx, NewOrder("Again", "본관", asset_id=asset, trade="electric"))
    told = repeats.of_order(ctx, made)
    assert (told.number, told.earlier) == (3, (ids[1], ids[0]))
    assert [(one.trade, one.number) for one in repeats.of_asset(ctx, asset)] == [("electric", 3)]
    assert repeats.of_next(ctx, asset, "fire") is None
