"""Versions that two ask for at once, and the file of a record on a disk that does what it wants."""

import os
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker

from console.core.context import unit_of_work
from console.domain.errors import PermissionDenied
from console.inputs.releases import SmokeRecordIn
from console.models.jobs import JobRun
from console.models.releases import DeployChecklist
from console.services.identity import risk as security
from console.services.releases import archive, checklist, smoke
from tests.conftest import actor_of
from tests.support.holder import writing_elsewhere


def with_settings(ctx, **settings):
    """Return the context with other settings, in the same data folder."""
    return replace(ctx, config=type(ctx.config).for_tests(DATA_DIR=ctx.config["DATA_DIR"], **settings))


def record(ctx, **values):
    return smoke.record(ctx, SmokeRecordIn(**values))


def test_two_that_ask_at_once_never_share_a_version(engine, clock, config):
    found, gate = [], threading.Barrier(6)
    settings = [
        type(config).for_tests(DATA_DIR=config["DATA_DIR"], DEPLOY_SMOKE_RECENT_HOURS=hours)
        for hours in (24, 24, 36, 36, 48, 48)
    ]

    def ask(own):
        with unit_of_work(sessionmaker(engine), actor=actor_of(), clock=clock, config=own, write=False) as ctx:
            gate.wait()
            made = checklist.view(ctx)
            found.append((made.signature, made.version))

    threads = [threading.Thread(target=ask, args=(own,)) for own in settings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == len({version for _, version in found}) == 3
    assert {version for _, version in found} == {"2026.03.v1", "2026.03.v2", "2026.03.v3"}


def test_looking_gives_no_version_away_and_asking_does(ctx):
    assert (checklist.current(ctx).version, checklist.current(ctx).bound) == ("2026.03.v1", False)
    assert ctx.session.scalar(select(func.count()).select_from(DeployChecklist)) == 0
    assert checklist.view(ctx).bound
    assert checklist.current(ctx).bound


def test_the_setting_overrides_the_version_and_keeps_nothing(ctx):
    found = checklist.view(with_settings(ctx, DEPLOY_CHECKLIST_VERSION="hotfix-7"))

    assert (found.version, found.version_source, found.policy.version_rule) == (
        "hotfix-7", "env_override", "env_override",
    )  # fmt: skip
    assert ctx.session.scalar(select(func.count()).select_from(DeployChecklist)) == 0


def test_a_guide_that_is_gone_is_critical_beside_all_other_findings(ctx, monkeypatch, tmp_path):
    monkeypatch.setattr(checklist, "APP_ROOT", tmp_path)

    run = record(ctx, rollback_reference="docs/other.md", rollback_reference_sha256="0" * 64)

    assert run.status == "critical"
    assert [(one["id"], one["status"]) for one in run.detail["findings"]] == [
        ("runbook_gate", "warning"), ("rollback_ready", "warning"), ("ui_main_shell", "warning"),
        ("rollback_guide_binding", "critical"), ("rollback_guide_binding", "warning"),
        ("rollback_guide_binding", "warning"),
    ]  # fmt: skip
    assert run.detail["rollback_reference_sha256_match"] is False


def test_only_who_may_manage_records(make_ctx):
    with pytest.raises(PermissionDenied):
        record(make_ctx("auditor"))


def test_a_file_that_cannot_be_kept_is_a_finding_and_the_record_stays(ctx):
    folder = ctx.config.path("DEPLOY_SMOKE_ARCHIVE_PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")

    run = record(ctx)

    kept = run.detail["artifact_archive"]
    assert (kept["json_file"], kept["sha256"], bool(kept["error"])) == (None, None, True)
    assert run.detail["findings"][-1]["id"] == "artifact_archive"
    assert (run.status, run.detail["checks"][-1]["status"]) == ("warning", "warning")


def test_files_that_are_switched_off_are_skipped(ctx):
    run = record(with_settings(ctx, DEPLOY_SMOKE_ARCHIVE_ENABLED=False))

    assert run.detail["checks"][-1] | {"message_text": None} == {
        "id": "artifact_archive", "status": "skipped", "message": "Files of records are switched off.",
        "message_text": None,
    }  # fmt: skip
    assert not ctx.config.path("DEPLOY_SMOKE_ARCHIVE_PATH").exists()


def test_a_record_that_is_undone_leaves_no_file(ctx):
    run = record(ctx)
    file = ctx.config.path("DEPLOY_SMOKE_ARCHIVE_PATH") / run.detail["artifact_archive"]["json_file"]
    assert file.is_file()

    ctx.rollback()

    assert not file.exists()
    assert ctx.session.scalars(select(JobRun)).all() == []


def test_old_files_of_records_are_pruned_and_nothing_else(ctx, tmp_path):
    root = ctx.config.path("DEPLOY_SMOKE_ARCHIVE_PATH")
    now = ctx.now().timestamp()
    elsewhere = tmp_path / "deploy-smoke-elsewhere.json"
    for path, days in (
        (root / "2026/01/deploy-smoke-old.json", 31), (root / "2026/02/deploy-smoke-new.json", 29),
        (root / "2026/01/notes.json", 99), (elsewhere, 99),
    ):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
        os.utime(path, (now - days * 86400, now - days * 86400))
    (root / "2026/01/deploy-smoke-link.json").symlink_to(elsewhere)

    assert record(ctx).detail["artifact_archive"]["pruned_files"] == 1
    assert not (root / "2026/01/deploy-smoke-old.json").exists()
    assert (root / "2026/02/deploy-smoke-new.json").exists()
    assert (root / "2026/01/notes.json").exists()
    assert elsewhere.exists()


def test_a_file_that_is_gone_is_told_apart_from_one_that_was_pruned(ctx):
    stored, at = {"json_file": "2026/01/deploy-smoke-x.json", "sha256": "0"}, ctx.now()

    assert archive.state_of(ctx.config, stored, at=at, now=at) == "gone"
    assert archive.state_of(ctx.config, stored, at=at - timedelta(days=31), now=at) == "pruned"
    assert archive.state_of(ctx.config, {}, at=at, now=at) == "not_kept"
    assert archive.state_of(ctx.config, stored | {"json_file": "../../x.json"}, at=at, now=at) == "changed"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("rel/42", "rel-42"),
        ("../..", "deploy-smoke"),
        ("상암", "deploy-smoke"),
        ("a" * 99, "a" * 80),
        ("", "deploy-smoke"),
    ],
)
def test_a_deploy_id_becomes_a_harmless_name(text, name):
    assert archive.safe_name(text) == name


def test_a_bad_smoke_test_does_not_raise_the_security_risk(ctx):
    before = security.risk_of_window(ctx, days=30).score
    record(ctx, status="failed")
    ctx.commit()

    assert security.risk_of_window(ctx, days=30).score == before


def test_who_reads_while_somebody_writes_is_told_the_version_it_would_get(engine, clock, config, database):
    place = {"actor": actor_of(), "clock": clock, "config": config, "write": False}
    with writing_elsewhere(database), unit_of_work(sessionmaker(engine), **place) as ctx:
        found = checklist.view(ctx)

    assert (found.version, found.bound) == ("2026.03.v1", False)
