import pytest
from sqlalchemy import text

from console.services.runbook import health


@pytest.fixture
def migrated(session):
    """Return `migrated(version)`: the table in which migrations note where they stand."""

    def note(version):
        session.execute(text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)"))
        session.execute(text("DELETE FROM alembic_version"))
        session.execute(text("INSERT INTO alembic_version VALUES (:version)"), {"version": version})
        session.commit()

    yield note
    session.rollback()
    session.execute(text("DROP TABLE IF EXISTS alembic_version"))
    session.commit()


def test_the_newest_tables_are_ready(make_ctx, migrated):
    migrated(health.newest_migration())

    found = health.check(make_ctx())

    assert (found.status, found.ready, found.redis) == ("ready", True, "absent")


def test_tables_older_than_the_code_are_not(make_ctx, migrated):
    migrated("0000")

    assert (health.check(make_ctx()).status, health.check(make_ctx()).migrations) == ("unavailable", "behind")


def test_an_unmigrated_database_is_not(make_ctx):
    assert health.check(make_ctx()).migrations == "absent"


def test_a_redis_that_is_away_only_degrades(make_ctx, migrated, config, session, clock):
    from console.core.config import Config
    from console.core.context import Context

    migrated(health.newest_migration())
    away = Config.for_tests(REDIS_URL="redis://127.0.0.1:1/0")

    found = health.check(Context(session, clock, make_ctx().actor, away))

    assert (found.status, found.ready, found.redis) == ("degraded", True, "away")
