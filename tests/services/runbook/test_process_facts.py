"""Who was seen when, and what waits: as the tables of both databases tell it."""

from datetime import timedelta

import pytest

from console.domain.runbook.process_checks import ProcessFacts
from console.models.jobs import JobRun, JobSchedule
from console.services.runbook import preflight, process_facts, runbook
from tests.support.statements import statements


@pytest.fixture
def report(ctx):
    """Return `report(kind, minutes ago)`: the report of a process."""

    def store(kind, minutes, *, began=0):
        at = ctx.now() - timedelta(minutes=minutes)
        found = preflight.examine_process(ctx.config, at)
        began_at = ctx.now() - timedelta(minutes=began)
        preflight.store(ctx, found, instance_id=f"{kind}-{minutes}", kind=kind, started_at=began_at, now=at)

    return store


def run(ctx, name, state, minutes, **values):
    at = ctx.now() - timedelta(minutes=minutes)
    ended = {"finished_at": at, "status": "success"} if state == "finished" else {}
    begun = {} if state == "queued" else {"started_at": at}
    ctx.session.add(JobRun(job_name=name, trigger="cron", state=state, requested_at=at, **ended, **begun, **values))
    ctx.session.flush()


def test_an_empty_installation_knows_nobody(ctx):
    assert process_facts.facts(ctx) == ProcessFacts(ctx.now())


def test_the_newest_report_of_each_kind_counts(ctx, report):
    for kind, minutes in (("worker", 9), ("worker", 2), ("scheduler", 4), ("web", 1), ("web", 60)):
        report(kind, minutes, began=minutes + 100)
    found = process_facts.facts(ctx)

    assert found.worker_seen_at == ctx.now() - timedelta(minutes=2)
    assert found.scheduler_seen_at == ctx.now() - timedelta(minutes=4)
    assert found.running_since == ctx.now() - timedelta(minutes=101)


def test_what_a_worker_did_last_stays_when_it_ends_as_it_should(ctx):
    run(ctx, "alert_delivery", "finished", 3)
    run(ctx, "other", "finished", 1)
    ctx.session.add(
        JobSchedule(key="a", job_name="a", known_since=ctx.now(), cursor_at=ctx.now() - timedelta(minutes=7))
    )
    ctx.session.flush()
    found = process_facts.facts(ctx)

    assert found.worker_seen_at == ctx.now() - timedelta(minutes=3)
    assert found.scheduler_seen_at == ctx.now() - timedelta(minutes=7)


def test_a_run_that_waits_for_its_own_job_is_not_late(ctx):
    run(ctx, "busy", "running", 30, lease_seconds=60)
    run(ctx, "busy", "queued", 20)
    run(ctx, "free", "queued", 10)
    run(ctx, "free", "queued", 5)
    found = process_facts.facts(ctx)

    assert (found.waiting_count, found.waiting_since) == (2, ctx.now() - timedelta(minutes=10))


def test_one_query_tells_all(ctx):
    with statements() as seen:
        process_facts.facts(ctx)

    assert len([statement for statement in seen if statement.lstrip().startswith("SELECT")]) == 1


def test_a_dead_worker_makes_the_runbook_critical_and_so_fails_the_gate(ctx, report):
    report("web", 0, began=60)
    report("worker", 10)
    report("scheduler", 0)

    assert runbook.snapshot(ctx).critical_ids == ("worker_alive",)
