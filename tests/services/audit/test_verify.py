"""Verification on both databases: whole chain, month, and the quick look of the gate."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert

from console.domain.audit.archive import month_of
from console.models.audit import AuditChainHead, AuditLog
from console.services.audit.reader import BATCH, PIECE
from console.services.audit.record import chain_status
from console.services.audit.verify import verify_all, verify_month
from tests.services.audit.audit_support import Trail, found
from tests.support.statements import statements


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


def march(ctx):
    return verify_month(ctx, month_of("2026-03"))


def test_an_empty_chain_is_whole(trail):
    assert trail.check(verify_all).chain_ok
    assert trail.check(chain_status).chain_ok
    assert trail.check(march).total_count == 0


def test_what_was_written_verifies(trail):
    trail.write(5)
    trail.clock.advance(timedelta(seconds=1, microseconds=250000))
    trail.write(3)

    report = trail.check(verify_all)

    assert report.chain_ok, report.issues
    assert (report.checked_count, report.last_seq) == (8, 8)
    assert report.last_entry_hash == trail.head().head_hash


def test_more_rows_than_fit_in_a_batch_verify(trail):
    trail.write(BATCH + 3)
    seen = []
    with trail.ctx() as ctx:
        report = verify_all(ctx, progress=lambda done, total: seen.append((done, total)))

    assert (report.checked_count, report.chain_ok) == (BATCH + 3, True)
    assert seen == [(min(done, BATCH + 3), BATCH + 3) for done in [*range(PIECE, BATCH + 1, PIECE), BATCH + 3]]


def other_time():
    return datetime(2026, 3, 2, 0, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "reasons"),
    [
        ({"detail_json": '{"n": 99}'}, ["entry_hash_mismatch"]),
        ({"actor_username": "somebody"}, ["entry_hash_mismatch"]),
        ({"created_at": other_time()}, ["entry_hash_mismatch"]),
        ({"created_text": "2026-03-02T00:00:01+00:00"}, ["entry_hash_mismatch"]),
        ({"prev_hash": "0" * 64}, ["prev_hash_mismatch"]),
        ({"keyed_hash": "0" * 64}, ["keyed_hash_mismatch"]),
        ({"keyed_hash": None}, ["keyed_hash_missing"]),
        ({"key_id": "stranger"}, ["keyed_hash_unknown_key"]),
        ({"request_id": "forged"}, ["keyed_hash_mismatch"]),
    ],
)
def test_a_changed_row_is_named(trail, values, reasons):
    trail.write(6)
    trail.change(3, **values)

    for report in (trail.check(verify_all), trail.check(march).report, trail.check(chain_status)):
        assert found(report) == [(3, reason) for reason in reasons]
        assert report.issues[0].id == trail.rows()[2].id
        assert not report.chain_ok


def test_a_deleted_row_in_the_middle_is_found(trail):
    trail.write(6)
    trail.drop(3)

    assert (4, "sequence_gap") in found(trail.check(verify_all))
    assert (4, "sequence_gap") in found(trail.check(march).report)


def test_deleted_oldest_rows_are_found(trail):
    trail.write(6)
    trail.drop(1, 2)

    assert (3, "sequence_gap") in found(trail.check(verify_all))


@pytest.mark.parametrize("gone", [(6,), (4, 5, 6), (1, 2, 3, 4, 5, 6)])
def test_deleted_newest_rows_are_found_by_the_head(trail, gone):
    trail.write(6)
    trail.drop(*gone)

    for verify in (verify_all, chain_status, lambda ctx: march(ctx).report):
        assert (6, "head_mismatch") in found(trail.check(verify))


def test_a_row_added_behind_the_head_is_found(trail):
    trail.write(3)
    last = trail.rows()[-1]
    columns = {column.name: getattr(last, column.name) for column in AuditLog.__table__.columns}
    trail.run(insert(AuditLog).values(**{**columns, "id": 999, "seq": 4, "prev_hash": last.entry_hash}))

    for verify in (verify_all, chain_status, lambda ctx: march(ctx).report):
        assert (4, "head_mismatch") in found(trail.check(verify))


def test_exchanged_rows_are_found(trail):
    trail.write(6)
    trail.change(3, seq=-3)
    trail.change(4, seq=3)
    trail.change(-3, seq=4)

    assert {"prev_hash_mismatch", "keyed_hash_mismatch"} <= {reason for _, reason in found(trail.check(verify_all))}


def test_a_removed_head_is_found(trail):
    trail.write(3)
    trail.run(delete(AuditChainHead))

    for verify in (verify_all, chain_status):
        assert not trail.check(verify).chain_ok


def test_a_month_starts_from_the_last_row_before_it(trail):
    trail.write(2)
    trail.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    trail.write(3)
    first = trail.rows()[:2]

    april = trail.check(lambda ctx: verify_month(ctx, month_of("2026-04")))
    assert (april.total_count, april.report.chain_ok) == (3, True)
    assert april.report.initial_prev_hash == first[-1].entry_hash
    assert trail.check(march).report.checked_count == 2
    assert trail.check(march).report.chain_ok


def test_a_row_missing_at_the_edge_of_a_month_is_found_in_both_months(trail):
    trail.write(2)
    trail.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    trail.write(3)
    trail.drop(2)

    assert (3, "sequence_gap") in found(trail.check(march).report)
    assert (3, "sequence_gap") in found(trail.check(lambda ctx: verify_month(ctx, month_of("2026-04"))).report)


def test_an_emptied_month_between_two_others_is_found(trail):
    trail.write(2)
    trail.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    trail.write(2)
    trail.clock.set(datetime(2026, 5, 1, tzinfo=UTC))
    trail.write(2)
    trail.drop(3, 4)

    april = trail.check(lambda ctx: verify_month(ctx, month_of("2026-04")))
    assert april.total_count == 0
    assert found(april.report) == [(5, "sequence_gap")]


def test_entries_of_an_earlier_key_verify_while_the_key_is_known(trail):
    trail.write(2)
    old = trail.config
    trail.config = old.for_tests(AUDIT_CHAIN_KEY="new key", DATA_DIR=old["DATA_DIR"])
    trail.write(2)

    assert [seq for seq, _ in found(trail.check(verify_all))] == [1, 2]
    trail.config = old.for_tests(
        AUDIT_CHAIN_KEY="new key", AUDIT_CHAIN_KEY_PREVIOUS=("ci-chain-key",), DATA_DIR=old["DATA_DIR"]
    )
    assert trail.check(verify_all).chain_ok


def test_the_quick_look_says_how_far_it_looked(trail):
    trail.write(4)
    status = trail.check(chain_status)

    assert (status.checked_count, status.checked_from, status.last_seq, status.partial) == (4, 1, 4, False)
    assert (status.checkpoint_seq, status.full_verified_at, status.clock_behind) == (None, None, timedelta(0))


def reading(ctx):
    ctx.only_reads = True
    return chain_status(ctx)


@pytest.mark.parametrize(
    ("tamper", "reason"),
    [
        (lambda trail: trail.change(3, detail_json="{}"), "entry_hash_mismatch"),
        (lambda trail: trail.change(3, keyed_hash="0" * 64), "keyed_hash_mismatch"),
        (lambda trail: trail.drop(3), "sequence_gap"),
        (lambda trail: trail.drop(4), "head_mismatch"),
    ],
)
def test_a_reader_who_looked_already_sees_tampering_at_once(trail, tamper, reason):
    trail.write(4)
    assert trail.check(reading).chain_ok
    assert trail.check(reading).checked_count == 4

    tamper(trail)

    assert reason in [what for _place, what in found(trail.check(reading))]


def test_a_reader_verifies_again_only_after_a_write_or_a_minute(trail):
    trail.engine.dispose()
    trail.write(4)
    counts = []
    for wait, write in ((0, 0), (30, 0), (60, 0), (0, 1)):
        trail.clock.advance(timedelta(seconds=wait))
        if write:
            trail.write(write)
        with statements() as seen:
            assert trail.check(reading).chain_ok
        counts.append(sum("admin_audit_logs.detail_json" in statement for statement in seen))

    assert counts == [1, 0, 1, 1]


def test_the_quick_look_tells_that_the_clock_was_ahead(trail):
    trail.write(1)
    trail.clock.advance(timedelta(hours=-2))

    assert trail.check(chain_status).clock_behind == timedelta(hours=2)
