"""The jobs of evidence as the schedule runs them."""

import io

from console.core.context import SYSTEM
from console.domain.tracker.tracker import REMEDIATION
from console.services.evidence import evidence
from console.services.evidence import store as evidence_store
from console.services.evidence.files import Upload
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.runbook import runbook
from tests.factories.tracker import add_item
from workers.schedule import ENTRIES

JOB = "ops_evidence_archive_integrity"


def as_system(make_ctx):
    made = make_ctx()
    made.actor = SYSTEM
    return made


def attached(ctx, clock, content=b"measured"):
    item = add_item(ctx.session, clock.now(), 1, site="본관").id
    ctx.session.commit()
    made = evidence.attach(ctx, REMEDIATION, item, Upload(io.BytesIO(content), "a.txt", "text/plain"))
    ctx.commit()
    return made


def test_the_three_jobs_are_scheduled():
    assert {"evidence_scan", "evidence_sweep", JOB} <= {line.job for line in ENTRIES}


def test_the_nightly_reading_is_what_the_runbook_shows(make_ctx, clock):
    ctx = as_system(make_ctx)
    attached(ctx, clock)
    for path in evidence_store.root(ctx.config).rglob("*.txt"):
        path.write_bytes(b"forged!!")

    found = run_engine.execute(ctx, registry.get(JOB), trigger="cron")
    seen = next(one for one in runbook.snapshot(ctx).checks if one.id == "evidence_archive_integrity_batch")

    assert (found.run.status, found.run.detail["digest_mismatch_count"]) == ("critical", 1)
    assert (seen.status, seen.fields["digest_mismatch_count"], seen.fields["checked_count"]) == ("critical", 1, 1)
    assert seen.fields["archive"]["archive_sha_ok"] is True
    assert seen.seen_at == clock.now()


def test_a_scan_with_nothing_to_do_is_a_skip(make_ctx):
    found = run_engine.execute(as_system(make_ctx), registry.get("evidence_scan"), trigger="cron")

    assert (found.run.status, found.run.executed) == ("success", False)


def test_a_dry_sweep_reports_and_moves_nothing(make_ctx, clock):
    ctx = as_system(make_ctx)
    orphan = evidence_store.root(ctx.config) / "2020/01/01/orphan.txt"
    orphan.parent.mkdir(parents=True)
    orphan.write_bytes(b"x")
    clock.set(clock.now().replace(year=2100))

    dry = run_engine.execute(ctx, registry.get("evidence_sweep"), dry_run=True)
    assert (dry.run.detail["set_aside_count"], orphan.exists()) == (1, True)
    run_engine.execute(ctx, registry.get("evidence_sweep"))
    assert not orphan.exists()
