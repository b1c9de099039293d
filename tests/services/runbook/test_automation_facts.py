"""What the runbook sees of the automation's jobs."""

from datetime import timedelta

from console.models.jobs import JobRun, JobSchedule
from console.services.runbook import automation_facts, runbook
from tests.services.automation.automation_support import AUTOPILOT, KPI, run, set_policy
from tests.support.statements import statements


def test_the_newest_real_runs_are_seen_with_what_became_of_them(make_ctx, session, clock, engine):
    ctx = make_ctx()
    set_policy(ctx, sync_before_run=False)
    session.add(JobSchedule(key="k", job_name=KPI, known_since=clock.now(), cursor_at=clock.now()))
    session.commit()
    since = clock.now()
    for _hour in range(12):
        clock.advance(timedelta(hours=1))
        run(ctx, AUTOPILOT)
    run(ctx, AUTOPILOT, dry_run=True)
    clock.advance(timedelta(hours=1))
    lost = JobRun(job_name=AUTOPILOT, trigger="cron", state="finished", status="critical", error_code="worker_lost",
                  started_at=clock.now(), finished_at=clock.now(), requested_at=clock.now())  # fmt: skip
    session.add(lost)
    session.commit()

    with statements(engine) as seen:
        facts = automation_facts.facts(ctx)

    assert len(seen) == 1
    watched = facts.jobs[AUTOPILOT]
    assert len(watched.runs) == 10
    assert (watched.runs[0].run_id, watched.runs[0].failed) == (lost.id, True)
    assert {one.skip_reason for one in watched.runs[1:]} == {"no_triggered_actions"}
    assert (facts.jobs[KPI].runs, facts.jobs[KPI].known_since) == ((), since)


def test_the_runbook_knows_the_four_jobs(make_ctx, session):
    ids = [check.id for check in runbook.snapshot(make_ctx()).checks]

    assert [one for one in ids if one.startswith("remediation_")] == [
        "remediation_escalation_recent",
        "remediation_auto_assign_recent",
        "remediation_kpi_recent",
        "remediation_autopilot_recent",
    ]
