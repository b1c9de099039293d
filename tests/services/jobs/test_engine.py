"""A run and its effect: both or neither, once, and closed whatever happens."""

from __future__ import annotations

import threading
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, Context
from console.domain.errors import BadRequest, Conflict, Invalid, PermissionDenied, StoreUnavailable
from console.domain.jobs.runs import LeaseLost, Outcome
from console.domain.text import T
from console.models.identity import Site
from console.models.jobs import JobRun
from console.services.jobs import claims as run_claims
from console.services.jobs import engine as run_engine
from console.services.jobs import progress, runs
from console.services.jobs import requests as run_requests
from tests.services.jobs.run_support import contents, job_of, open_sites

NOW_OR_NEVER = timedelta(0)


@pytest.fixture
def ctx(make_ctx):
    return make_ctx()


@pytest.fixture
def other(engine, clock, config):
    """A context on a session of its own, as another process has."""
    with sessionmaker(engine)() as session:
        yield Context(session, clock, SYSTEM, config)


def stored(session, run_id) -> JobRun:
    session.rollback()
    return session.get_one(JobRun, run_id, populate_existing=True)


def sites(session) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(Site))


def waiting(ctx, job, options=None, **values) -> int:
    run = run_requests.submit(ctx, job, options, hand_over=lambda _run_id: None, **values)
    ctx.commit()
    return run.id


def test_a_run_leaves_its_effect_and_its_row(ctx, session, clock):
    def work(ctx, options):
        clock.advance(timedelta(seconds=2))
        return open_sites(ctx, options)

    found = run_engine.execute(ctx, job_of(work), {"name": "HQ", "times": 2})

    assert found.result == {"opened": 2}
    assert found.run.detail == {"opened": 2}
    assert (found.run.status, found.run.state, found.run.trigger) == ("success", "finished", "api")
    assert found.run.duration == timedelta(seconds=2)
    assert found.run.executed
    assert found.run.options == {"name": "HQ", "times": 2}
    assert found.run.requested_by == "owner_a"
    assert sites(session) == 2


def test_a_worker_carries_out_what_was_asked_for_in_the_name_of_who_asked(ctx, other, session):
    seen = []

    def work(ctx, options):
        seen.append(ctx.actor)
        return open_sites(ctx, options)

    job = job_of(work)
    run_id = waiting(ctx, job, {"name": "HQ"}, dry_run=False)

    found = run_engine.perform(other, {job.name: job}.get, run_id, "worker-1")

    assert found.run.claimed_by == "worker-1"
    assert found.run.trigger == "manual"
    assert (seen[0].username, seen[0].permissions, seen[0].site_scope) == ("owner_a", ctx.actor.permissions, ("*",))
    assert sites(session) == 1


def test_a_run_is_carried_out_once_however_often_it_is_delivered(ctx, other, session):
    job = job_of()
    run_id = waiting(ctx, job)

    first = run_engine.perform(other, {job.name: job}.get, run_id, "worker-1")
    second = run_engine.perform(other, {job.name: job}.get, run_id, "worker-2")

    assert first is not None
    assert second is None
    assert sites(session) == 1


def test_a_dry_run_reports_the_same_and_writes_nothing_but_its_row(ctx, engine, session):
    before = contents(engine)
    told = []

    def work(ctx, options):
        ctx.after_commit(lambda: told.append("sent"))
        assert ctx.dry_run
        return open_sites(ctx, options)

    found = run_engine.execute(ctx, job_of(work), {"times": 3}, dry_run=True)

    assert found.run.detail == {"opened": 3}
    assert found.run.dry_run
    assert contents(engine) == before
    assert told == []
    assert stored(session, found.run.id).state == "finished"


def test_what_waits_for_the_commit_happens_after_it(ctx, session):
    told = []

    def work(ctx, options):
        ctx.after_commit(lambda: told.append(stored(session, 1).state))
        return {}

    run_engine.execute(ctx, job_of(work))

    assert told == ["finished"]


FAILED, REFUSED = ("critical", "work_failed"), ("warning", "refused")


@pytest.mark.parametrize(
    ("error", "ended", "told"),
    [
        (RuntimeError("host db.internal refused"), FAILED, {"message": "The job failed; nothing of it was kept"}),
        (StoreUnavailable(T("The queue is away")), FAILED, {"message": "The queue is away"}),
        (KeyboardInterrupt(), FAILED, {"message": "The job failed; nothing of it was kept"}),
        # A refusal is no failure of the job.
        (BadRequest(T("Site %(site)s is closed", site="HQ")), REFUSED, {"message": "Site HQ is closed"}),
        (Conflict({"blockers": ["a"]}), REFUSED, {"message": "Conflict", "errors": {"blockers": ["a"]}}),
    ],
)
def test_an_error_undoes_the_work_closes_the_run_and_goes_on(ctx, engine, session, error, ended, told):
    before = contents(engine)

    def work(ctx, options):
        open_sites(ctx, options)
        ctx.session.flush()
        raise error

    with pytest.raises(type(error)):
        run_engine.execute(ctx, job_of(work))

    row = stored(session, 1)
    assert (row.state, row.status, row.error_code, row.executed) == ("finished", *ended, False)
    assert row.error_id
    assert {"error": row.error_code, **told}.items() <= row.detail_json.items()
    assert "db.internal" not in str(row.detail_json)
    assert contents(engine) == before


def test_a_failure_of_the_commit_itself_leaves_no_effect_and_a_closed_run(ctx, engine, session):
    before = contents(engine)

    def work(ctx, options):
        ctx.session.add(JobRun(job_name="x", trigger="api", state="finished", requested_at=ctx.now()))
        return open_sites(ctx, options)

    with pytest.raises(Exception, match="ck_job_runs_finished"):
        run_engine.execute(ctx, job_of(work))

    assert stored(session, 1).status == "critical"
    assert contents(engine) == before


@pytest.mark.parametrize(
    ("outcome", "status", "executed"),
    [
        (Outcome({"a": 1}, "critical"), "critical", True),
        (Outcome({"a": 1}, "warning", skipped=True), "warning", False),
        (Outcome([1, 2]), "success", True),
    ],
)
def test_a_job_decides_its_status_and_whether_it_counts(ctx, outcome, status, executed):
    run = run_engine.execute(ctx, job_of(lambda _ctx, _options: outcome)).run

    assert (run.status, run.executed) == (status, executed)


def test_a_lost_lease_rolls_the_work_back(ctx, other, engine, session):
    before = contents(engine)

    def work(ctx, options):
        open_sites(ctx, options)
        ctx.session.flush()
        # The reaper closes the run behind the worker's back; SQLite lets it in only after the work let go.
        if engine.dialect.name == "sqlite":
            ctx.session.execute(update(JobRun).values(claim_token="somebody else"))
        else:
            other.session.execute(update(JobRun).values(claim_token="somebody else"))
            other.session.commit()
        return {}

    with pytest.raises(LeaseLost):
        run_engine.execute(ctx, job_of(work))

    assert contents(engine) == before


def test_a_run_that_was_closed_meanwhile_is_not_closed_again(ctx, other, session):
    def work(ctx, options):
        other.session.execute(update(JobRun).values(state="finished", status="critical", finished_at=ctx.now()))
        other.session.commit()
        ctx.begin_write()
        return open_sites(ctx, options)

    with pytest.raises(LeaseLost):
        run_engine.execute(ctx, job_of(work, reads_first=True))

    assert sites(session) == 0
    assert stored(session, 1).detail_json == {}


def test_a_run_stops_at_its_next_report_when_asked_to(ctx, other, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    before = sites(session)

    def work(ctx, options):
        run_requests.cancel(other, 1)
        other.commit()
        ctx.begin_write()
        open_sites(ctx, options)
        for step in range(1000):
            progress.progress(ctx, step, 1000)
            threading.Event().wait(0.01)
        pytest.fail("nobody stopped it")

    found = run_engine.execute(ctx, job_of(work, reads_first=True))

    assert (found.run.status, found.run.error_code, found.run.cancelled_by) == ("warning", "cancelled", "system")
    assert not found.run.executed
    assert sites(session) == before


def test_progress_and_log_lines_are_seen_while_the_work_goes_on(ctx, other, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    seen = []

    def work(ctx, options):
        progress.log(ctx, T("Reading %(count)s items", count=7))
        progress.progress(ctx, 3, 7, "halfway")
        for _ in range(500):
            row = stored(other.session, 1)
            if row.progress_done:
                seen.append(
                    (row.progress_done, row.progress_total, row.progress_json["msgid"], row.log_json[0]["params"])
                )
                break
            threading.Event().wait(0.01)
        return {}

    found = run_engine.execute(ctx, job_of(work, reads_first=True))

    assert seen == [(3, 7, "halfway", {"count": 7})]
    assert found.run.progress == {"done": 3, "total": 7, "message": {"msgid": "halfway", "params": {}}}
    assert [line["msgid"] for line in runs.get(ctx, 1).log] == ["Reading %(count)s items"]


def test_reports_outside_a_run_do_nothing(ctx):
    progress.progress(ctx, 1, 2)
    progress.log(ctx, "x")

    assert progress.current(ctx) is None
    assert not ctx.dry_run


def test_a_job_runs_once_at_a_time_and_the_second_caller_learns_which_run_it_is(ctx, other, session):
    job = job_of()
    refused = []

    def work(ctx, options):
        with pytest.raises(Conflict) as caught:
            run_engine.execute(other, job, patience=NOW_OR_NEVER)
        refused.append(caught.value.detail)
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True))

    assert refused[0]["run_id"] == 1
    assert session.scalar(select(func.count()).select_from(JobRun)) == 1


def test_a_waiting_run_goes_on_waiting_while_its_job_runs(ctx, other, session):
    job = job_of()
    run_id = waiting(ctx, job)
    found = []

    def work(ctx, options):
        found.append(run_engine.perform(other, {job.name: job}.get, run_id, "worker-2"))
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True))

    assert found == [None]
    assert stored(session, run_id).state == "queued"
    assert run_engine.perform(other, {job.name: job}.get, run_id, "worker-2").run.status == "success"


def test_many_workers_that_claim_at_once_get_one_run(ctx, engine, clock, config, session):
    job = job_of()
    run_ids = [waiting(ctx, job, {"name": name}) for name in ("a", "b", "c")]
    start = threading.Barrier(8)
    won = []

    def grab(number):
        with sessionmaker(engine)() as own:
            mine = Context(own, clock, SYSTEM, config)
            start.wait()
            won.append(run_claims.claim(mine, job, run_ids[number % 3], f"worker-{number}"))

    threads = [threading.Thread(target=grab, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    claims = [claim for claim in won if claim]
    assert len(won) == 8
    assert len(claims) == 1
    assert stored(session, claims[0].run_id).claim_token == claims[0].token
    session.rollback()
    assert session.scalar(select(func.count()).where(JobRun.state == "running")) == 1


def test_a_job_that_this_version_does_not_know_is_closed_with_that_reason(ctx, other, session):
    run_id = waiting(ctx, job_of())

    assert run_engine.perform(other, {}.get, run_id, "worker-1") is None

    row = stored(session, run_id)
    assert (row.status, row.error_code) == ("critical", "unknown_job")


def test_a_run_that_does_not_exist_is_nothing_to_do(other):
    assert run_engine.perform(other, {}.get, 4711, "worker-1") is None


@pytest.mark.parametrize("options", [{"times": 0}, {"times": "2"}, {"tiems": 2}, {"times": 1.5}, {"name": None}])
def test_options_that_do_not_fit_leave_no_run(ctx, session, options):
    with pytest.raises(Invalid) as caught:
        run_engine.execute(ctx, job_of(), options)

    assert caught.value.detail[0]["loc"][0] == "options"
    assert session.scalar(select(func.count()).select_from(JobRun)) == 0


def test_whoever_may_not_start_a_job_leaves_no_run(make_ctx, session):
    with pytest.raises(PermissionDenied, match="admins:manage"):
        run_engine.execute(make_ctx("operator"), job_of())

    assert session.scalar(select(func.count()).select_from(JobRun)) == 0


def test_a_job_that_reads_first_and_writes_without_saying_so_fails_loudly(ctx, session):
    def work(ctx, options):
        ctx.session.add(Site(name="x", name_key="x", zone="UTC", created_at=ctx.now(), updated_at=ctx.now()))
        return {}

    with pytest.raises(RuntimeError, match="begin_write"):
        run_engine.execute(ctx, job_of(work, reads_first=True))

    assert sites(session) == 0


def test_a_job_that_only_reads_needs_no_writing_transaction(ctx, session):
    found = run_engine.execute(
        ctx, job_of(lambda ctx, _options: {"sites": ctx.session.scalar(select(func.count(Site.id)))}, reads_first=True)
    )

    assert found.run.detail == {"sites": 0}


def test_a_clock_set_back_does_not_end_a_run_before_it_began(ctx, clock):
    def work(ctx, options):
        clock.advance(timedelta(hours=-1))
        return {}

    run = run_engine.execute(ctx, job_of(work)).run

    assert run.finished_at == run.started_at


def test_a_result_that_is_too_large_keeps_its_small_parts():
    found = run_engine.bounded({"status": "go", "rows": ["x" * 1000] * 10, "more": "y" * 3000}, 4096)

    assert found == {"status": "go", "more": "y" * 3000, "truncated": ["rows"]}


def test_the_heartbeat_of_a_long_run_moves_on(ctx, clock, session, monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY", timedelta(milliseconds=10))
    beats = set()

    def work(ctx, options):
        for _ in range(300):
            clock.advance(timedelta(seconds=1))
            beats.add(stored(session, 1).heartbeat_at)
            if len(beats) > 2:
                break
            threading.Event().wait(0.02)
        return {}

    run_engine.execute(ctx, job_of(work, reads_first=True, lease_seconds=1))

    assert len(beats) > 2


def test_a_run_whose_database_restarts_is_closed_as_that_and_made_once_more(ctx, other, session, clock):
    def work(ctx, options):
        open_sites(ctx, options)
        ctx.session.flush()
        raise OperationalError("statement", None, psycopg.errors.AdminShutdown())

    job = job_of(work)
    run_id = waiting(ctx, job, {"name": "HQ"})
    session.execute(update(JobRun).values(trigger="cron", scheduled_for=clock.now()))
    session.commit()

    with pytest.raises(OperationalError):
        run_engine.perform(other, lambda _name: job, run_id, "a worker")

    row = stored(session, run_id)
    assert (row.state, row.status, row.error_code) == ("finished", "critical", "store_lost")
    assert sites(session) == 0
    assert session.scalars(select(JobRun.retry_of).where(JobRun.state == "queued")).all() == [run_id]


def test_a_database_that_stays_away_leaves_the_run_to_the_reaper(ctx, other, session, monkeypatch):
    def work(_ctx, _options):
        raise OperationalError("statement", None, psycopg.errors.AdminShutdown())

    tries = []

    def away(*_args):
        tries.append(1)
        raise OperationalError("statement", None, psycopg.errors.AdminShutdown())

    monkeypatch.setattr(run_engine, "BACK_WITHIN", timedelta(seconds=0.2))
    monkeypatch.setattr(run_engine, "PAUSE", 0.01)
    monkeypatch.setattr(run_engine.upkeep, "close_cut_off", away)
    monkeypatch.setattr(run_engine, "_end", away)
    job = job_of(work)
    run_id = waiting(ctx, job)

    with pytest.raises(OperationalError):
        run_engine.perform(other, lambda _name: job, run_id, "a worker")

    assert stored(session, run_id).state == "running"
    assert len(tries) > 2
