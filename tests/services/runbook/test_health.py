import resource

import pytest
from redis import Redis
from sqlalchemy import func, select, text
from sqlalchemy.orm import sessionmaker

from console.core.config import Config
from console.core.context import Context, start_writing
from console.core.database import make_engine
from console.models.runbook import PreflightSnapshot
from console.services.runbook import health


@pytest.fixture(autouse=True)
def unbelieving(monkeypatch):
    """Let every question be asked anew."""
    monkeypatch.setattr(health, "BELIEVED_SECONDS", 0.0)


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
    migrated(health.newest_migration())
    away = Config.for_tests(REDIS_URL="redis://127.0.0.1:1/0")

    found = health.check(Context(session, clock, make_ctx().actor, away))

    assert (found.status, found.ready, found.redis) == ("degraded", True, "away")


def test_tables_newer_than_the_code_are_served_by_the_release_before(make_ctx, migrated):
    migrated("9999")

    found = health.check(make_ctx())

    assert (found.status, found.ready, found.migrations) == ("ready", True, "ahead")


def test_the_row_that_is_tried_is_never_kept(make_ctx, migrated, session):
    migrated(health.newest_migration())
    health.check(make_ctx())

    assert session.scalar(select(func.count()).select_from(PreflightSnapshot)) == 0


def test_a_success_is_believed_for_a_moment_and_a_failure_is_not(engine, monkeypatch):
    monkeypatch.setattr(health, "BELIEVED_SECONDS", 5.0)
    ticks, answers = [100.0], ["ok", "full", "ok"]
    probe = health.WriteProbe(engine, lambda: ticks[0])
    monkeypatch.setattr(probe, "_write", lambda: answers.pop(0))

    assert [probe.ask(), probe.ask()] == ["ok", "ok"]
    ticks[0] += 5.0
    assert [probe.ask(), probe.ask()] == ["full", "ok"]


def test_a_lock_degrades_for_a_moment_and_then_is_no_longer_ready(make_ctx, migrated, engine, session):
    migrated(health.newest_migration())
    holder = sessionmaker(engine)()
    start_writing(holder)
    holder.execute(text("SELECT 1") if engine.dialect.name == "sqlite" else text("LOCK TABLE preflight_snapshots"))
    try:
        found = health.check(make_ctx())
        assert (found.database, found.status, found.ready) == ("locked", "degraded", True)
        health._probes[engine]._locked_since -= health.LOCKED_SECONDS
        found = health.check(make_ctx())
        assert (found.database, found.status, found.ready) == ("locked", "unavailable", False)
    finally:
        holder.rollback()
        holder.close()
    assert health.check(make_ctx()).status == "ready"


def test_a_full_disk_is_told(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/full.db")
    PreflightSnapshot.__table__.create(engine)
    probe = health.WriteProbe(engine)
    assert probe.ask() == "ok"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "full.db").stat().st_size, hard))
    try:
        assert probe.ask() == "full"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        engine.dispose()


def test_a_database_that_only_reads_is_told(make_ctx, migrated, database, tmp_path):
    migrated(health.newest_migration())
    if database.startswith("sqlite"):
        address = f"sqlite:///file:{database.removeprefix('sqlite:///')}?mode=ro&uri=true"
    else:
        address = f"{database}{'&' if '?' in database else '?'}options=-c%20default_transaction_read_only=on"
    only_reads = make_engine(address)
    with sessionmaker(only_reads)() as found_session:
        found = health.check(Context(found_session, make_ctx().clock, make_ctx().actor, make_ctx().config))
    only_reads.dispose()

    assert (found.database, found.ready) == ("read_only", False)


@pytest.mark.parametrize(
    ("command", "word"),
    [(("config", "set", "maxmemory", "1"), "full"), (("replicaof", "127.0.0.1", "1"), "read_only")],
)
def test_a_redis_that_takes_nothing_is_told(make_ctx, migrated, own_redis, command, word):
    migrated(health.newest_migration())
    ctx = make_ctx()
    asked = Context(ctx.session, ctx.clock, ctx.actor, Config.for_tests(REDIS_URL=own_redis.url))
    assert health.check(asked).redis == "ok"
    with Redis.from_url(own_redis.url) as client:
        client.execute_command(*command)

    found = health.check(asked)

    assert (found.redis, found.status, found.ready) == (word, "degraded", True)
