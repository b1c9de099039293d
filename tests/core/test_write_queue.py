"""Writers of one process on SQLite: first come, first served, and nobody keeps the turn."""

import threading
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from console.core.context import start_writing
from console.core.database import make_engine
from console.core.write_queue import WriteQueue
from tests.support.holder import writing_elsewhere
from tests.support.wait import until

# Far more than any thread needs; only a turn that never comes takes this long.
LONG_SECONDS = 30.0
SHORT_SECONDS = 0.05


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/queue.db"


@pytest.fixture
def factory(url):
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (name TEXT UNIQUE)"))
    yield sessionmaker(engine)
    engine.dispose()


def insert(session, name):
    session.execute(text("INSERT INTO marks VALUES (:name)"), {"name": name})


def names(factory):
    with factory() as session:
        return list(session.scalars(text("SELECT name FROM marks ORDER BY rowid")))


def test_turns_come_in_the_order_of_asking():
    queue, order = WriteQueue(), []
    first = queue.take(LONG_SECONDS)

    def wait_and_note(number):
        turn = queue.take(LONG_SECONDS)
        order.append(number)
        queue.give_back(turn)

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=wait_and_note, args=(number,)))
        threads[-1].start()
        until(lambda number=number: len(queue._waiting) > number)
    queue.give_back(first)
    for thread in threads:
        thread.join()

    assert order == list(range(8))


def test_whoever_gave_up_is_not_called():
    queue, found = WriteQueue(), []
    first = queue.take(LONG_SECONDS)
    thread = threading.Thread(target=lambda: found.append(queue.take(SHORT_SECONDS)))
    thread.start()
    thread.join()
    queue.give_back(first)

    assert found == [None]
    assert queue.take(SHORT_SECONDS) is not None


def test_many_writers_all_get_through(factory):
    def write(number):
        for turn in range(5):
            with factory() as session:
                start_writing(session)
                insert(session, f"{number}-{turn}")
                session.commit()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(names(factory)) == 40


def test_a_second_writer_of_the_same_thread_fails_at_once_instead_of_waiting_for_itself(factory):
    begin = time.monotonic()
    with factory() as first, factory() as second:
        start_writing(first)
        with pytest.raises(OperationalError, match="database is locked"):
            start_writing(second)
        insert(first, "kept")
        first.commit()

    assert time.monotonic() - begin < 5
    assert names(factory) == ["kept"]


def commit(session):
    session.commit()


def roll_back(session):
    session.rollback()


def close(session):
    session.close()


def fail(session):
    insert(session, "twice")
    with pytest.raises(Exception, match="UNIQUE"):
        insert(session, "twice")
    session.rollback()


def invalidate(session):
    session.connection().invalidate()
    session.close()


@pytest.mark.parametrize("end", [commit, roll_back, close, fail, invalidate])
def test_a_turn_ends_with_its_transaction_however_that_ends(factory, end):
    with factory() as session:
        start_writing(session)
        end(session)

        with factory() as other:
            start_writing(other, SHORT_SECONDS)
            insert(other, "next")
            other.commit()

    assert names(factory) == ["next"]


def test_a_writer_of_another_process_is_waited_for_no_longer_than_asked_and_keeps_no_turn(factory, url):
    with writing_elsewhere(url), factory() as session:
        begin = time.monotonic()
        for _ in range(2):
            with pytest.raises(OperationalError, match="database is locked"):
                start_writing(session, SHORT_SECONDS)
            session.rollback()
        assert time.monotonic() - begin < 5
    with factory() as session:
        start_writing(session, SHORT_SECONDS)
        # The impatience of one transaction does not stay with the connection.
        assert session.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_readers_stand_in_no_queue(factory):
    with factory() as writer, factory() as reader:
        start_writing(writer)
        insert(writer, "unseen")

        assert list(reader.scalars(text("SELECT name FROM marks"))) == []
