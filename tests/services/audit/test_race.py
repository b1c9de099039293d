"""Many writers at once: no fork, no gap, no entry without its change.

The short form appends 30 entries from 3 processes, SOAK=1 4,000 from 8: starting one costs more than what it writes.
"""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.models.identity import Site
from console.services.audit import record as audit
from console.services.audit.verify import verify_all
from tests.services.audit.audit_support import Trail

ROOT = Path(__file__).parents[3]
PROCESSES, EACH = (8, 500) if os.environ.get("SOAK") == "1" else (3, 10)


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


def whole(trail, count):
    report = trail.check(verify_all)
    assert report.chain_ok, report.issues
    assert (report.checked_count, report.last_seq) == (count, count)
    rows = trail.rows()
    assert [row.seq for row in rows] == list(range(1, count + 1))
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert trail.head().seq == count


def test_processes_append_one_chain(trail, database):
    command = [sys.executable, "-m", "tests.support.appender", database, str(EACH)]
    children = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for number in range(PROCESSES)
    ]
    try:
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        codes = [child.wait(timeout=240) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()

    assert codes == [0] * PROCESSES
    count = len(trail.rows())
    written = Counter(row.actor_username for row in trail.rows())
    assert len(written) == PROCESSES
    assert set(written.values()) == {count // PROCESSES}
    assert count >= PROCESSES * EACH
    whole(trail, count)
    with trail.factory() as session:
        assert session.scalar(select(func.count(Site.id))) == count


def test_eight_threads_write_thirty_two_entries_into_one_chain(trail):
    def one(number):
        with trail.ctx(write=True) as ctx:
            audit.record(ctx, "thing_update", "thing", number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(32)))

    whole(trail, 32)


def test_the_very_first_entries_do_not_fork_either(trail):
    """Eight first entries at once: the head of the chain comes into being once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _number: trail.write(1), range(8)))

    whole(trail, 8)


def test_many_entries_of_one_transaction_stand_together(trail):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _number: trail.write(5), range(8)))

    whole(trail, 40)
    requests = [row.request_id for row in trail.rows()]
    assert all(len(set(requests[start : start + 5])) == 1 for start in range(0, 40, 5))
