"""A worker killed at any statement of any job: the effect is there with its closed run, or nothing is there at all.

The short form kills each job five times at random statements; SOAK=1 fifty times.
"""

from __future__ import annotations

import os
import random
import signal
import warnings
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, func, select

from console.domain.jobs import names as job_names
from console.models.audit import AuditChainHead
from console.models.identity import Site
from console.models.jobs import JobRun
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs import upkeep as run_upkeep
from tests.services.jobs.run_support import contents, job_of

TIMES = 50 if os.environ.get("SOAK") == "1" else 5
# The jobs of the product, and one with many statements so that most deaths fall into its middle.
OPTIONS = {
    "many_statements": {"times": 25},
    "ops_governance_remediation_bulk": {"action": "status", "status": "in_progress", "everything": True},
}
# A run within the run, whole or not at all by itself: what its rows say.
WITHIN = {job_names.DAILY_CHECK: (job_names.ALERT_MTTR_SLO, "ops_alert_mttr_slo_check_run")}
NAMES = [*(job.name for job in registry.all_jobs()), "many_statements"]


def in_child(place, run_id: int, *, kill_at: int | None) -> tuple[int, int]:
    """Carry a run out in a forked process, which kills itself at a statement; returns (statements, signal)."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns about forking beside threads; RQ does the same, and the child touches none of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        try:
            count = 0

            def tick(*_args) -> None:
                nonlocal count
                count += 1
                if count == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            place.forked()
            for moment in ("before_cursor_execute", "commit"):
                event.listen(place.engine, moment, tick)
            with place.by_hand() as ctx:
                run_engine.perform(ctx, registry.find, run_id, "doomed")
            os.write(writing, str(count).encode())
        finally:
            os._exit(0)
    os.close(writing)
    _pid, status = os.waitpid(pid, 0)
    told = os.read(reading, 20)
    os.close(reading)
    return int(told or 0), os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


@pytest.fixture
def board(place):
    """Items on the board, so that there is something to change."""
    with place.by_hand() as ctx:
        run_engine.execute(ctx, registry.get("ops_governance_remediation_sync"))


def after_the_reaper(place, session) -> list[JobRun]:
    """Let a reaper look until every lost run is closed; returns all runs."""
    ticks = [0.0, 3601.0]
    reaper = run_upkeep.Reaper(lambda: ticks.pop(0))
    for _ in range(2):
        with place.reading() as ctx:
            reaper.reap(ctx)
    session.rollback()
    return list(session.scalars(select(JobRun).order_by(JobRun.id)))


def besides(name, found):
    """Return the rows of all tables but those of the run within."""
    words = WITHIN.get(name)
    if words is None:
        return found
    # It is on the audit trail by itself.
    found = {table: rows for table, rows in found.items() if table != AuditChainHead.__tablename__}
    return {table: [row for row in rows if not any(cell in words for cell in row)] for table, rows in found.items()}


@pytest.fixture
def history(session, clock):
    """Old runs, so that there is something to remove."""
    old = clock.now() - timedelta(days=900)
    for number in range(260):
        session.add(
            JobRun(
                job_name="old",
                trigger="cron",
                state="finished",
                status="success",
                requested_at=old,
                started_at=old,
                finished_at=old + timedelta(minutes=number),
            )
        )
    session.commit()


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_worker_leaves_everything_or_nothing(place, register, ask, engine, session, history, board, name):
    if name == "many_statements":
        register(job_of(name=name))
    job = registry.get(name)
    options = OPTIONS.get(name)
    statements, _signal = in_child(place, ask(job, options, dry_run=True), kill_at=None)
    chance = random.Random(f"{name} {engine.dialect.name}")
    killed = 0
    for _ in range(TIMES):
        run_id = ask(job, options)
        # A request for a run is on the audit trail; the work's own traces come after it.
        asked = besides(name, contents(engine))
        count, number = in_child(place, run_id, kill_at=chance.randint(1, statements))
        killed += number == signal.SIGKILL
        # Whoever survived had fewer statements than the rehearsal; the next one dies within them.
        statements = count or statements
        session.rollback()
        finished = session.get_one(JobRun, run_id, populate_existing=True).state == "finished"
        assert finished or besides(name, contents(engine)) == asked
        runs = after_the_reaper(place, session)
        assert {run.state for run in runs} <= {"queued", "finished"}
        mine = next(run for run in runs if run.id == run_id)
        done = finished
        if mine.state == "queued":
            with place.by_hand() as ctx:
                done = run_engine.perform(ctx, registry.find, run_id, "heir") is not None
            assert done
        elif not finished:
            assert (mine.status, mine.error_code) == ("critical", "worker_lost")
        session.rollback()
        if name == "many_statements":
            assert session.scalar(select(func.count()).select_from(Site)) == (25 if done else 0)
            session.execute(delete(Site))
            session.commit()
    assert killed >= TIMES / 2
