"""Several people at once: one gives, one confirms, one accepts; nothing is counted twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import start_writing, unit_of_work
from console.domain.errors import Conflict
from console.models.handover import Handover, HandoverLine
from console.services.handover import changes
from tests.conftest import actor_of
from tests.factories.work_orders import add_order

SITE = "본관"


def test_of_many_at_once_one_gives_confirms_and_accepts(engine, session, clock, config):
    start_writing(session)
    add_order(session, clock.now(), due_at=clock.now() - timedelta(hours=1))
    session.commit()
    factory = sessionmaker(engine)

    def attempt(person, act):
        try:
            actor = actor_of("operator", (SITE,), username=person)
            with unit_of_work(factory, actor=actor, clock=clock, config=config) as ctx:
                act(ctx)
        except Conflict:
            return 0
        return 1

    def all_at_once(act):
        with ThreadPoolExecutor(4) as pool:
            return sum(pool.map(lambda number: attempt(f"person{number}", act), range(4)))

    assert all_at_once(lambda ctx: changes.give(ctx, SITE, 0)) == 1
    given = session.scalars(select(Handover)).one()
    lines = session.scalars(select(HandoverLine.id)).all()
    for line in lines:
        # The giver is one of the four, and may not.
        assert all_at_once(lambda ctx, line=line: changes.confirm(ctx, given.id, line)) == 1
    session.rollback()
    session.refresh(given)
    assert given.confirmed_count == given.line_count == len(lines)
    assert all_at_once(lambda ctx: changes.accept(ctx, given.id)) == 1
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Handover).where(Handover.state == "accepted")) == 1
