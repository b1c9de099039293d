"""What several pages say about one fact, they say alike."""

from datetime import timedelta

import pytest

from console.domain.runbook.automation_checks import JOBS
from console.models.jobs import JobRun
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.runbook import preflight, runbook

RECENT = (
    "remediation_escalation_recent",
    "remediation_auto_assign_recent",
    "remediation_kpi_recent",
    "remediation_autopilot_recent",
)


def shown(ctx):
    return {check.id: check.shown for check in runbook.snapshot(ctx).checks}


def test_jobs_and_runbook_say_alike_whether_the_automation_ran(make_ctx, session, clock):
    """After a start with old runs nothing is late yet; hours later everything is, on both pages."""
    ctx = make_ctx("owner")
    before = clock.now() - timedelta(hours=16)
    for name in JOBS:
        session.add(JobRun(job_name=name, trigger="cron", state="finished", status="success", executed=True,
                           requested_at=before, started_at=before, finished_at=before))  # fmt: skip
    session.commit()
    ctx.begin_write()
    run_schedule.tick(ctx, registry.schedule(), registry.find)
    session.commit()

    assert run_schedule.health(ctx, registry.schedule(), registry.find).late_count == 0
    assert {shown(ctx)[name] for name in RECENT} == {"ok"}

    clock.advance(timedelta(hours=4, minutes=10))
    late = {
        row.job.name for row in run_schedule.overview(ctx, registry.schedule(), registry.find).rows if row.standing.late
    }

    assert late >= set(JOBS)
    assert {shown(ctx)[name] for name in RECENT} == {"warning"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"AUDIT_ARCHIVE_SIGNING_KEY": ""}, "warning"),
        ({"AUDIT_ARCHIVE_SIGNING_KEY": "", "ENV": "staging"}, "error"),
        ({"AUDIT_ARCHIVE_SIGNING_KEY": "k" * 40}, "ok"),
    ],
)
def test_preflight_runbook_and_security_say_alike_whether_archives_are_signed(make_ctx, config, clock, settings, word):
    wired = config.replaced(**settings)
    checks = {check.id: check.status for check in preflight.examine_process(wired, clock.now()).checks}
    facts = runbook.signing_facts(wired)

    assert checks["audit_archive_signing_key"] == word
    assert shown_with(make_ctx("owner"), facts) == word
    assert facts.shown == word


def shown_with(ctx, facts):
    book = runbook.snapshot(ctx, known={"signing": facts})
    return next(check.shown for check in book.checks if check.id == "audit_archive_signing")


def test_evidence_that_nobody_has_read_is_not_green(make_ctx):
    (check,) = (
        check for check in runbook.snapshot(make_ctx("owner")).checks if check.id == "evidence_archive_integrity_batch"
    )

    assert (check.status, check.shown) == ("ok", "unknown")
