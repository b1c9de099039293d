"""The schedule: each instant once, whoever looks and whatever the clock does; silence is noticed."""

from __future__ import annotations

import os
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from console.core import logs
from console.core.clock import FixedClock
from console.core.context import SYSTEM, unit_of_work
from console.domain.errors import PermissionDenied
from console.domain.jobs import cron
from console.domain.jobs.schedule import ScheduleEntry
from console.models.jobs import JobRun, JobSchedule
from console.services.jobs import schedule as run_schedule
from tests.services.jobs.run_support import job_of
from tests.support.statements import statements

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LINES = (
    ScheduleEntry("gate", "45 0 * * *"),
    ScheduleEntry("sync", "52 * * * *"),
    ScheduleEntry("sync", "50 0 * * *", options={"times": 2}),
    ScheduleEntry("report", "0 9 * * 1", "Asia/Seoul"),
)
SOAK = os.environ.get("SOAK") == "1"
JOBS = {name: job_of(name=name) for name in ("gate", "sync", "report")}


@pytest.fixture(autouse=True)
def quiet():
    logs.configure("critical")


@pytest.fixture
def look(engine, config):
    """Return `look(clock, lines)`: one look of a scheduler process of its own."""

    def once(clock, lines=LINES) -> list[int]:
        with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config, write=False) as ctx:
            return run_schedule.tick(ctx, lines, JOBS.get)

    return once


def runs_of(session, name) -> list[JobRun]:
    session.rollback()
    return list(session.scalars(select(JobRun).where(JobRun.job_name == name).order_by(JobRun.scheduled_for)))


def instants_of(session, name) -> list[datetime]:
    return [run.scheduled_for for run in runs_of(session, name)]


def mark(session, line) -> JobSchedule:
    session.rollback()
    return session.get_one(JobSchedule, line.key, populate_existing=True)


def test_a_line_that_is_seen_for_the_first_time_starts_without_a_past(look, clock, session):
    assert look(clock) == []
    assert mark(session, LINES[0]).known_since == clock.now()


def test_an_instant_makes_one_run_with_the_options_of_its_line(look, clock, session):
    look(clock)
    clock.set(START + 45 * MINUTE)

    assert len(look(clock)) == 1
    assert look(clock) == []

    run = runs_of(session, "gate")[0]
    assert (run.trigger, run.state, run.scheduled_for, run.missed_count, run.catch_up) == (
        "cron",
        "queued",
        START + 45 * MINUTE,
        0,
        False,
    )
    clock.set(START + 50 * MINUTE)
    look(clock)
    assert runs_of(session, "sync")[0].options_json == {"name": "A", "times": 2}


def test_silence_is_caught_up_by_one_run_that_names_what_was_missed(look, clock, session):
    look(clock, LINES[1:2])
    clock.set(START + timedelta(hours=5, minutes=5))

    assert len(look(clock, LINES[1:2])) == 1

    run = runs_of(session, "sync")[0]
    assert (run.scheduled_for, run.missed_count, run.catch_up) == (START + timedelta(hours=4, minutes=52), 4, True)
    row = mark(session, LINES[1])
    assert (row.missed_total, row.last_missed_at) == (4, clock.now())


@pytest.mark.parametrize("seed", range(20 if SOAK else 1))
def test_two_schedulers_for_a_week_run_each_instant_once(look, session, seed):
    chance = random.Random(seed)
    truth = START
    clocks = [FixedClock(START), FixedClock(START + chance.uniform(-1, 1) * MINUTE)]
    skew = [clock.now() - START for clock in clocks]
    end = START + timedelta(days=7)
    for clock in clocks:
        look(clock)
    while truth < end:
        truth = min(end, truth + timedelta(seconds=chance.choice([60, 600, 1500])))
        for number in chance.sample((0, 1), k=chance.choice((1, 2))):
            clocks[number].set(truth + skew[number])
            look(clocks[number])
    for clock in clocks:
        clock.set(end + 2 * MINUTE)
        look(clock)

    for name in JOBS:
        expected = {
            instant
            for line in LINES
            if line.job == name
            for instant in cron.between(line.cron, line.zone, START + MINUTE, end)
        }
        found = instants_of(session, name)
        assert found == sorted(expected)
        assert {run.missed_count for run in runs_of(session, name)} == {0}


@pytest.mark.parametrize("seed", range(50 if SOAK else 3))
def test_schedulers_that_come_and_go_serve_or_count_every_instant(look, session, seed):
    chance = random.Random(seed)
    clock = FixedClock(START)
    look(clock)
    for _ in range(60):
        clock.advance(timedelta(minutes=chance.choice([1, 1, 1, 5, 200, 900])))
        for _ in range(chance.choice([0, 1, 1, 2])):
            look(clock)
    look(clock)

    for line in (LINES[0], LINES[1], LINES[3]):
        passed = cron.between(line.cron, line.zone, START, clock.now())
        served = [run for run in runs_of(session, line.job) if run.scheduled_for in set(passed)]
        assert len(served) + mark(session, line).missed_total == len(passed)
        assert len({run.scheduled_for for run in served}) == len(served)


def test_schedulers_that_look_in_the_same_moment_make_one_run(look, clock, session):
    look(clock)
    clock.set(START + 45 * MINUTE)
    barrier = threading.Barrier(6)
    made = []

    def race():
        barrier.wait()
        made.extend(look(clock))

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert instants_of(session, "gate") == [START + 45 * MINUTE]


@pytest.mark.parametrize("back", [timedelta(minutes=2), timedelta(hours=3), timedelta(days=2)])
def test_a_clock_set_back_runs_no_instant_twice_and_the_schedule_goes_on(look, clock, session, back):
    look(clock)
    end = START + timedelta(days=3)
    while clock.now() < end:
        clock.advance(30 * MINUTE)
        look(clock)
    before = instants_of(session, "sync")
    clock.advance(-back)
    look(clock)
    assert instants_of(session, "sync") == before

    later = end + timedelta(days=1)
    while clock.now() < later:
        clock.advance(30 * MINUTE)
        look(clock)

    found = instants_of(session, "sync")
    assert len(found) == len(set(found))
    assert set(found) == set(cron.between("52 * * * *", "UTC", START, later)) | set(
        cron.between("50 0 * * *", "UTC", START, later)
    )
    assert mark(session, LINES[1]).missed_total == 0


def test_a_clock_that_ran_ahead_for_a_while_does_not_silence_the_schedule(look, clock, session):
    look(clock)
    clock.advance(timedelta(days=365))
    look(clock)
    clock.set(START + 30 * MINUTE)
    look(clock)
    clock.set(START + 52 * MINUTE)
    look(clock)

    assert START + 52 * MINUTE in instants_of(session, "sync")


def test_a_line_of_a_job_that_does_not_exist_makes_nothing(look, clock, session):
    lines = (ScheduleEntry("nobody", "* * * * *"),)
    look(clock, lines)
    clock.advance(5 * MINUTE)

    assert look(clock, lines) == []


def test_a_quiet_look_writes_nothing(look, clock, engine):
    look(clock)
    clock.advance(timedelta(seconds=5))

    with statements(engine) as seen:
        look(clock)

    assert [statement.split()[0] for statement in seen] == ["SELECT"]


def test_the_overview_tells_last_next_late_and_missed(look, make_ctx, clock, session, engine):
    ctx = make_ctx("auditor")
    empty = run_schedule.overview(ctx, LINES, JOBS.get)
    assert (empty.seen_at, empty.silent, empty.late_count) == (None, True, 0)
    ctx.session.rollback()

    look(clock)
    clock.set(START + 46 * MINUTE)
    look(clock)
    found = run_schedule.overview(ctx, LINES, JOBS.get)
    gate = found.rows[0]
    assert not found.silent
    assert (gate.standing.previous_at, gate.standing.next_at) == (
        START + 45 * MINUTE,
        START + timedelta(days=1, minutes=45),
    )
    assert gate.open.scheduled_for == START + 45 * MINUTE
    assert (gate.last, gate.standing.late) == (None, False)
    ctx.session.rollback()

    clock.set(START + 51 * MINUTE)
    found = run_schedule.overview(ctx, LINES, JOBS.get)
    assert found.rows[0].standing.late_by == 6 * MINUTE
    assert found.silent
    ctx.session.rollback()

    session.execute(
        update(JobRun)
        .where(JobRun.job_name == "gate")
        .values(state="finished", status="success", started_at=clock.now(), finished_at=clock.now(), executed=True)
    )
    session.commit()
    found = run_schedule.overview(ctx, LINES, JOBS.get)
    assert not found.rows[0].standing.late
    assert found.rows[0].last.status == "success"
    assert found.rows[0].open is None


def test_the_overview_takes_the_same_number_of_queries_for_any_schedule(look, make_ctx, clock, engine):
    many = tuple(ScheduleEntry("sync", f"{minute} * * * *") for minute in range(40))
    look(clock, many)
    clock.advance(timedelta(hours=2))
    look(clock, many)
    counts = []
    for lines in (LINES, many):
        ctx = make_ctx()
        with statements(engine) as seen:
            run_schedule.overview(ctx, lines, JOBS.get)
        ctx.session.rollback()
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_the_overview_is_for_those_who_may_read_jobs(make_ctx):
    with pytest.raises(PermissionDenied, match="admins:manage"):
        run_schedule.overview(make_ctx("operator"), LINES, JOBS.get)
