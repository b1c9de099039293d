"""Shifts that overlap, wait, ask back and cross each other: what happened stands in a handover that was accepted."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import select

from console.domain.errors import Conflict
from console.domain.handover import lines as rules
from console.models.handover import Handover, HandoverLine, HandoverNote
from console.models.work_orders import WorkOrder
from console.services.handover import changes, shifts
from tests.factories.work_orders import add_order

SITE = "본관"
PEOPLE = ("kang", "lee", "park")
MINUTE = timedelta(minutes=1)


class Shifts:
    """A site with three people who do what comes to their minds; orders are never in trouble, only new."""

    def __init__(self, rng, session, clock, contexts):
        self.rng, self.session, self.clock, self.contexts = rng, session, clock, contexts
        self.under_way = []
        self.seen = {}

    def who(self):
        return self.contexts[self.rng.choice(PEOPLE)]

    def step(self):
        act = self.rng.choice(
            (self.order, self.order, self.begin_storing, self.note, self.look, self.give, self.give, self.confirm,
             self.confirm, self.accept, self.accept, self.ask, self.wait)
        )  # fmt: skip
        try:
            with self.session.begin_nested():
                act()
        except Conflict:
            pass
        self.store(late=False)

    def order(self, at=None):
        at = at or self.clock.now()
        due = at + timedelta(days=30)
        add_order(self.session, self.clock.now(), created_at=at, due_at=due, assignee="lee")

    def begin_storing(self):
        """Somebody's transaction has its instant already, and ends a few minutes later."""
        self.under_way.append(self.clock.now())

    def store(self, *, late):
        for at in list(self.under_way):
            if late or self.rng.random() < 0.2 or self.clock.now() - at > 8 * MINUTE:
                self.under_way.remove(at)
                self.order(at)

    def note(self):
        opened = [one.id for one in shifts.open_ones(self.who(), SITE)]
        where = self.rng.choice([None, *opened])
        changes.add_note(self.who(), SITE, f"note {self.rng.random()}", where)

    def look(self):
        """Somebody looks at what there is to hand over, and gives it some time later."""
        ctx = self.who()
        self.seen[ctx.actor.username] = shifts.preview(ctx, SITE).previous_id

    def give(self):
        ctx = self.who()
        newest = shifts.newest(ctx, SITE)
        changes.give(ctx, SITE, self.seen.pop(ctx.actor.username, newest.id if newest else 0))

    def any_open(self, ctx):
        found = shifts.open_ones(ctx, SITE)
        return self.rng.choice(found).id if found else None

    def confirm(self):
        ctx = self.who()
        if number := self.any_open(ctx):
            for line in shifts.lines_of(ctx, number):
                if line.state != "confirmed" and self.rng.random() < 0.8:
                    changes.confirm(ctx, number, line.id)

    def accept(self):
        ctx = self.who()
        if number := self.any_open(ctx):
            changes.accept(ctx, number)

    def ask(self):
        ctx = self.who()
        if (number := self.any_open(ctx)) and (lines := shifts.lines_of(ctx, number)):
            changes.ask(ctx, number, self.rng.choice(lines).id, "?")

    def wait(self):
        # What is under way ends within a few minutes.
        most = 4 if self.under_way else 600
        self.store(late=most == 4 and self.rng.random() < 0.5)
        self.clock.advance(self.rng.randrange(1, most) * MINUTE)

    def told(self, subject):
        accepted = select(HandoverLine.subject_id).join(Handover, Handover.id == HandoverLine.handover_id)
        return set(self.session.scalars(accepted.where(Handover.state == "accepted", HandoverLine.subject == subject)))

    def check(self):
        last = shifts.last_accepted(self.contexts["lee"], SITE)
        if last is None:
            return
        stored_before = select(WorkOrder.id).where(
            WorkOrder.created_at < last.given_at, WorkOrder.updated_at < last.given_at
        )
        assert set(self.session.scalars(stored_before)) <= self.told("work_order")
        settled = select(HandoverNote.id).where(HandoverNote.settled_by.is_not(None))
        assert set(self.session.scalars(settled)) <= self.told("note")

    def finish(self):
        """The last shift hands over to somebody who takes it all."""
        self.store(late=True)
        self.clock.advance(MINUTE)
        newest = shifts.newest(self.contexts["kang"], SITE)
        given = changes.give(self.contexts["kang"], SITE, newest.id if newest else 0)
        for line in shifts.lines_of(self.contexts["lee"], given.id):
            changes.confirm(self.contexts["lee"], given.id, line.id)
        changes.accept(self.contexts["lee"], given.id)


@pytest.mark.parametrize("seed", range(6))
def test_no_two_shifts_lose_anything_between_them(ctx, make_ctx, session, clock, seed, monkeypatch):
    monkeypatch.setattr(rules, "MOST_OF_A_KIND", 1000)
    contexts = {name: make_ctx("operator", (SITE,), username=name) for name in PEOPLE}
    site = Shifts(random.Random(seed), session, clock, contexts)
    changes.give(contexts["kang"], SITE, 0)
    for _turn in range(70):
        site.step()
        site.check()
    site.finish()

    assert set(session.scalars(select(WorkOrder.id))) == site.told("work_order")
    assert set(session.scalars(select(HandoverNote.id))) == site.told("note")
    chain = session.scalars(select(Handover.previous_id).order_by(Handover.id)).all()
    assert len(chain) == len(set(chain)) > 3


@pytest.mark.parametrize("minutes", [0, 1, 9])
def test_what_was_stored_while_a_shift_handed_over_stands_in_the_next_one(ctx, make_ctx, session, clock, minutes):
    kang, lee = (make_ctx("operator", (SITE,), username=name) for name in ("kang", "lee"))
    site = Shifts(random.Random(1), session, clock, {"kang": kang, "lee": lee})
    site.order()
    began = clock.now()
    clock.advance(minutes * MINUTE)
    first = changes.give(kang, SITE, 0)
    for line in shifts.lines_of(lee, first.id):
        changes.confirm(lee, first.id, line.id)
    changes.accept(lee, first.id)
    # The transaction that began before ends only now.
    site.order(began)
    titles = [one.line for one in shifts.preview(lee, SITE).lines if one.line.subject == "work_order"]

    assert [one.subject_id for one in titles] == [2]
