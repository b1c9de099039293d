"""Reading runs and asking for them, as services see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.core.listing import ListQuery
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.domain.text import Text
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.jobs import requests as run_requests
from console.services.jobs import runs
from tests.services.jobs.run_support import job_of
from tests.support.statements import statements


def nobody(_run_id: int) -> None:
    """Bring a run nowhere."""


@pytest.fixture
def add(session, clock):
    """Return `add(name, minutes=, **columns)`: a stored finished run, `minutes` from now."""

    def build(name="gate", minutes=0, **values) -> int:
        at = clock.now() + timedelta(minutes=minutes)
        columns = {"state": "finished", "status": "success", "started_at": at, "finished_at": at, "executed": True}
        row = JobRun(**{"job_name": name, "trigger": "cron", "requested_at": at, **columns, **values})
        session.add(row)
        session.commit()
        return row.id

    return build


@pytest.fixture
def ctx(make_ctx):
    return make_ctx()


def test_the_latest_run_is_the_one_that_ended_last_and_then_the_one_with_the_highest_number(ctx, add):
    add(minutes=-5)
    add(minutes=-1)
    newest = add(minutes=-1)
    add(minutes=-3)

    assert runs.latest(ctx, "gate").id == newest
    assert runs.latest(ctx, "nobody") is None


def test_what_a_run_lists_of_all_sites_is_not_for_readers_of_one(make_ctx, add):
    detail = {"candidate_count": 2, "items": [{"id": 1, "assignee": "kim"}], "workload": {"suggestions": [1]}}
    run_id = add("ops_governance_remediation_escalation", detail_json=detail)
    gate_id = add("ops_governance_gate", detail_json={"rules": [1]})
    scoped, owner = make_ctx("manager", ("한빛마을",)), make_ctx("owner")

    assert runs.get(scoped, run_id).detail == {"candidate_count": 2}
    assert [run.detail for run in runs.listed(scoped, ListQuery())[0]] == [{"rules": [1]}, {"candidate_count": 2}]
    assert (runs.get(owner, run_id).detail, runs.get(scoped, gate_id).detail) == (detail, {"rules": [1]})


def test_dry_runs_are_left_out_unless_they_are_asked_for(ctx, add):
    real, dry = add(minutes=-5), add(minutes=-1, dry_run=True)

    assert runs.latest(ctx, "gate").id == real
    assert runs.latest(ctx, "gate", dry_run=True).id == dry
    assert runs.latest(ctx, "gate", dry_run=None).id == dry


def test_only_runs_that_did_their_work_count_for_cooldowns(ctx, add):
    did = add(minutes=-9, status="warning")
    add(minutes=-5, executed=False)
    add(minutes=-4, status="critical", executed=False, error_code="worker_lost")
    add(minutes=-3, dry_run=True)

    assert runs.last_executed(ctx, "gate").id == did
    assert runs.last_executed(ctx, "gate", dry_run=None).id != did


def test_the_latest_runs_of_many_jobs_are_one_query(ctx, add, engine):
    expected = {f"job{number}": add(f"job{number}", minutes=number) for number in range(12)}
    add("job3", minutes=-100)
    with statements(engine) as seen:
        found = runs.latest_per_job(ctx, [*expected, "nobody", "job1"])

    assert {name: run.id for name, run in found.items()} == expected
    assert len([statement for statement in seen if statement.startswith("SELECT")]) == 1
    assert runs.latest_per_job(ctx, []) == {}


def test_a_history_has_its_count_and_its_bounds(ctx, add, clock):
    ids = [add(minutes=-number) for number in range(5)]
    add("other")

    page, total = runs.history(ctx, "gate", limit=2, offset=1)
    assert ([run.id for run in page], total) == (ids[1:3], 5)

    recent, total = runs.history(ctx, "gate", limit=9, since=clock.now() - timedelta(minutes=2))
    assert ([run.id for run in recent], total) == (ids[:3], 3)


def test_what_waits_or_runs_is_told_running_first(ctx, add, clock):
    add()
    open_columns = {"status": None, "started_at": None, "finished_at": None, "executed": False}
    waiting = add("a", state="queued", **open_columns)
    running = add("b", state="running", **{**open_columns, "started_at": clock.now()})

    assert [run.id for run in runs.open_runs(ctx)] == [running, waiting]


def test_the_current_run_is_the_one_that_waits_or_runs_or_else_the_last(ctx, add):
    open_columns = {"state": "queued", "status": None, "started_at": None, "finished_at": None, "executed": False}
    assert runs.current(ctx, "gate") is None

    last, dry = add(), add(minutes=1, dry_run=True)
    add("other", **open_columns)
    assert runs.current(ctx, "gate").id == last
    assert runs.current(ctx, "gate", dry_run=None).id == dry

    waiting = [add(**open_columns), add(**open_columns)]
    assert runs.current(ctx, "gate").id == waiting[1]


def test_what_is_over_is_not_walked_through_for_the_current_run(ctx, add, engine):
    add()
    if engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by its statistics")
    with statements(engine) as seen:
        runs.current(ctx, "gate")

    with engine.connect() as connection:
        ((*_ids, step),) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[0]}", ("gate", 1, 0)).all()
    assert step.endswith("USING INDEX ix_job_runs_job_name_finished_at (job_name=? AND finished_at=?)")


@pytest.mark.parametrize(
    "look", [runs.open_runs, lambda ctx: runs.get(ctx, 1), lambda ctx: runs.listed(ctx, ListQuery())]
)
def test_reading_needs_a_permission(make_ctx, look):
    with pytest.raises(PermissionDenied, match="admins:manage"):
        look(make_ctx("operator"))


def test_a_run_tells_people_about_itself(ctx, add):
    run = runs.get(
        ctx,
        add(
            status="critical",
            error_code="worker_lost",
            progress_done=2,
            progress_total=5,
            progress_json={"msgid": "Row %(n)s", "params": {"n": 2}},
        ),
    )

    assert (run.progress_done, run.progress_total, str(run.progress_note)) == (2, 5, "Row 2")
    assert run.error == Text("The worker disappeared in the middle. Nothing of it was kept.")
    assert run.queued_at == run.requested_at
    assert run.summary is None


def test_asking_leaves_a_waiting_run_that_is_brought_after_the_commit(ctx, session):
    brought = []

    run = run_requests.submit(ctx, job_of(), {"name": "HQ"}, hand_over=brought.append)
    assert brought == []
    ctx.commit()

    assert brought == [run.id]
    row = session.get_one(JobRun, run.id)
    assert (row.state, row.requested_by, row.options_json) == ("queued", "owner_a", {"name": "HQ", "times": 1})
    assert {"token_id", "session_id"}.isdisjoint(row.actor_json)
    entry = session.scalars(select(AuditLog)).one()
    assert (entry.action, entry.resource_type, entry.resource_id) == ("job_run_request", "job_run", str(run.id))


def test_a_rolled_back_request_brings_nothing(ctx, session):
    brought = []

    run_requests.submit(ctx, job_of(), hand_over=brought.append)
    ctx.rollback()

    assert brought == []
    assert session.scalars(select(JobRun)).all() == []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {}, True),
        ({}, {"dry_run": True}, False),
        ({"options": {"name": "a"}}, {"options": {"name": "b"}}, False),
    ],
)
def test_the_same_wish_twice_is_one_waiting_run(ctx, first, second, same):
    one = run_requests.submit(ctx, job_of(), **first, hand_over=nobody)
    two = run_requests.submit(ctx, job_of(), **second, hand_over=nobody)

    assert (one.id == two.id) is same


def test_the_actor_of_a_run_comes_back_as_it_was(make_ctx):
    ctx = make_ctx("manager", ("HQ", "본사"), user_id=7, token_id=9)

    actor = run_requests.actor_from(run_requests.snapshot_of(ctx.actor))

    assert (actor.username, actor.permissions, actor.grants, actor.site_scope, actor.user_id) == (
        ctx.actor.username,
        ctx.actor.permissions,
        ctx.actor.grants,
        ("HQ", "본사"),
        7,
    )
    assert actor.token_id is None


@pytest.mark.parametrize(
    ("role", "permission", "start", "submit"),
    [
        ("owner", "admins:manage", True, True),
        ("manager", "jobs:run", True, True),
        ("manager", "admins:manage", False, False),
        ("operator", "governance:write", False, True),
        ("auditor", "governance:read", False, True),
        ("operator", "jobs:run", False, False),
    ],
)
def test_a_job_asks_for_its_own_permission_and_the_jobs_page_for_the_right_to_run(
    make_ctx, session, role, permission, start, submit
):
    job, ctx = job_of(permission=permission), make_ctx(role)
    for ask, allowed in ((run_requests.start, start), (run_requests.submit, submit)):
        if allowed:
            ask(ctx, job, hand_over=nobody)
        else:
            with pytest.raises(PermissionDenied, match="admins:manage"):
                ask(ctx, job, hand_over=nobody)


def test_stopping_what_is_over_or_absent_is_refused(ctx, add):
    with pytest.raises(Conflict):
        run_requests.cancel(ctx, add())
    with pytest.raises(NotFound):
        run_requests.cancel(ctx, 4711)


def test_a_failed_run_of_a_job_with_other_options_by_now_is_not_repeated(ctx, add):
    failed = add(status="critical", options_json={"times": 99})
    gone = add("gone", status="critical")

    with pytest.raises(Invalid):
        run_requests.retry(ctx, failed, lambda name: job_of(name=name), hand_over=nobody)
    with pytest.raises(Conflict):
        run_requests.retry(ctx, gone, {}.get, hand_over=nobody)
