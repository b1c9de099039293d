"""Who is told of what: the assignee wherever the thing stands in the message, by one way, once within the interval."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.adapters.alert_text import lines
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.domain.alerts import personal as rules
from console.domain.alerts.alerts import answered
from console.domain.errors import Conflict, Invalid
from console.domain.programme.catalogue import WEEKS
from console.domain.tracker.requests import BulkChange, ItemChange, NewItem, Selection
from console.domain.work_orders.requests import NewOrder, OrderBulk, OrderChange
from console.models.alerts import AlertDelivery, AlertNotice
from console.models.identity import User
from console.models.personal_alerts import PersonalDelivery
from console.models.tracker import TrackerItem
from console.services.alerts import audience, channels, notices, personal, personal_choices, personal_names
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish as ChannelWish
from console.services.alerts.personal_choices import Wish
from console.services.handover import changes as handover
from console.services.handover import escalate as handover_escalation
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker import items, manual
from console.services.work_orders import bulk, create, edit
from console.services.work_orders import escalation as order_escalation
from tests.factories.tracker import add_item
from tests.factories.work_orders import add_order
from tests.services.alerts.personal_support import (
    HOOK,
    OTHER,
    SITE,
    deliver,
    escalation,
    messages,
    order,
    outside,
    reach,
    standing,
    told,
)
from tests.services.alerts.test_guard import Receivers
from tests.services.automation.automation_support import ESCALATION, item
from tests.services.automation.automation_support import run as automation_run
from tests.support.statements import statements

INTERVAL = timedelta(minutes=180)


@pytest.fixture
def person(ctx, make_ctx, session, clock):
    def build(username, **more):
        return reach(make_ctx, session, clock, username, address=f"https://hooks.example.com/{username}", **more)[0]

    return build


def at(username):
    return f"https://hooks.example.com/{username}"


def test_each_assignee_is_told_of_their_own_orders_alone(ctx, person, session, clock):
    person("kim"), person("lee", sites=(SITE,)), person("idle")
    numbers = {"kim": [], "lee": []}
    for number in range(30):
        who = "kim" if number < 25 else "lee"
        row = add_order(session, clock.now() - timedelta(days=3), assignee=who, title=f"주문 {number}")
        numbers[who].append(f"order:{row.id}")
    clock.advance(timedelta(days=1))
    made = order_escalation.escalate(ctx)

    # Nobody made a channel: what is published says so as before.
    assert (made.escalated_count, made.alert_error, made.alert_channels) == (30, "no_targets", ())
    places = deliver(ctx)
    assert told(places) == {at("kim"): [numbers["kim"]], at("lee"): [numbers["lee"]]}
    assert places.seen[0][2]["items"][0]["site"] == SITE


def test_a_right_that_ended_ends_the_messages(ctx, person, session):
    person("kim", sites=(SITE,))
    both = escalation(order(1, "kim"), order(2, "kim", site=OTHER))
    assert alerts.raise_alert(ctx, "sla_escalation", both).people_count == 1
    assert [line["id"] for line in messages(session)[0].payload_json["items"]] == [1]
    user = session.scalars(select(User)).one()
    user.role, user.permissions = "auditor", ()
    user.site_scope = ()
    assert alerts.raise_alert(ctx, "sla_escalation", escalation(order(3, "kim"))).people_count == 0


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({}, [1]),
        ({"only_mine": False}, [1, 2, 3]),
        ({"only_mine": False, "sites": (OTHER,)}, [3]),
        ({"least_level": "critical"}, []),
        ({"least_level": "critical", "only_mine": False}, [2]),
        ({"event_types": ("work_order_assigned",)}, []),
    ],
)
def test_people_choose_what_reaches_them(ctx, person, session, wish, expected):
    kim = person("kim", sites=(SITE, OTHER))
    personal_choices.change(kim, Wish(**({"event_types": ("sla_escalation",)} | wish)), version=0)
    lines = order(1, "kim"), order(2, "lee", priority="critical"), order(3, None, site=OTHER)
    alerts.raise_alert(ctx, "sla_escalation", escalation(*lines))

    assert [line["id"] for row in messages(session) for line in row.payload_json["items"]] == expected


def test_choices_are_within_ones_own_and_not_overwritten(ctx, person):
    kim = person("kim", sites=(SITE,))
    for wrong in ({"sites": (OTHER,)}, {"event_types": ("nonsense",)}, {"zone": "Mars/Base"}, {"least_level": "loud"}):
        with pytest.raises(Invalid):
            personal_choices.change(kim, Wish(**({"event_types": ()} | wrong)), version=0)
    assert personal_choices.own(kim).version == 0
    personal_choices.change(kim, Wish(event_types=("ops_daily_check",)), version=0)
    with pytest.raises(Conflict):
        personal_choices.change(kim, Wish(event_types=()), version=0)
    # Whoever wants what concerns the platform needs the right to it, and all sites.
    assert alerts.raise_alert(ctx, "ops_daily_check", {"event": "ops_daily_check"}).people_count == 0


def test_a_person_with_several_addresses_is_told_by_one_of_them(ctx, person):
    kim = person("kim")
    personal.add(kim, kind="webhook", address=HOOK, look_up=outside)
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    assert deliver(ctx).addresses() == [at("kim")]


def test_what_an_address_refuses_goes_to_the_next_one(ctx, person, session):
    kim = person("kim")
    personal.add(kim, kind="webhook", address=HOOK, look_up=outside)
    alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, "kim")))
    places = Receivers()
    places.behave[at("kim")] = answered(410)
    deliver(ctx, places)

    assert places.addresses() == [at("kim"), HOOK]
    assert [one.status for one in messages(session)] == ["dead", "success"]
    assert "tried" not in places.seen[1][2]


def test_the_same_thing_is_told_again_after_the_interval_and_on_the_next_step(ctx, person, session, clock):
    person("kim")

    def late(level):
        line = {"id": 5, "title": "항목", "site": SITE, "assignee": "kim", "escalation_level": level}
        return alerts.raise_alert(
            ctx, "ops_governance_remediation_escalation", {"items": [line], "candidate_count": 1}
        ).people_count

    counts = [late(1), late(1), late(2)]
    clock.advance(INTERVAL - timedelta(seconds=1))
    counts += [late(1), late(2)]
    clock.advance(timedelta(seconds=1))
    assert [*counts, late(1), late(2), late(2)] == [1, 0, 1, 0, 0, 1, 1, 0]


def test_a_channel_that_names_somebody_is_their_way(ctx, person, session, clock):
    kim = person("kim")
    made = channels.create(ctx, ChannelWish("현장", "slack", "https://hooks.slack.example/a"), look_up=outside)
    personal_names.keep(kim, made.key, "U012AB3CD")
    both = escalation(order(1, "kim"), order(2, "lee"))
    assert alerts.raise_alert(ctx, "sla_escalation", both).people_count == 0
    assert session.scalars(select(AlertDelivery.payload_json)).one()["named"] == {"kim": ["#1"]}

    # Told already: named no second time, and no message either.
    again = alerts.raise_alert(ctx, "sla_escalation", both)
    assert (again.people_count, "named" in session.get(AlertDelivery, again.delivery_ids[0]).payload_json) == (0, False)
    clock.advance(INTERVAL)
    channels.pause(ctx, made.key, paused=True, reason="수리", version=1)
    assert alerts.raise_alert(ctx, "sla_escalation", both).people_count == 1


def test_without_anybody_to_tell_it_is_one_query(ctx, session):
    things = rules.things_of("sla_escalation", escalation(order(1, "kim")), None)
    with statements(session.get_bind()) as asked:
        audience.spread(ctx, "sla_escalation", {}, things)
    assert len(asked) == 1


def test_of_two_alerts_at_once_one_tells(ctx, person, engine, clock, config, session):
    for name in ("kim", "lee", "park"):
        person(name)
    ctx.commit()
    lines = [order(number, ("kim", "lee", "park")[number % 3]) for number in range(12)]
    both = Barrier(2)

    def tell(mine):
        both.wait(10)
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as own:
            alerts.raise_alert(own, "sla_escalation", escalation(*mine))

    with ThreadPoolExecutor(2) as pool:
        assert len(list(pool.map(tell, (lines, lines[::-1])))) == 2

    subjects = Counter(line["subject"] for row in messages(session) for line in row.payload_json["items"])
    assert subjects == {f"order:{number}": 1 for number in range(12)}


# An alert after so many minutes about some of three things on a step; whether it waits for quiet hours to end.
HISTORY = st.lists(
    st.tuples(
        st.integers(0, 400), st.sets(st.integers(0, 2), min_size=1), st.integers(1, 2), st.sampled_from([0, 480])
    ),
    max_size=12,
)


@given(history=HISTORY)
def test_nothing_is_told_twice_within_the_interval_whatever_happens(engine, clock, config, history):
    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
        ctx.session.query(AlertNotice).delete()
        known, now = {}, clock.now()
        for minutes, subjects, step, waits in history:
            now += timedelta(minutes=minutes)
            moment = now + timedelta(minutes=waits)
            keys = {rules.identity(7, "sla_escalation", f"order:{one}", str(step)): moment for one in subjects}
            expected = {key for key in keys if not rules.told_already(known.get(key), moment, INTERVAL)}
            assert notices.claim_many(ctx, keys, INTERVAL, now=now) == expected
            known |= dict.fromkeys(expected, moment)
        ctx.rollback()


def test_messages_are_split_before_they_get_too_long(ctx, person, session):
    person("kim")
    alerts.raise_alert(ctx, "sla_escalation", escalation(*(order(number, "kim") for number in range(1001))))
    assert [len(row.payload_json["items"]) for row in session.scalars(select(PersonalDelivery))] == [500, 500, 1]


def test_what_becomes_somebodys_is_told_to_them_unless_they_took_it(ctx, person, session, clock):
    kim = person("kim", role="manager")
    new = {"site": SITE, "location": "B1"}
    one = create.create(ctx, NewOrder("펌프", **new, assignee="kim"))
    two = create.create(ctx, NewOrder("밸브", **new))
    edit.change(ctx, two.id, OrderChange(assignee="kim"))
    create.create(kim, NewOrder("등", **new, assignee="kim"))
    row = add_item(session, clock.now(), 7, site=SITE)
    items.change(ctx, row.id, ItemChange(assignee="kim"))

    places = deliver(ctx)
    assert [payload["event"] for _address, _id, payload in places.seen] == [
        *("work_order_assigned", "work_order_assigned", "ops_governance_remediation_assigned")
    ]
    assert told(places)[at("kim")] == [[f"order:{one.id}"], [f"order:{two.id}"], [f"item:{row.id}"]]
    assert session.scalars(select(AlertDelivery)).all() == []


def test_whoever_gets_an_item_of_a_week_hears_of_it_in_korean_where_the_site_is_theirs(ctx, person, session, clock):
    ctx.config = Config.for_tests(PUBLIC_URL="https://console.example")
    person("kim", sites=(SITE,))
    person("choi", sites=(OTHER,))
    name = {"name": {"msgid": "Bring the weekly SLA run back", "params": {}}}
    made = {"tracker": "w07", "site": SITE, "item_type": "sla_checklist", "texts": name}
    row = add_item(session, clock.now(), 8, item_name="Bring the weekly SLA run back", **made)
    other = add_item(session, clock.now(), 9, item_name="Other", **made | {"item_key": "other"})
    items.change(ctx, row.id, ItemChange(assignee="kim"), WEEKS["w07"].programme)
    tracker_bulk.apply(ctx, Selection((other.id,)), BulkChange("assign", assignee="choi"), WEEKS["w07"].programme)

    ((address, _id, payload),) = deliver(ctx).seen
    assert (address, [line["item_id"] for line in payload["items"]]) == (at("kim"), ["W07-008"])
    assert payload["items"][0]["url"] == f"https://console.example/programme/w07/items/{row.id}"
    assert "주간 SLA 실행 되살리기" in lines(payload, UTC)[1]


def test_an_item_that_is_made_for_somebody_is_told_to_them(ctx, person, session):
    person("kim")
    made = manual.create(ctx, NewItem("수신기 확인", assignee="kim"))

    assert told(deliver(ctx)) == {at("kim"): [[f"item:{made.id}"]]}


def test_of_many_orders_that_are_given_at_once_one_message_tells(ctx, person, session):
    person("kim")
    ids = [add_order(session, ctx.now()).id for _number in range(30)]
    bulk.apply(ctx, Selection(ids=tuple(ids)), OrderBulk("assign", value="kim"))

    ((_address, _id, payload),) = deliver(ctx).seen
    assert payload["count"] == 30
    said = lines(payload, UTC)
    assert (len(said), said[0]) == (22, "새로 배정된 작업지시: 30건")


@pytest.mark.parametrize("hook", ["", "https://hooks.example/a"])
def test_late_items_reach_whoever_has_them_past_the_first_twenty_and_without_a_channel(
    ctx, person, session, clock, hook
):
    person("kim", role="manager")
    ctx.config = ctx.config.replaced(ALERT_WEBHOOK_URL=hook)
    for number in range(1, 31):
        item(session, clock, number, -number, assignee="lee" if number > 3 else "kim", priority=number)
    session.commit()
    late = {f"item:{row.id}" for row in session.scalars(select(TrackerItem).where(TrackerItem.assignee == "kim"))}
    for _hour in range(3):
        made = automation_run(ctx, ESCALATION)
        clock.advance(timedelta(hours=1))

    # What is published says what became of the channels, as before.
    assert made.result.detail.notify_error == (None if hook else "no_targets")
    (mine,) = [row for row in messages(session) if row.event_type == "ops_governance_remediation_escalation"]
    assert {line["subject"] for line in mine.payload_json["items"]} == late


def test_a_handover_that_waits_reaches_both_who_gave_it_and_who_takes_it(ctx, person, session, clock):
    kang, _lee, _park = person("kang", sites=(SITE,)), person("lee", sites=(SITE,)), person("park", sites=(SITE,))
    add_order(session, clock.now(), due_at=clock.now() - timedelta(hours=1))
    made = handover.give(kang, SITE, 0, taker="lee")
    clock.advance(timedelta(hours=13))
    handover_escalation.escalate(ctx)

    places = deliver(ctx)
    assert told(places) == {at(name): [[f"handover:{made.id}"]] for name in ("kang", "lee")}
    assert lines(places.seen[0][2], UTC)[0] == "제때 확인하지 않은 인계: 1건"
