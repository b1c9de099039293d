"""Checkpoints: signed, kept in two places, and what they reveal."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from console.domain.errors import PermissionDenied
from console.models.audit import AuditCheckpoint
from console.services.audit.checkpoints import checkpoint
from console.services.audit.record import chain_status
from console.services.audit.verify import verify_all
from tests.conftest import empty
from tests.services.audit.audit_support import Trail, found


@pytest.fixture
def trail(engine, clock, config):
    return Trail(engine, clock, config)


def stored(trail):
    with trail.factory() as session:
        return list(session.scalars(select(AuditCheckpoint).order_by(AuditCheckpoint.id)))


def lines(trail):
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_whole_chain_is_signed_in_the_database_and_in_a_file(trail):
    trail.write(4)

    result = trail.check(checkpoint)

    (row,) = stored(trail)
    assert (result.chain_ok, result.seq, result.verified_from) == (True, 4, 1)
    assert (row.seq, row.count, row.head_hash) == (4, 4, trail.head().head_hash)
    assert re.fullmatch(r"audit-checkpoints-[0-9a-f]{12}-2026-03\.jsonl", result.file)
    assert lines(trail) == [
        {
            "count": 4,
            "head_hash": row.head_hash,
            "key_id": row.key_id,
            "seq": 4,
            "signature": row.signature,
            "signed_at": "2026-03-02T00:00:00+00:00",
        }
    ]


def test_the_next_checkpoint_looks_at_what_is_new_and_a_full_one_at_everything(trail):
    trail.write(4)
    trail.check(checkpoint)
    trail.write(2)

    result = trail.check(checkpoint)
    assert (result.verified_from, result.checked_count, result.seq) == (5, 2, 6)
    assert trail.check(checkpoint).seq is None
    full = trail.check(lambda ctx: checkpoint(ctx, full=True))
    assert (full.verified_from, full.checked_count, full.seq) == (1, 6, 6)
    assert [row.seq for row in stored(trail)] == [4, 6, 6]


def test_a_broken_chain_is_not_signed(trail):
    trail.write(4)
    trail.change(2, detail_json="{}")

    result = trail.check(checkpoint)

    assert not result.chain_ok
    assert result.first_issue == {"id": trail.rows()[1].id, "seq": 2, "reason": "entry_hash_mismatch"}
    assert stored(trail) == []


def test_the_quick_look_starts_at_the_checkpoint_and_tells_its_age(trail):
    trail.write(4)
    trail.check(checkpoint)
    trail.clock.advance(timedelta(minutes=40))
    trail.write(2)

    status = trail.check(chain_status)

    assert status.chain_ok
    assert (status.checked_from, status.checked_count, status.checkpoint_seq) == (5, 2, 4)
    assert status.checkpoint_age == timedelta(minutes=40)


def test_rows_cut_off_together_with_head_and_checkpoints_are_betrayed_by_the_file(trail):
    trail.write(6)
    trail.check(checkpoint)
    trail.cut(4)
    trail.run(delete(AuditCheckpoint))

    assert found(trail.check(verify_all)) == [(6, "checkpoint_mismatch")]
    assert (6, "checkpoint_mismatch") in found(trail.check(chain_status))


def test_a_chain_that_grew_again_after_being_cut_is_betrayed_by_its_hashes(trail):
    trail.write(6)
    trail.check(checkpoint)
    trail.cut(4)
    trail.run(delete(AuditCheckpoint))
    trail.write(5, action="other")

    assert found(trail.check(verify_all)) == [(6, "checkpoint_mismatch")]
    assert (6, "checkpoint_mismatch") in found(trail.check(chain_status))


def test_a_forged_checkpoint_is_reported(trail):
    trail.write(4)
    trail.check(checkpoint)
    trail.run(update(AuditCheckpoint).values(count=3))

    assert (4, "checkpoint_invalid") in found(trail.check(verify_all))
    assert (4, "checkpoint_invalid") in found(trail.check(chain_status))


def test_a_line_that_was_being_written_when_the_machine_stopped_is_no_tampering(trail):
    trail.write(4)
    trail.check(checkpoint)
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    with path.open("a") as file:
        file.write('{"count": 5, "head')

    assert trail.check(verify_all).chain_ok
    assert trail.check(chain_status).chain_ok


def test_a_line_that_makes_no_sense_is_reported(trail):
    trail.write(4)
    trail.check(checkpoint)
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    path.write_text('{"seq": 1}\n' + path.read_text())

    assert found(trail.check(verify_all)) == [(0, "checkpoint_invalid")]


def test_checkpoints_of_another_log_in_the_folder_are_told_and_not_taken_for_this_one(trail, engine):
    trail.write(4)
    trail.check(checkpoint)
    empty(engine)
    assert trail.check(verify_all).chain_ok

    trail.write(2)
    status = trail.check(chain_status)
    assert (status.chain_ok, status.other_chains) == (True, 1)
    assert trail.check(verify_all).chain_ok
    trail.check(checkpoint)
    assert trail.check(chain_status).other_chains == 1


def test_files_cannot_be_shaken_off_by_changing_or_deleting_the_first_row(trail):
    trail.write(6)
    trail.check(checkpoint)
    trail.run(delete(AuditCheckpoint))
    trail.change(1, request_id="another")
    assert (1, "keyed_hash_mismatch") in found(trail.check(verify_all))

    trail.drop(1)
    trail.cut(4)
    assert (6, "checkpoint_mismatch") in found(trail.check(verify_all))


def test_a_folder_that_cannot_be_written_does_not_stop_the_signing(trail):
    trail.write(2)
    folder = trail.config.path("AUDIT_CHECKPOINT_PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file stands in the way")

    result = trail.check(checkpoint)

    assert (result.seq, result.file) == (2, None)
    assert len(stored(trail)) == 1


@pytest.mark.parametrize(
    ("role", "allowed"), [("owner", True), ("auditor", True), ("manager", True), ("operator", False)]
)
def test_who_may_verify(trail, role, allowed):
    trail.write(1)
    with trail.ctx(role=role) as ctx:
        if allowed:
            assert checkpoint(ctx).chain_ok
        else:
            with pytest.raises(PermissionDenied):
                checkpoint(ctx)
