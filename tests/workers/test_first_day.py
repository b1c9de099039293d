"""The first day of an empty installation, as docs/OPERATIONS.md describes it: what runs by itself, what people do."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask_migrate import upgrade
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console import create_app
from console.core.config import Config
from console.core.context import SYSTEM, unit_of_work
from console.core.database import make_engine
from console.core.process import ProcessRuntime
from console.domain.gate.gate import GO, NO_GO
from console.domain.jobs import names as job_names
from console.domain.remediation.checks import CHECK, COVERED_BY, check_of
from console.inputs.releases import SmokeRecordIn
from console.models.jobs import JobRun
from console.models.tracker import TrackerItem
from console.services.audit import record as audit
from console.services.gate import gate
from console.services.identity import first_owner
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.releases import checklist, smoke
from console.services.reliability import latency
from console.services.reliability.latency import Sample
from console.services.runbook import preflight, runbook
from console.web.extensions import db
from tests.conftest import actor_of, empty
from tests.support.postgres import postgres_programs, postgres_url
from workers.schedule import ENTRIES

STEP = timedelta(minutes=15)
# Seoul is nine hours ahead: a Monday morning, and the night before a month ends.
BEGINS = {
    "before the daily check": datetime(2026, 3, 2, 0, 0, tzinfo=UTC),
    "at the end of a month": datetime(2026, 3, 31, 14, 30, tzinfo=UTC),
}


class Installation:
    """An empty database with three living processes; `pass_time` is the scheduler and a worker at work."""

    def __init__(self, engine, clock, config):
        self.clock, self.engine = clock, engine
        self.place = ProcessRuntime(config, clock, engine, sessionmaker(engine))
        self.born = clock.now()
        self.processes = {kind: str(uuid4()) for kind in ("web", "worker", "scheduler")}

    def as_system(self):
        factory, config = self.place.sessions, self.place.config
        return unit_of_work(factory, actor=SYSTEM, clock=self.clock, config=config)

    def as_owner(self):
        owner = replace(actor_of("owner"), username="owner")
        return unit_of_work(self.place.sessions, actor=owner, clock=self.clock, config=self.place.config)

    def look_around(self):
        """Let every process report, as it does each minute, and requests leave their times."""
        found = preflight.examine_process(self.place.config, self.clock.now())
        now = self.clock.now()
        with self.as_system() as ctx:
            for kind, name in self.processes.items():
                preflight.store(ctx, found, instance_id=name, kind=kind, started_at=self.born, now=now)
            targets = latency.targets_of(self.place.config)
            latency.store(
                ctx, [Sample(one.key, one.method, one.path, 40.0, 200, False, now) for one in targets for _ in range(4)]
            )

    def pass_time(self, until):
        while self.clock.now() < until:
            self.clock.advance(STEP)
            self.look_around()
            with self.place.reading() as ctx:
                made = run_schedule.tick(ctx, ENTRIES, registry.find)
            for run_id in made:
                with self.place.by_hand() as ctx:
                    run_engine.perform(ctx, registry.find, run_id, "worker")

    def press(self, name, **options):
        """Start a job by its button."""
        with self.as_owner() as ctx:
            return run_engine.execute(ctx, registry.get(name), options or None).run

    def judge(self):
        with self.as_system() as ctx:
            return gate.snapshot(ctx)


@pytest.fixture(scope="module")
def migrated(backend, worker_id, tmp_path_factory):
    """Address of a database that the migrations made, as a drill wants it."""
    folder = tmp_path_factory.mktemp("installation")
    url = postgres_url(f"day_{worker_id}") if backend == "postgresql" else f"sqlite:///{folder}/facility.db"
    app = create_app(Config.for_tests(DATABASE_URL=url, DATA_DIR=str(folder)))
    with app.app_context():
        upgrade()
        db.engine.dispose()
    return url


@pytest.fixture
def installed(migrated, clock, tmp_path, request, monkeypatch):
    """An installation as `From nothing` says, on the first of its days."""
    if migrated.startswith("postgresql"):
        monkeypatch.setenv("PATH", f"{postgres_programs()}{os.pathsep}{os.environ['PATH']}")
    engine = make_engine(migrated)
    empty(engine)
    clock.set(BEGINS[request.param])
    config = Config.for_tests(
        DATABASE_URL=migrated,
        DATA_DIR=str(tmp_path / "data"),
        AUDIT_ARCHIVE_SIGNING_KEY="k" * 48,
        PUBLIC_URL="https://console.example.com",
    )
    made = Installation(engine, clock, config)
    with made.as_system() as ctx:
        first_owner.ensure_owner(ctx)
    made.look_around()
    with made.place.reading() as ctx:
        run_schedule.tick(ctx, ENTRIES, registry.find)
    yield made
    engine.dispose()


def verified_release(installation):
    """Record what `python -m console.deploy verify` saw, with the guide of the checkout."""
    with installation.as_owner() as ctx:
        current, book = checklist.view(ctx), runbook.snapshot(ctx)
        passed = not [one for one in book.critical_ids if one != "deploy_smoke_checklist"]
        shell = {"id": "ui_main_shell", "status": "ok", "message": "all there"}
        return smoke.record(
            ctx,
            SmokeRecordIn(
                deploy_id="first",
                checklist_version=current.version,
                rollback_reference=current.policy.rollback_guide_path,
                rollback_reference_sha256=current.policy.rollback_guide_sha256,
                rollback_ready=True,
                runbook_gate_passed=passed,
                checks=[shell],
            ),
        )


@pytest.mark.parametrize(
    ("backend", "installed"), [*zip(("sqlite", "postgresql"), BEGINS, strict=True)], indirect=True
)  # fmt: skip
def test_a_console_that_is_run_well_turns_go_within_its_first_day(installed):
    begun = installed.clock.now()
    assert installed.judge().decision == NO_GO

    # What the first hour of a person is: see "The first day" in docs/OPERATIONS.md.
    drill = installed.press(job_names.DR_REHEARSAL)
    assert drill.detail["restore_valid"] is True, drill.detail["notes"]
    assert verified_release(installed).status == "success"
    assert installed.press(job_names.QUALITY_WEEKLY).executed
    assert installed.press(job_names.DAILY_CHECK).executed
    verdict = installed.judge()
    assert (verdict.decision, [rule.id for rule in verdict.rules if not rule.passed]) == (GO, [])

    # The rest of the day nobody does anything, and it stays so.
    installed.pass_time(begun + timedelta(hours=24))
    verdict = installed.judge()
    assert (verdict.decision, [rule.id for rule in verdict.rules if not rule.passed]) == (GO, [])
    with installed.as_system() as ctx:
        verdicts = ctx.session.scalars(select(JobRun).where(JobRun.job_name == job_names.GATE)).all()
        assert [run.detail_json["decision"] for run in verdicts] == [GO]
        failed = ctx.session.execute(
            select(JobRun.job_name, JobRun.detail_json).where(JobRun.error_code.is_not(None))
        ).all()
        assert failed == []
        assert audit.chain_status(ctx).chain_ok
        book = runbook.snapshot(ctx)
        assert book.critical_ids == ()
        failing = {check.id for check in book.checks if check.fails}
        items = ctx.session.scalars(
            select(TrackerItem.item_key).where(TrackerItem.item_type == CHECK, TrackerItem.is_active)
        ).all()
        assert max(Counter(items).values(), default=1) == 1
        assert {check_of(key) for key in items} <= failing
        assert {check_of(key) for key in items} & set(COVERED_BY) <= {"startup_preflight"}
        # Nobody has given alerts a channel yet, and the week is not over.
        first_week = {"w07_weekly_quality_recent", "w07_quality_alert_channel"}
        assert failing <= {"runbook_critical_monthly_review", "startup_preflight", *first_week}


@pytest.mark.parametrize("installed", ["before the daily check"], indirect=True)
def test_without_a_person_it_says_what_is_missing(installed):
    installed.pass_time(installed.clock.now() + timedelta(hours=2))
    verdict = installed.judge()

    assert verdict.decision == NO_GO
    assert {rule.id for rule in verdict.rules if not rule.passed} == {
        "dr_restore_valid_recent",
        "deploy_smoke_binding_recent",
        "weekly_streak_target_met",
    }
    with installed.as_system() as ctx:
        board = ctx.session.scalars(select(TrackerItem.item_key).where(TrackerItem.is_active)).all()
        runs = ctx.session.scalar(select(func.count()).where(JobRun.job_name == job_names.DAILY_CHECK))
    assert runs == 1
    assert {"dr_restore_valid_recent", "deploy_smoke_binding_recent", "weekly_streak_target_met"} <= set(board)
    assert {check_of(key) for key in board} & set(COVERED_BY) <= {"startup_preflight"}
