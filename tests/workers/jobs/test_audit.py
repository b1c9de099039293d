"""The jobs of the audit trail as runs: what they keep, and when they are critical."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import SYSTEM, Context
from console.domain.errors import BadRequest, Invalid
from console.domain.jobs import names as job_names
from console.models.alerts import AlertDelivery
from console.models.audit import AuditCheckpoint
from console.models.jobs import JobRun
from console.services.audit.record import chain_status
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from tests.services.audit.audit_support import Trail


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


def run(trail, name, options=None, **values):
    with sessionmaker(trail.engine)() as session:
        ctx = Context(session, trail.clock, SYSTEM, trail.config)
        return run_engine.execute(ctx, registry.get(name), options, **values).run


def checkpoints(trail):
    with trail.factory() as session:
        return session.scalar(select(func.count(AuditCheckpoint.id)))


def test_an_hourly_checkpoint_is_a_run(trail):
    trail.write(3)
    found = run(trail, job_names.AUDIT_CHECKPOINT)

    assert (found.status, found.detail["seq"], found.progress["done"]) == ("success", 3, 3)
    assert checkpoints(trail) == 1


@pytest.mark.parametrize("name", [job_names.AUDIT_CHECKPOINT, job_names.AUDIT_VERIFY])
def test_what_a_job_signs_has_its_copies(trail, name):
    trail.config = trail.config.replaced(AUDIT_CHECKPOINT_COPY_URLS="https://copies.example/")
    trail.write(3)
    run(trail, name)

    with trail.factory() as session:
        assert session.scalars(select(AlertDelivery.event_type)).all() == ["audit_checkpoint"]


def test_a_dry_run_verifies_and_signs_nothing(trail):
    trail.write(3)
    found = run(trail, job_names.AUDIT_CHECKPOINT, dry_run=True)

    assert (found.detail["seq"], found.detail["dry_run"]) == (3, True)
    assert checkpoints(trail) == 0
    assert not trail.config.path("AUDIT_CHECKPOINT_PATH").exists()


def test_the_nightly_verification_finds_what_lies_before_the_last_checkpoint(trail):
    trail.write(3)
    run(trail, job_names.AUDIT_CHECKPOINT)
    trail.change(1, detail_json="{}")
    assert run(trail, job_names.AUDIT_CHECKPOINT).status == "success"
    assert trail.check(chain_status).chain_ok

    found = run(trail, job_names.AUDIT_VERIFY)

    assert (found.status, found.detail["first_issue"]["seq"]) == ("critical", 1)
    status = trail.check(chain_status)
    assert (status.chain_ok, status.full_issue_count, status.issue_count) == (False, 1, 1)
    assert status.full_verified_at == found.finished_at


def test_the_monthly_archive_keeps_the_facts_with_its_run_and_the_entries_in_its_file(trail):
    trail.write(3)
    trail.clock.set(datetime(2026, 4, 1, 0, 5, tzinfo=UTC))

    found = run(trail, job_names.AUDIT_ARCHIVE, {"write_file": True})

    assert found.status == "success"
    assert (found.detail["month"], found.detail["entry_count"], found.detail["chain"]["chain_ok"]) == (
        "2026-03",
        3,
        True,
    )
    assert "entries" not in found.detail
    assert found.detail["output_file"].endswith("audit-archive-2026-03.json")


def test_the_archive_of_a_broken_month_is_critical_and_kept_all_the_same(trail):
    trail.write(3)
    trail.change(2, status="denied")
    trail.clock.set(datetime(2026, 4, 1, 0, 5, tzinfo=UTC))

    found = run(trail, job_names.AUDIT_ARCHIVE, {"write_file": True})

    assert (found.status, found.detail["chain"]["chain_ok"]) == ("critical", False)
    assert registry.get("monthly_audit_archive").fails_on == found.status
    assert found.detail["output_file"]


def test_a_dry_archive_writes_no_file_and_no_record(trail):
    trail.write(3)
    trail.clock.set(datetime(2026, 4, 1, 0, 5, tzinfo=UTC))

    assert run(trail, job_names.AUDIT_ARCHIVE, {"write_file": True}, dry_run=True).detail["output_file"] is None
    assert len(trail.rows()) == 3
    assert not trail.config.path("AUDIT_ARCHIVE_PATH").exists()


@pytest.mark.parametrize(("month", "refusal"), [("2026-13", BadRequest), ("0000-01", BadRequest), ("2026-1", Invalid)])
def test_what_is_no_month_leaves_no_run(trail, month, refusal):
    with pytest.raises(refusal):
        run(trail, job_names.AUDIT_ARCHIVE, {"month": month})

    with trail.factory() as session:
        assert session.scalar(select(func.count(JobRun.id))) == 0
