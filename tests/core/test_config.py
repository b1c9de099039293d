import pytest

from console.core.config import Config, ConfigError, database_url
from console.core.settings import SETTINGS


def test_every_setting_stands_once_with_a_meaning():
    names = [setting.name for setting in SETTINGS]

    assert len(names) == len(set(names))
    assert all(setting.help for setting in SETTINGS)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("DEMO", "ture"),
        ("API_BURN_RATE_WARNING", "nan"),
        ("API_RATE_LIMIT_STORE", "disk"),
        ("BUSINESS_TIME_ZONE", "Mars/Base"),
        ("BUSINESS_TIME_ZONE", "../../etc/passwd"),
        ("GOVERNANCE_GATE_REQUIRE_DR_RESTORE_VALID", "maybe"),
    ],
)
def test_a_wrong_word_stops_the_start_and_names_the_variable(name, word):
    with pytest.raises(ConfigError, match=name):
        Config.load({name: word})


@pytest.mark.parametrize("word", ["1", "true", "YES", "On"])
def test_booleans_take_the_published_words(word):
    assert Config.load({"ADMIN_TOKEN_REQUIRE_EXPIRY": word})["ADMIN_TOKEN_REQUIRE_EXPIRY"] is True


def test_a_value_below_the_minimum_is_raised_to_it():
    assert Config.load({"ADMIN_TOKEN_MAX_TTL_DAYS": "0"})["ADMIN_TOKEN_MAX_TTL_DAYS"] == 1


@pytest.mark.parametrize(("env", "fails"), [("local", False), ("PROD", True), ("production", True)])
def test_production_refuses_to_start_with_a_preflight_error(env, fails):
    assert Config.load({"ENV": env})["PREFLIGHT_FAIL_ON_ERROR"] is fails


def test_dependent_values_are_raised_to_each_other():
    config = Config.load(
        {"API_LATENCY_P95_WARNING_MS": "1000", "API_BURN_RATE_SHORT_WINDOW_MIN": "90", "REDIS_URL": "redis://one"}
    )

    assert config["API_LATENCY_P95_CRITICAL_MS"] == 1000
    assert config["API_BURN_RATE_LONG_WINDOW_MIN"] == 90
    assert config["API_LATENCY_STALE_AFTER_MIN"] == 180
    assert config["API_RATE_LIMIT_REDIS_URL"] == "redis://one"


def test_paths_lie_in_the_data_folder_unless_given(tmp_path):
    config = Config.load({"DATA_DIR": str(tmp_path), "DR_REHEARSAL_BACKUP_PATH": "/srv/backup"})

    assert config.path("OPS_DAILY_CHECK_ARCHIVE_PATH") == tmp_path / "ops-daily-check-archives"
    assert str(config.path("DR_REHEARSAL_BACKUP_PATH")) == "/srv/backup"


def test_the_database_is_a_file_unless_a_server_is_named(tmp_path):
    assert database_url(Config.load({"DATA_DIR": str(tmp_path)})) == f"sqlite:///{tmp_path}/facility.db"
    assert database_url(Config.load({"DATABASE_URL": "postgres://h/d"})) == "postgresql://h/d"


def test_what_is_replaced_counts_as_given():
    settings = Config.for_tests()

    changed = settings.replaced(AUDIT_ARCHIVE_SIGNING_REQUIRED=True)

    assert changed.given("AUDIT_ARCHIVE_SIGNING_REQUIRED")
    assert not settings.given("AUDIT_ARCHIVE_SIGNING_REQUIRED")
