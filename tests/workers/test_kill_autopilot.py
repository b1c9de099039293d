"""An autopilot killed at any statement of a run that really acts: every item is given away and told about once.

The short form kills six runs at random statements; SOAK=1 fifty.
"""

import os
import random
import signal
from collections import Counter

import pytest
from sqlalchemy import select

from console.models.alerts import AlertDelivery
from console.models.automation import RunFact
from console.models.jobs import JobRun
from console.models.tracker import TrackerEvent
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.services.automation.automation_support import AUTOPILOT, HOOK, item, items_of, people, set_policy
from tests.services.jobs.run_support import contents
from tests.workers.test_kill import after_the_reaper, in_child

TIMES = 50 if os.environ.get("SOAK") == "1" else 6
FORCED = {"force": True}


@pytest.fixture
def company(place_on, redis_address, session, clock):
    """People, a channel, and a policy under which each run gives away and tells."""
    place = place_on(redis_address, ALERT_WEBHOOK_URL=HOOK)
    people(session, clock)
    session.commit()
    with place.by_hand() as ctx:
        set_policy(ctx, sync_before_run=False, cooldown_minutes=0)
    return place


def work_for_a_run(session, clock, round_number):
    """Add an item that is late and critical, one that is due soon, and one that is only unassigned."""
    session.rollback()
    first = 10 * round_number
    item(session, clock, first + 1, -2, critical=True)
    item(session, clock, first + 2, 3)
    item(session, clock, first + 3, 90)
    session.commit()


def by_item(session, kind):
    session.rollback()
    return Counter(session.scalars(select(TrackerEvent.item_id).where(TrackerEvent.kind == kind)))


def test_a_killed_autopilot_doubles_nothing_and_loses_nothing(company, ask, engine, session, clock):
    job = registry.get(AUTOPILOT)
    work_for_a_run(session, clock, 0)
    statements, _signal = in_child(company, ask(job, FORCED, on=company), kill_at=None)
    chance, killed = random.Random(engine.dialect.name), 0

    for number in range(1, TIMES + 1):
        work_for_a_run(session, clock, number)
        run_id = ask(job, FORCED, on=company)
        asked = contents(engine)
        count, ended_by = in_child(company, run_id, kill_at=chance.randint(1, statements))
        killed += ended_by == signal.SIGKILL
        statements = count or statements
        session.rollback()
        finished = session.get_one(JobRun, run_id, populate_existing=True).state == "finished"
        assert finished or contents(engine) == asked
        mine = next(run for run in after_the_reaper(company, session) if run.id == run_id)
        if mine.state == "queued":
            with company.by_hand() as ctx:
                assert run_engine.perform(ctx, registry.find, run_id, "heir") is not None
        elif not finished:
            # Given up: the next hour does the work.
            assert (mine.status, mine.error_code) == ("critical", "worker_lost")
            with company.by_hand() as ctx:
                run_engine.execute(ctx, job, FORCED)

    assert killed >= TIMES / 2
    rows = items_of(session).values()
    assert all(row.assignment_source == "auto" and row.version == 2 for row in rows)
    assert by_item(session, "auto_assigned") == Counter(row.id for row in rows)
    assert by_item(session, "escalated") == Counter(row.id for row in rows if row.number % 10 != 3)
    sent = Counter(session.scalars(select(AlertDelivery.event_type)))
    assert set(sent.values()) == {TIMES + 1}
    assert len(sent) == 2
    acted = select(RunFact.run_id).where(RunFact.job_name == AUTOPILOT, RunFact.skipped.is_(False))
    assert len(session.scalars(acted).all()) == TIMES + 1
