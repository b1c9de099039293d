"""What a process finds around it, how it is stored per process, and whose word counts."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import sessionmaker

from console.core.config import Config
from console.core.context import Context
from console.core.process import ProcessRuntime
from console.domain.errors import PermissionDenied
from console.models.runbook import PreflightSnapshot
from console.services.runbook import preflight
from console.web.preflight import Reporter


def _config(tmp_path, **settings):
    return Config.for_tests(DATA_DIR=str(tmp_path / "data"), API_RATE_LIMIT_ENABLED=True, **settings)


def _status(config, clock, check_id):
    found = preflight.examine_process(config, clock.now())
    return {check.id: (check.severity, check.status) for check in found.checks}.get(check_id)


def _store(ctx, instance_id, *, kind="web", minutes_ago=0.0, errors=0, warnings=0):
    found = preflight.examine_process(ctx.config, ctx.now() - timedelta(minutes=minutes_ago))
    found = replace(found, error_count=errors, warning_count=warnings, overall_status="critical" if errors else "ok")
    preflight.store(ctx, found, instance_id=instance_id, kind=kind, started_at=ctx.now(), now=ctx.now())


def test_both_documents_are_found_whatever_the_working_directory_is(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    assert preflight.documents() == {
        "docs/W15_MIGRATION_ROLLBACK.md": True,
        "docs/W17_ALERT_NOISE_POLICY.md": True,
    }


@pytest.mark.parametrize(
    ("settings", "environ", "status"),
    [
        ({}, {}, "ok"),
        ({"ENV": "production"}, {}, "error"),
        ({"ENV": "production", "DATABASE_URL": "sqlite://"}, {}, "ok"),
        ({"PREFLIGHT_REQUIRED_ENV": ("DATABASE_URL",)}, {}, "error"),
        ({"PREFLIGHT_REQUIRED_ENV": ("DATABASE_URL",), "DATABASE_URL": "sqlite://"}, {}, "ok"),
    ],
)
def test_the_database_address_must_be_set_where_it_matters(tmp_path, clock, settings, environ, status):
    assert _status(_config(tmp_path, **settings), clock, "required_env_database_url") == ("error", status)


@pytest.mark.parametrize(("value", "status"), [("x", "ok"), ("  ", "error"), (None, "error")])
def test_a_foreign_variable_can_be_required_too(tmp_path, clock, monkeypatch, value, status):
    monkeypatch.delenv("BACKUP_TARGET", raising=False)
    if value is not None:
        monkeypatch.setenv("BACKUP_TARGET", value)
    config = _config(tmp_path, PREFLIGHT_REQUIRED_ENV=("BACKUP_TARGET",))

    assert _status(config, clock, "required_env_backup_target") == ("error", status)


@pytest.mark.parametrize(
    ("settings", "severity", "status"),
    [
        ({"ENV": "production", "AUDIT_ARCHIVE_SIGNING_REQUIRED": False}, "warning", "warning"),
        ({"ENV": "production", "AUDIT_ARCHIVE_SIGNING_REQUIRED": True}, "error", "error"),
        ({"ENV": "production"}, "error", "error"),
        ({"ENV": "staging"}, "error", "error"),
        ({"ENV": "local"}, "warning", "warning"),
    ],
)
def test_a_missing_signing_key_weighs_as_much_as_it_is_required(tmp_path, clock, settings, severity, status):
    config = _config(tmp_path, AUDIT_ARCHIVE_SIGNING_KEY="", **settings)

    assert _status(config, clock, "audit_archive_signing_key") == (severity, status)


def test_a_folder_that_cannot_be_written_is_an_error_and_says_why(tmp_path, clock):
    config = _config(tmp_path, DR_REHEARSAL_BACKUP_PATH=str(tmp_path / "file" / "below"))
    (tmp_path / "file").write_text("not a folder")

    found = preflight.examine_process(config, clock.now())

    assert found.error_ids == ("dr_rehearsal_backup_path",)
    message = next(str(check.message) for check in found.checks if check.id == "dr_rehearsal_backup_path")
    assert "not writable" in message


@pytest.mark.parametrize(("env", "weight"), [("local", "warning"), ("production", "error")])
def test_evidence_that_could_not_be_stored_is_said_before_somebody_loses_a_photo(tmp_path, clock, env, weight):
    (tmp_path / "file").write_text("not a folder")
    broken = _config(tmp_path, ENV=env, EVIDENCE_STORAGE_PATH=str(tmp_path / "file" / "below"))
    stored = _config(tmp_path, EVIDENCE_STORAGE_BACKEND="db", EVIDENCE_STORAGE_PATH=str(tmp_path / "file" / "below"))

    assert _status(broken, clock, "evidence_storage_path") == (weight, weight)
    assert _status(_config(tmp_path), clock, "evidence_storage_path") == ("warning", "ok")
    assert _status(stored, clock, "evidence_storage_path") is None


def test_writable_folders_are_made_and_left_clean(tmp_path, clock):
    preflight.examine_process(_config(tmp_path), clock.now())

    assert (tmp_path / "data" / "dr-rehearsal").is_dir()
    assert not list((tmp_path / "data").rglob(".write_probe"))


@pytest.mark.parametrize(
    ("switch", "check_id"),
    [
        ("OPS_DAILY_CHECK_ARCHIVE_ENABLED", "ops_daily_archive_path"),
        ("OPS_QUALITY_REPORT_ARCHIVE_ENABLED", "ops_quality_report_archive_path"),
        ("DEPLOY_SMOKE_ARCHIVE_ENABLED", "deploy_smoke_archive_path"),
        ("DR_REHEARSAL_ENABLED", "dr_rehearsal_backup_path"),
    ],
)
def test_a_folder_is_looked_at_only_while_it_is_in_use(tmp_path, clock, switch, check_id):
    assert _status(_config(tmp_path), clock, check_id) == ("error", "ok")
    assert _status(_config(tmp_path, **{switch: False}), clock, check_id) is None


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, "ok"),
        ({"SITE_SCOPE_EMPTY_MEANS_ALL": True}, "warning"),
        ({"ADMIN_TOKEN_ENV_FALLBACK": True}, "warning"),
        ({"GRANT_CONTAINMENT": False}, "warning"),
    ],
)
def test_every_switch_that_loosens_a_rule_is_a_warning(tmp_path, clock, settings, status):
    assert _status(_config(tmp_path, **settings), clock, "compatibility_switches") == ("warning", status)


def test_the_start_is_refused_with_the_ids_of_the_failed_checks(tmp_path, clock):
    settings = {
        "ENV": "production", "DATABASE_URL": "sqlite://", "AUDIT_ARCHIVE_SIGNING_KEY": "", "ADMIN_TOKEN": "",
        "AUDIT_ARCHIVE_SIGNING_REQUIRED": True,
    }  # fmt: skip

    with pytest.raises(RuntimeError, match="audit_archive_signing_key"):
        preflight.refuse_bad_start(_config(tmp_path, **settings), clock.now())

    preflight.refuse_bad_start(_config(tmp_path, **settings, PREFLIGHT_FAIL_ON_ERROR=False), clock.now())


def test_a_process_has_one_row_and_takes_it_back(ctx):
    _store(ctx, "one", warnings=1)
    _store(ctx, "one", warnings=2)

    assert [row.warning_count for row in ctx.session.scalars(select(PreflightSnapshot))] == [2]
    preflight.forget(ctx, "one")
    assert preflight.instances(ctx) == ()


def test_rows_that_nobody_refreshed_for_a_week_are_dropped(ctx):
    _store(ctx, "old", minutes_ago=8 * 24 * 60)
    _store(ctx, "new")

    assert [one.instance_id for one in preflight.instances(ctx)] == ["new"]


@pytest.mark.parametrize(
    ("stored", "source", "errors", "stale"),
    [
        ([], "this_process", 0, False),
        ([("job", "worker", 0, 3)], "this_process", 0, False),
        ([("a", "web", 5, 0)], "web-a", 0, False),
        ([("a", "web", 5, 0), ("b", "web", 1, 1)], "web-b", 1, False),
        ([("a", "web", 1, 0), ("b", "web", 5, 1)], "web-b", 1, False),  # the worst of the living
        ([("a", "web", 1, 0), ("b", "web", 31, 1)], "web-a", 0, False),  # the other one is gone
        ([("a", "web", 60, 0), ("b", "web", 40, 1)], "web-b", 1, True),  # all gone: the newest, marked
    ],
)
def test_the_web_processes_are_the_ones_that_count(ctx, stored, source, errors, stale):
    for instance_id, kind, minutes_ago, count in stored:
        _store(ctx, instance_id, kind=kind, minutes_ago=minutes_ago, errors=count)

    facts = preflight.facts(ctx)

    assert (facts.source, facts.error_count, facts.is_stale) == (source, errors, stale)


def test_the_age_of_a_snapshot_is_told(ctx, clock):
    _store(ctx, "a", minutes_ago=5)

    assert preflight.facts(ctx).age_seconds == 300
    assert preflight.view(ctx).age_seconds == 300


def test_only_readers_of_security_see_it(make_ctx):
    assert preflight.view(make_ctx("auditor")).source == "this_process"
    ctx: Context = make_ctx("operator")
    with pytest.raises(PermissionDenied, match="Missing permission: admins:manage"):
        preflight.view(ctx)


def test_a_process_reports_when_it_is_due_and_takes_it_back(engine, config, clock, make_ctx):
    reporter = Reporter(ProcessRuntime(config, clock, engine, sessionmaker(engine)), "scheduler")

    reporter.report_if_due()
    clock.advance(timedelta(minutes=5))
    reporter.report_if_due()

    (one,) = preflight.instances(make_ctx())
    assert (one.kind, one.age_seconds, one.name) == ("scheduler", 300, f"scheduler-{reporter.instance_id[:6]}")
    reporter.report()
    assert [one.age_seconds for one in _fresh(make_ctx)] == [0]
    reporter.forget()
    assert _fresh(make_ctx) == ()


def _fresh(make_ctx):
    ctx = make_ctx()
    ctx.session.rollback()
    ctx.session.expire_all()
    return preflight.instances(ctx)
