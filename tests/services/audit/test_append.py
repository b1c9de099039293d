"""Recording: in the same transaction, at its end, gap-free, or not at all."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import sessionmaker

from console.core import revisions
from console.core.context import Context, unit_of_work
from console.domain.audit.entry import Entry, entry_hash, keyed_hash
from console.domain.errors import StoreUnavailable
from console.models.audit import AuditChainHead, AuditLog
from console.models.identity import User
from console.services.audit import record as audit
from tests.conftest import actor_of
from tests.factories import make_user


@pytest.fixture
def work(engine, clock, config):
    """Return a unit of work of an owner, as a door opens it."""
    factory = sessionmaker(engine)

    def open_one(**values):
        return unit_of_work(factory, actor=actor_of(**values), clock=clock, config=config)

    return open_one


def rows_of(engine):
    with sessionmaker(engine)() as session:
        return list(session.scalars(select(AuditLog).order_by(AuditLog.seq)))


def head_of(engine):
    with sessionmaker(engine)() as session:
        return session.scalars(select(AuditChainHead)).one()


def test_a_change_and_its_entry_are_written_together(work, engine, clock):
    with work() as ctx:
        user = make_user(ctx.session, now=clock.now(), username="park")
        audit.record(ctx, "admin_user_create", "admin_user", user.id, detail={"username": "박", "count": 2})

    (row,) = rows_of(engine)
    assert (row.seq, row.prev_hash, row.actor_username, row.status) == (1, None, "owner_a", "success")
    assert row.detail_json == '{"username": "박", "count": 2}'
    assert row.created_text == "2026-03-02T00:00:00+00:00"
    assert (head_of(engine).seq, head_of(engine).head_hash) == (1, row.entry_hash)


@pytest.mark.parametrize("entries", [1, 2])
def test_what_was_read_of_the_log_is_read_again_after_an_entry(work, engine, entries):
    def tokens():
        with engine.connect() as connection:
            found = revisions.tokens(connection)
            return found.get("admin_audit_logs"), found.get("audit_chain_head")

    before = tokens()
    with work() as ctx:
        for number in range(entries):
            audit.record(ctx, "thing_view", "thing", number)

    assert not set(before) & set(tokens())


def test_the_hashes_are_those_of_the_contract(work, engine):
    with work() as ctx:
        audit.record(ctx, "first", "thing", 1)
        audit.record(ctx, "second", "thing", 2)

    first, second = rows_of(engine)
    entry = Entry(None, "owner_a", "second", "thing", "2", "success", "{}")
    assert second.prev_hash == first.entry_hash
    assert second.entry_hash == entry_hash(entry, prev_hash=first.entry_hash, created_text=second.created_text)
    assert second.keyed_hash == keyed_hash(b"ci-chain-key", 2, second.entry_hash, second.request_id)


def test_a_rolled_back_change_leaves_no_entry_and_no_gap(work, engine):
    def fails():
        with work() as ctx:
            audit.record(ctx, "lost", "thing", 1)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fails()
    with work() as ctx:
        audit.record(ctx, "kept", "thing", 1)

    assert [(row.seq, row.action) for row in rows_of(engine)] == [(1, "kept")]


def test_a_rolled_back_savepoint_takes_only_its_own_entries_along(work, engine):
    with work() as ctx:
        audit.record(ctx, "before", "thing", 1)
        savepoint = ctx.session.begin_nested()
        audit.record(ctx, "inside", "thing", 1)
        savepoint.rollback()
        with ctx.session.begin_nested():
            audit.record(ctx, "kept_inside", "thing", 1)
        audit.record(ctx, "after", "thing", 1)

    assert [row.action for row in rows_of(engine)] == ["before", "kept_inside", "after"]


def test_a_failed_flush_in_a_savepoint_takes_only_its_own_entries_along(work, engine, clock):
    def fails(ctx):
        with ctx.session.begin_nested():
            audit.record(ctx, "inside", "thing", 1)
            make_user(ctx.session, now=clock.now(), username="twice")

    with work() as ctx:
        make_user(ctx.session, now=clock.now(), username="twice")
        audit.record(ctx, "before", "thing", 1)
        with pytest.raises(IntegrityError):
            fails(ctx)
        audit.record(ctx, "after", "thing", 1)

    assert [row.action for row in rows_of(engine)] == ["before", "after"]


def test_a_savepoint_that_ends_writes_nothing_yet(work):
    with work() as ctx:
        with ctx.session.begin_nested():
            audit.record(ctx, "inside", "thing", 1)
        assert ctx.session.scalars(select(AuditLog)).all() == []


def test_an_entry_that_cannot_be_written_undoes_the_change(work, engine, clock):
    with work() as ctx:
        audit.record(ctx, "first", "thing", 1)
    with sessionmaker(engine)() as session:
        session.execute(delete(AuditChainHead))
        session.commit()
    failures = audit.append_failures()

    def change():
        with work() as ctx:
            make_user(ctx.session, now=clock.now(), username="never")
            audit.record(ctx, "admin_user_create", "admin_user", 7)

    with pytest.raises(StoreUnavailable):
        change()

    with sessionmaker(engine)() as session:
        assert session.scalars(select(User).where(User.username == "never")).all() == []
    assert len(rows_of(engine)) == 1
    assert audit.append_failures() == failures + 1


def test_a_clock_that_is_set_back_does_not_turn_the_order_round(work, engine, clock):
    with work() as ctx:
        audit.record(ctx, "first", "thing", 1)
    clock.advance(timedelta(hours=-3))
    with work() as ctx:
        audit.record(ctx, "second", "thing", 1)

    first, second = rows_of(engine)
    assert second.created_at == first.created_at
    assert second.id > first.id


def test_the_time_is_taken_at_the_end_not_when_the_use_case_began(work, engine, clock):
    with work() as ctx:
        audit.record(ctx, "first", "thing", 1)
        clock.advance(timedelta(seconds=5))

    assert rows_of(engine)[0].created_text == "2026-03-02T00:00:05+00:00"


def test_a_resource_id_that_is_too_long_keeps_its_whole_text_in_the_detail(work, engine):
    address = "https://recovery.example/" + "a" * 400
    with work() as ctx:
        audit.record(ctx, "alert_channel_guard_recover", "alert_delivery", address, detail={"ok": True})

    (row,) = rows_of(engine)
    assert len(row.resource_id) == 120
    assert row.resource_id.startswith("https://recovery.example/")
    assert address in row.detail_json


@pytest.mark.parametrize("text", ["nul \0 byte", "half \ud83d pair"])
def test_text_that_no_database_takes_does_not_lose_the_entry(work, engine, text):
    with work() as ctx:
        audit.record(ctx, "odd", "thing", text, detail={"text": text, "number": float("nan")})

    assert "\ufffd" in rows_of(engine)[0].resource_id


@pytest.mark.parametrize("bad", [{"action": ""}, {"action": "x" * 81}, {"status": "완료"}, {"resource_type": "a\nb"}])
def test_words_that_are_not_of_the_dictionary_are_refused(ctx, bad):
    words = {"action": "a", "resource_type": "b", "status": "success", **bad}
    with pytest.raises(ValueError, match="audit"):
        audit.record(ctx, words["action"], words["resource_type"], 1, status=words["status"])


def test_a_view_leaves_no_row(work, engine):
    with work() as ctx:
        audit.viewed(ctx, "ops_governance_gate_view", "ops_governance_gate", "global", decision="go")

    assert rows_of(engine) == []


def denied(work, clock, resource_id, action="permission_denied"):
    with work() as ctx:
        return audit.record_denied(ctx, action, "endpoint", resource_id)


def test_the_same_refusal_is_recorded_once_in_ten_minutes(work, engine, clock):
    assert denied(work, clock, "GET /api/admin/users")
    assert not denied(work, clock, "GET /api/admin/users")
    assert denied(work, clock, "GET /api/admin/tokens")
    clock.advance(timedelta(minutes=10, seconds=1))
    assert denied(work, clock, "GET /api/admin/users")
    assert [row.status for row in rows_of(engine)] == ["denied"] * 3


def test_a_flood_of_refusals_is_capped_per_minute(work, engine, clock, config):
    limit = config["AUDIT_DENIED_MAX_PER_MINUTE"]

    kept = [denied(work, clock, f"10.0.0.{number}", "auth_denied") for number in range(limit + 5)]

    assert kept == [True] * limit + [False] * 5
    clock.advance(timedelta(minutes=1, seconds=1))
    assert denied(work, clock, "10.0.1.1", "auth_denied")


def test_the_context_of_the_system_is_named_system(engine, clock, config):
    from console.core.context import SYSTEM

    with unit_of_work(sessionmaker(engine), actor=SYSTEM, clock=clock, config=config) as ctx:
        assert isinstance(ctx, Context)
        audit.record(ctx, "sla_escalation_batch", "work_order", "batch", status="warning")

    (row,) = rows_of(engine)
    assert (row.actor_user_id, row.actor_username) == (None, "system")
