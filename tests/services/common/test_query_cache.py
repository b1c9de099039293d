"""What was found is found again only after something was written, in every order of readers and writers."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from console.core.context import SYSTEM, Context
from console.core.revisions import SILENT
from console.models.identity import Site
from console.services.common.lists import Slice
from console.services.common.query_cache import (
    ALWAYS,
    LONGEST,
    MOST,
    MOST_AT_ONCE,
    cached_query,
    cached_query_until,
    forget,
    stored_rows,
)
from tests.factories import make_user


class Reader:
    """Units of work that count the sites, and how often they really looked."""

    def __init__(self, engine: Engine, clock, config):
        self.factory, self.clock, self.config = sessionmaker(engine), clock, config
        self.looked = 0

    def count(self, session: Session) -> int:
        self.looked += 1
        return session.scalar(text("SELECT count(*) FROM sites"))

    def context(self, session: Session, *, only_reads: bool = True) -> Context:
        return Context(session, self.clock, SYSTEM, self.config, only_reads=only_reads)

    def sites(self) -> int:
        with self.factory() as session:
            return cached_query(self.context(session), "sites", lambda: self.count(session))


@pytest.fixture
def reader(engine, clock, config):
    found = Reader(engine, clock, config)
    forget(engine)
    return found


def add_site(session: Session, number: int) -> None:
    session.execute(
        text(
            "INSERT INTO sites (name, name_key, zone, is_active, created_at, updated_at, version)"
            f" VALUES ('s{number}', 's{number}', 'Asia/Seoul', {'1' if sqlite(session) else 'true'},"
            " '2026-03-02 00:00:00', '2026-03-02 00:00:00', 1)"
        )
    )


def site_values() -> dict:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    return {"name": "a", "name_key": "a", "zone": "UTC", "is_active": True, "created_at": now, "updated_at": now}


def sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def test_nothing_is_looked_up_twice_while_nothing_is_written(reader):
    def looks() -> int:
        before = reader.looked
        assert [reader.sites() for _ in range(4)] == [0, 0, 0, 0]
        return reader.looked - before

    assert [looks(), looks()] == [1, 0]


def test_a_change_of_another_table_leaves_what_was_found(reader, clock):
    assert reader.sites() == 0
    with reader.factory() as session:
        make_user(session, now=clock.now())
        session.commit()
    assert [reader.sites(), reader.looked] == [0, 1]


def test_a_change_that_hit_no_row_is_none(reader):
    assert reader.sites() == 0
    with reader.factory() as session:
        session.execute(text("UPDATE sites SET zone = 'UTC' WHERE id = -1"))
        session.commit()
    assert [reader.sites(), reader.looked] == [0, 1]


def test_every_way_to_change_a_table_is_noticed(reader, engine, session):
    changes = (
        lambda one: add_site(one, 1),
        lambda one: one.execute(update(Site).values(zone="UTC")),
        lambda one: one.execute(update(Site.__table__).values(zone="Asia/Seoul")),
        lambda one: one.connection().exec_driver_sql("UPDATE sites SET zone = 'UTC'"),
        lambda one: setattr(one.scalars(select(Site)).one(), "zone", "Asia/Tokyo"),
        lambda one: one.execute(update(Site).values(zone="UTC").returning(Site.id)),
        lambda one: one.execute(delete(Site)),
    )
    for change in changes:
        before = reader.sites(), reader.looked
        change(session)
        session.commit()
        reader.sites()
        assert reader.looked == before[1] + 1, change
    with engine.begin() as connection:
        connection.execute(insert(Site.__table__).values(site_values()))
    assert reader.sites() == 1


def test_what_was_changed_by_hand_is_seen_after_a_minute(reader, clock, engine):
    assert reader.sites() == 0
    with engine.connect().execution_options(**{SILENT: True}) as connection:
        connection.execute(insert(Site.__table__).values(site_values()))
        connection.commit()
    assert reader.sites() == 0
    clock.set(clock.now() + LONGEST + timedelta(seconds=1))
    assert reader.sites() == 1


def test_what_another_connection_committed_is_seen_at_once(reader):
    assert reader.sites() == 0
    with reader.factory() as reading, reader.factory() as writing:
        # The first connection is taken, so the writer has another one.
        reading.execute(text("SELECT 1"))
        add_site(writing, 1)
        writing.commit()
    assert reader.sites() == 1


def test_what_the_same_connection_committed_is_seen_at_once(reader):
    assert reader.sites() == 0
    with reader.factory() as session:
        add_site(session, 1)
        session.commit()
    assert reader.sites() == 1


def test_a_unit_of_work_that_may_write_sees_its_own_rows(reader):
    assert reader.sites() == 0
    with reader.factory() as session:
        ctx = reader.context(session, only_reads=False)
        add_site(session, 1)
        assert cached_query(ctx, "sites", lambda: reader.count(session)) == 1
        session.rollback()
    assert reader.sites() == 0


def test_taking_the_right_to_write_ends_the_promise(reader):
    with reader.factory() as session:
        ctx = reader.context(session)
        assert cached_query(ctx, "sites", lambda: reader.count(session)) == 0
        ctx.begin_write()
        add_site(session, 1)
        assert cached_query(ctx, "sites", lambda: reader.count(session)) == 1


def test_what_time_changes_holds_up_to_its_instant_and_not_before_it_was_found(reader, clock):
    start = clock.now()

    def ask(ctx: Context) -> int:
        return cached_query_until(ctx, "late", clock.now(), find)

    def find():
        reader.count(session)
        return reader.looked, start + timedelta(seconds=5)

    with reader.factory() as session:
        # Within one transaction only time passes.
        ctx = reader.context(session)
        assert (ask(ctx), ask(ctx)) == (1, 1)
        clock.set(start + timedelta(seconds=5))
        assert ask(ctx) == 1
        clock.set(start + timedelta(seconds=5, microseconds=1))
        assert ask(ctx) == 2
        clock.set(start - timedelta(hours=1))
        assert ask(ctx) == 3


def test_the_memory_is_bounded(reader, engine):
    with reader.factory() as session:
        ctx = reader.context(session)

        def ask(key, result):
            def find():
                reader.count(session)
                return result

            return cached_query(ctx, key, find)

        for number in range(2 * MOST):
            assert ask(number, number) == number
        assert stored_rows(engine) == MOST
        # A page of rows weighs what its rows weigh, and drives out that many figures.
        ask("page", (list(range(100)), 7))
        assert ask(2 * MOST - 1, -1) == 2 * MOST - 1
        assert ask(MOST + 50, -1) == -1
        for number in range(2 * MOST // MOST_AT_ONCE):
            ask(("slice", number), Slice(tuple(range(MOST_AT_ONCE - 1)), 7))
        assert MOST - MOST_AT_ONCE <= stored_rows(engine) <= MOST
        # What is too large is given all the same, and drives out nothing.
        before = stored_rows(engine)
        assert len(ask("all", list(range(2 * MOST_AT_ONCE)))) == 2 * MOST_AT_ONCE
        assert stored_rows(engine) == before
        assert ask("small", 5) == ask("small", 6) == 5
    assert ALWAYS.utcoffset() == timedelta(0)


def test_what_asked_the_database_for_nothing_is_not_kept(reader):
    with reader.factory() as session:
        ctx = reader.context(session)
        assert [cached_query(ctx, "made elsewhere", lambda made=made: made) for made in (1, 2)] == [1, 2]


@settings(max_examples=15)
@given(steps=st.lists(st.sampled_from(["read", "write", "write and undo"]), min_size=1, max_size=12))
def test_readers_never_see_an_old_count(shared_engine, steps):
    from tests.conftest import empty

    empty(shared_engine)
    forget(shared_engine)
    reader = Reader(shared_engine, None, None)
    there = 0
    for number, step in enumerate(steps):
        with reader.factory() as session:
            if step == "read":
                ctx = reader.context(session)
                found = cached_query_until(
                    ctx, "sites", ALWAYS, lambda session=session: (reader.count(session), ALWAYS)
                )
                assert found == there
            else:
                add_site(session, number)
                if step == "write":
                    session.commit()
                    there += 1
                else:
                    session.rollback()
