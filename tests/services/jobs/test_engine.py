"""A run and its effect: both or neither, and closed whatever happens."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from console.domain.errors import BadRequest, Conflict, Invalid, PermissionDenied, StoreUnavailable
from console.domain.jobs.runs import Outcome
from console.domain.text import T
from console.models.identity import Site
from console.models.jobs import JobRun
from console.services.jobs import engine as run_engine
from tests.services.jobs.run_support import contents, job_of, open_sites, waiting
from tests.support.runs import opened, run_of


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
    assert opened(session) == 2


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
    assert opened(session) == 1


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
    assert run_of(session, found.run.id).state == "finished"


def test_what_waits_for_the_commit_happens_after_it(ctx, session):
    told = []

    def work(ctx, options):
        ctx.after_commit(lambda: told.append(run_of(session, 1).state))
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

    row = run_of(session, 1)
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

    assert run_of(session, 1).status == "critical"
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


def test_a_job_that_this_version_does_not_know_is_closed_with_that_reason(ctx, other, session):
    run_id = waiting(ctx, job_of())

    assert run_engine.perform(other, {}.get, run_id, "worker-1") is None

    row = run_of(session, run_id)
    assert (row.status, row.error_code) == ("critical", "unknown_job")


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

    assert opened(session) == 0


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

    row = run_of(session, run_id)
    assert (row.state, row.status, row.error_code) == ("finished", "critical", "store_lost")
    assert opened(session) == 0
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

    assert run_of(session, run_id).state == "running"
    assert len(tries) > 2
