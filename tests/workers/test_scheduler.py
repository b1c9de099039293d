"""The scheduler: due runs reach the queue, stores may be away, and its end is quick."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import sessionmaker

from console.adapters import queue
from console.core.context import SYSTEM, unit_of_work
from console.core.database import make_engine
from console.domain.jobs import cron
from console.domain.jobs import names as job_names
from console.domain.jobs.schedule import ScheduleEntry
from console.models.alerts import AlertDelivery
from console.models.audit import AuditCheckpoint, AuditLog
from console.models.identity import Site
from console.models.jobs import JobRun, JobSchedule
from console.services.alerts import checkpoint_copies
from console.services.audit import record as audit
from console.services.jobs import progress, registry
from tests.services.jobs.run_support import Options, job_of, open_sites
from tests.support.runs import all_runs
from tests.support.wait import until
from workers.launch import children
from workers.schedule import ENTRIES
from workers.scheduler import Scheduler

ROOT = Path(__file__).parent.parent.parent
DUTIES = {"schedule", "reaper", "delivery", "checkpoint"}
HOURLY = (ScheduleEntry("look_around", "30 * * * *"),)


def open_one(ctx, _options):
    """Leave one mark per run."""
    return open_sites(ctx, Options(name=f"run{progress.current(ctx).run_id}-"))


def look_around():
    return job_of(open_one, name="look_around")


def test_what_is_due_is_carried_out_once_by_whichever_scheduler_and_worker(place, register, work, session, clock):
    register(look_around())
    schedulers = [Scheduler(place, HOURLY), Scheduler(place, HOURLY)]
    for scheduler in schedulers:
        scheduler.step()
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        for scheduler in schedulers:
            scheduler.step()
        work(place)

    found = all_runs(session)
    assert [(run.trigger, run.status, run.scheduled_for.minute) for run in found] == [("cron", "success", 30)] * 3
    assert len({run.scheduled_for for run in found}) == 3
    assert session.scalar(select(func.count()).select_from(Site)) == 3


def test_a_lost_run_of_the_schedule_comes_back_through_the_queue(place, register, work, session, clock):
    register(job_of())
    now = clock.now()
    session.add(
        JobRun(
            job_name="open_sites",
            trigger="cron",
            state="running",
            requested_at=now,
            started_at=now,
            heartbeat_at=now - timedelta(hours=1),
            claim_token="t",
            lease_seconds=1,
            scheduled_for=now,
        )
    )
    session.commit()
    scheduler = Scheduler(place, ())
    # The lease is counted in the scheduler's own time, from its first look.
    until(lambda: scheduler.step() or all_runs(session)[0].state == "finished")
    work(place)

    lost, again = all_runs(session)
    assert (lost.error_code, again.status, again.retry_of) == ("worker_lost", "success", lost.id)


def test_a_database_that_is_away_is_noted_and_waited_for(place, register, session, clock, tmp_path):
    register(look_around())
    nowhere = make_engine(f"sqlite:///{tmp_path}/no/such/folder.db")
    scheduler = Scheduler(replace(place, engine=nowhere, sessions=sessionmaker(nowhere)), HOURLY)
    scheduler.step()
    assert scheduler._troubles.keys() >= DUTIES

    scheduler._place = place
    scheduler.step()

    assert DUTIES.isdisjoint(scheduler._troubles)
    assert session.scalar(select(func.count()).select_from(JobSchedule)) == 1


def test_without_queue_the_schedule_goes_on_and_runs_wait(place_on, own_redis, register, session, clock):
    place = place_on(own_redis.url)
    register(look_around())
    scheduler = Scheduler(place, HOURLY)
    scheduler.step()
    own_redis.stop()
    clock.advance(timedelta(hours=1))
    scheduler.step()

    assert scheduler._troubles.keys() & DUTIES == {"delivery"}
    assert [run.state for run in all_runs(session)] == ["queued"]

    own_redis.start(output=subprocess.DEVNULL)
    scheduler.step()
    scheduler.step()

    assert DUTIES.isdisjoint(scheduler._troubles)
    assert queue.state(place.config).waiting == 1


def test_the_process_looks_at_its_schedule_and_ends_when_told_to(database, engine, session, redis_address, tmp_path):
    environ = {**os.environ, "ENV": "test", "DATABASE_URL": database, "REDIS_URL": redis_address}
    environ |= {"DATA_DIR": str(tmp_path / "data"), "PYTHONDONTWRITEBYTECODE": "1"}
    process = children.spawn(
        [sys.executable, "-m", "workers", "scheduler"], cwd=ROOT, environ=environ, output=subprocess.DEVNULL
    )
    try:
        until(lambda: session.rollback() or session.scalar(select(func.count()).select_from(JobSchedule)))
        process.terminate()
        assert process.wait(10) == 0
    finally:
        children.stop(process, 1)

    assert session.scalar(select(func.count()).select_from(JobSchedule)) == len(ENTRIES)


@pytest.mark.parametrize("line", ENTRIES, ids=lambda line: line.key)
def test_every_line_can_be_read(line):
    assert registry.find(line.job) is not None
    assert cron.next_after(line.cron, line.zone, datetime(2026, 3, 2, tzinfo=UTC))


def test_the_whole_audit_log_is_verified_twice_within_any_hour():
    (line,) = (line for line in ENTRIES if line.job == job_names.AUDIT_VERIFY)
    for minute in range(60):
        now = datetime(2026, 3, 2, 9, minute, tzinfo=UTC)
        assert len(cron.between(line.cron, line.zone, now - timedelta(hours=1), now)) == 2


def test_new_entries_of_the_audit_log_are_signed_when_a_checkpoint_is_due(place, register, session, clock):
    register(look_around())
    scheduler = Scheduler(place, HOURLY)

    def signed():
        session.rollback()
        return list(session.scalars(select(AuditCheckpoint.seq)))

    for _ in range(2):
        with unit_of_work(place.sessions, actor=SYSTEM, clock=clock, config=place.config) as ctx:
            audit.record(ctx, "thing_update", "thing", 1)
        scheduler.step()
        scheduler.step()
    assert signed() == [1]

    clock.advance(timedelta(minutes=place.config["AUDIT_CHECKPOINT_MINUTES"]))
    scheduler.step()
    assert signed() == [1, 2]


def test_what_the_scheduler_signs_has_its_copies(place_on, redis_address, session, clock):
    place = place_on(redis_address, AUDIT_CHECKPOINT_COPY_URLS="https://copies.example/")
    with unit_of_work(place.sessions, actor=SYSTEM, clock=clock, config=place.config) as ctx:
        audit.record(ctx, "thing_update", "thing", 1)
    Scheduler(place, lines=()).step()

    assert session.scalars(select(AlertDelivery.event_type)).all() == ["audit_checkpoint"]


def test_a_broken_log_is_not_looked_at_every_second(place, register, session, clock, monkeypatch):
    register(look_around())
    with unit_of_work(place.sessions, actor=SYSTEM, clock=clock, config=place.config) as ctx:
        audit.record(ctx, "thing_update", "thing", 1)
    session.rollback()
    session.execute(update(AuditLog).values(detail_json="[]"))
    session.commit()
    looks = []
    look = checkpoint_copies.sign
    monkeypatch.setattr(checkpoint_copies, "sign", lambda ctx: looks.append(ctx) or look(ctx))
    scheduler = Scheduler(place, HOURLY)

    scheduler.step()
    scheduler.step()

    assert len(looks) == 1


def test_a_duty_without_anything_to_do_does_not_say_that_its_store_is_back(place, monkeypatch):
    scheduler = Scheduler(place, lines=())
    answers = [OSError("away"), False, OSError("away"), True]

    def report():
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(scheduler._reporter, "report_if_due", report)
    seen = []
    for _ in range(4):
        scheduler.step()
        seen.append("preflight" in scheduler._troubles)

    assert seen == [True, True, True, False]
