"""Whatever happens: nobody gets the same thing twice by two ways within the interval, and a message goes out once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, unit_of_work
from console.domain.alerts.alerts import answered
from console.services.alerts import channels, delivery, personal, personal_choices, personal_names
from console.services.alerts import outbox as alerts
from console.services.alerts.channels import Wish as ChannelWish
from console.services.alerts.personal_choices import Wish
from tests.conftest import START, actor_of, empty
from tests.factories import make_user
from tests.services.alerts.personal_support import SITE, deliver, escalation, messages, order, outside, reach, standing
from tests.services.alerts.test_guard import Receivers

INTERVAL = timedelta(minutes=180)
ADDRESSES = tuple(f"https://hooks.example.com/{number}" for number in range(3))
ROOM = "https://hooks.slack.example/room"
# Receivers take, fail for a while, or refuse; alerts tell of some of three orders; addresses and the channel pause.
STEP = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 20, 61, 119, 181, 400])),
    st.tuples(st.just("raise"), st.sets(st.integers(0, 2), min_size=1)),
    st.tuples(st.just("answers"), st.integers(0, 2), st.sampled_from([200, 503, 410])),
    st.tuples(st.just("pause"), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("room"), st.booleans()),
    st.tuples(st.just("quiet"), st.booleans()),
    st.tuples(st.just("deliver")),
)


class Life:
    """One person with three addresses and a name in a channel, and all that reached them."""

    def __init__(self, engine, clock, config):
        empty(engine)
        clock.set(START)
        self.factory, self.clock, self.config, self.places = sessionmaker(engine), clock, config, Receivers()
        self.told, self.actor = [], SYSTEM
        with self.work() as ctx:
            user = make_user(ctx.session, now=clock.now(), username="kim")
            self.actor = actor_of("operator", username="kim", user_id=user.id)
            self.lines = [standing(ctx, "kim") for _number in range(3)]
            self.room = channels.create(Life.owner(ctx), ChannelWish("현장", "slack", ROOM), look_up=outside).key
        with self.work() as ctx:
            self.ids = [
                personal.add(ctx, kind="webhook", address=address, look_up=outside)[0].id for address in ADDRESSES
            ]
            personal_names.keep(ctx, self.room, "U012AB3CD")

    @staticmethod
    def owner(ctx):
        ctx.actor = actor_of("owner")
        return ctx

    def work(self):
        return unit_of_work(self.factory, actor=self.actor, clock=self.clock, config=self.config)

    def take(self, step):
        name, *values = step
        if name == "wait":
            self.clock.advance(timedelta(minutes=values[0]))
            return
        if name == "answers":
            self.places.behave[ADDRESSES[values[0]]] = answered(values[1])
            return
        with self.work() as ctx:
            if name == "raise":
                alerts.raise_alert(ctx, "sla_escalation", escalation(*(self.lines[one] for one in sorted(values[0]))))
            elif name == "pause":
                now = personal.get_own(ctx, self.ids[values[0]])
                personal.pause(ctx, now.id, paused=values[1], version=now.version)
            elif name == "room":
                owner = Life.owner(ctx)
                version = channels.get(owner, self.room).version
                channels.pause(owner, self.room, paused=values[0], reason="수리", version=version)
            elif name == "quiet":
                hours = {"quiet_start": 600, "quiet_end": 900} if values[0] else {}
                version = personal_choices.own(ctx).version
                personal_choices.change(ctx, Wish(("sla_escalation",), **hours), version=version)
        if name == "deliver":
            self.deliver()

    def deliver(self):
        self.places.seen.clear()
        with self.work() as ctx:
            known = delivery.channel_map(ctx)
        rules = delivery.states.rules_of(self.config)
        paused = [one.key for one in known.values() if one.paused]
        delivery.deliver(self.work, self.places, known, most_attempts=4, rules=rules, paused=paused)
        for address, message_id, payload in self.places.seen:
            took = self.places.behave.get(address, answered(200)).ok
            theirs = payload.get("named", {}).get("kim", ())
            for line in payload.get("items", payload.get("orders", ())):
                if took and (address != ROOM or f"#{line['id']}" in theirs):
                    self.told.append((line["id"], self.clock.now(), message_id))


SHUT, FIRST, SENT = ("room", True), ("raise", {0}), ("deliver",)
AWAY, BACK = ("pause", 0, True), ("pause", 0, False)


@settings(max_examples=30)
# What waited is told by another way meanwhile; and what waited is told late, so that the interval begins late.
@example(history=[SHUT, FIRST, AWAY, SENT, ("wait", 181), FIRST, SENT, BACK, SENT])
@example(history=[SHUT, FIRST, AWAY, ("wait", 119), BACK, SENT, ("wait", 61), FIRST, SENT])
@given(history=st.lists(STEP, min_size=4, max_size=20))
def test_nobody_gets_the_same_twice_within_the_interval(engine, clock, config, history):
    life = Life(engine, clock, config)
    for step in history:
        life.take(step)
    for line in life.lines:
        times = sorted((at, message_id) for subject, at, message_id in life.told if subject == line["id"])
        for (before, first), (after, second) in pairwise(times):
            assert after - before >= INTERVAL, (first, second)


def test_of_two_dispatchers_one_sends_each_message(ctx, make_ctx, session, clock, engine, config):
    for number in range(6):
        name = f"kim{number}"
        reach(make_ctx, session, clock, name, address=f"https://hooks.example.com/{name}")
        alerts.raise_alert(ctx, "sla_escalation", escalation(standing(ctx, name), order(99, "nobody", site=SITE)))
    ctx.commit()
    places, both = Receivers(), Barrier(2)

    def dispatch(_number):
        def work():
            return unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config)

        both.wait(10)
        delivery.deliver(work, places, {}, most_attempts=3)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(dispatch, range(2)))
    assert sorted(places.addresses()) == [f"https://hooks.example.com/kim{number}" for number in range(6)]
    assert {(row.status, row.attempt_count) for row in messages(session)} == {("success", 1)}
    assert deliver(ctx).seen == []
