"""Every check of the preflight, met and not met, and what blocks the start."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.runbook.preflight import PathProbe, Surroundings, blocking_message, examine
from console.domain.text import T

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _examine(fail_on_error=False, **changes):
    return examine(Surroundings(**changes), fail_on_error=fail_on_error, now=NOW)


def _status(check_id, **changes):
    return next((c.severity, c.status) for c in _examine(**changes).checks if c.id == check_id)


def test_good_surroundings_pass_and_the_checks_stand_in_the_published_order():
    found = _examine(
        required_env={"REDIS_URL": True, "DATABASE_URL": True},
        paths=(PathProbe("ops_daily_archive_path", "/x"), PathProbe("dr_rehearsal_backup_path", "/y")),
    )

    assert [check.id for check in found.checks] == [
        "required_env_database_url",
        "required_env_redis_url",
        "rate_limit_redis_config",
        "audit_archive_signing_key",
        "rollback_guide_file",
        "alert_noise_policy_doc",
        "ops_daily_archive_path",
        "dr_rehearsal_backup_path",
        "insecure_local_auth",
        "admin_token_bootstrap",
        "secret_strength",
        "compatibility_switches",
        "owner_second_factor",
        "private_folders",
        "allowed_hosts",
        "public_url",
        "database_certificate",
        "backup_key",
    ]
    assert (found.overall_status, found.has_error, found.check_count) == ("ok", False, 18)


@pytest.mark.parametrize(
    ("check_id", "changes", "severity", "status"),
    [
        ("required_env_database_url", {"required_env": {"DATABASE_URL": False}}, "error", "error"),
        ("rate_limit_redis_config", {"rate_limit_store": "redis"}, "error", "error"),
        ("rate_limit_redis_config", {"rate_limit_store": "redis", "redis_url_set": True}, "error", "ok"),
        ("rate_limit_redis_config", {"rate_limit_store": "auto"}, "warning", "ok"),
        ("audit_archive_signing_key", {"signing_key_set": False}, "warning", "warning"),
        ("audit_archive_signing_key", {"signing_key_set": False, "signing_required": True}, "error", "error"),
        ("audit_archive_signing_key", {"signing_required": True}, "error", "ok"),
        ("rollback_guide_file", {"rollback_guide_exists": False}, "error", "error"),
        ("alert_noise_policy_doc", {"noise_policy_exists": False}, "warning", "warning"),
        ("ops_daily_archive_path", {"paths": (PathProbe("ops_daily_archive_path", "/x", "denied"),)}, "error", "error"),
        ("insecure_local_auth", {"insecure_local_auth": True}, "warning", "warning"),
        ("insecure_local_auth", {"insecure_local_auth": True, "production": True}, "error", "error"),
        ("admin_token_bootstrap", {"admin_token_length": 16}, "warning", "warning"),
        ("admin_token_bootstrap", {"admin_token_length": 32}, "warning", "ok"),
        ("admin_token_bootstrap", {"admin_token_length": 32, "production": True}, "error", "error"),
        ("admin_token_bootstrap", {"production": True}, "error", "ok"),
        ("backup_key", {"backup_key_made_here": True}, "warning", "ok"),
        ("backup_key", {"backup_key_made_here": True, "production": True}, "warning", "warning"),
        ("backup_key", {"backup_key_problem": T("Too short.")}, "warning", "warning"),
        ("backup_key", {"backup_key_problem": T("Too short."), "production": True}, "error", "error"),
        ("secret_strength", {"secret_lengths": {"SECRET_KEY": 31}}, "warning", "warning"),
        ("secret_strength", {"secret_lengths": {"SECRET_KEY": 31}, "production": True}, "error", "error"),
        ("secret_strength", {"secret_lengths": {"SECRET_KEY": 0}}, "warning", "ok"),
        ("compatibility_switches", {"open_switches": ("A", "B"), "production": True}, "warning", "warning"),
        ("owner_second_factor", {"production": True}, "warning", "warning"),
        ("owner_second_factor", {"production": True, "owners_need_second_factor": True}, "warning", "ok"),
        ("public_url", {"public_url_set": False, "alert_channels": 1}, "warning", "warning"),
        ("public_url", {"public_url_set": False}, "warning", "ok"),
        ("database_certificate", {"unverified_database": "db.example"}, "warning", "warning"),
        ("public_url", {"alert_channels": 1}, "warning", "ok"),
    ],
)
def test_a_check_that_is_not_met_has_its_severity_as_status(check_id, changes, severity, status):
    assert _status(check_id, **changes) == (severity, status)


@pytest.mark.parametrize(
    ("fail_on_error", "changes", "blocks"),
    [
        (True, {"signing_key_set": False, "signing_required": True}, "audit_archive_signing_key"),
        (True, {"signing_required": True, "signing_key_set": False, "rollback_guide_exists": False},
         "audit_archive_signing_key, rollback_guide_file"),
        (False, {"signing_key_set": False, "signing_required": True}, None),
        (True, {"signing_key_set": False}, None),
    ],
)  # fmt: skip
def test_only_errors_block_the_start_and_only_with_the_flag(fail_on_error, changes, blocks):
    message = blocking_message(_examine(fail_on_error, **changes))

    assert message == (f"Preflight failed: {blocks}" if blocks else None)


@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 40), st.booleans())
def test_the_counts_agree_with_the_checks(signed, required, guide, token, production):
    found = _examine(
        signing_key_set=signed,
        signing_required=required,
        rollback_guide_exists=guide,
        admin_token_length=token,
        production=production,
    )

    assert found.error_count == len(found.error_ids)
    assert found.has_error is (found.overall_status == "critical")
    assert all(check.status in ("ok", check.severity) for check in found.checks)


@pytest.mark.parametrize(
    ("schema", "status"), [("ok", None), ("absent", None), ("behind", "warning"), ("ahead", "warning")]
)
def test_tables_of_another_release_are_told(schema, status):
    found = examine(Surroundings(schema=schema), fail_on_error=False, now=NOW)

    assert {check.id: check.status for check in found.checks}.get("schema_version") == status
