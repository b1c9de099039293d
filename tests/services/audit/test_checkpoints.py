"""Checkpoints: signed, kept in two places, and what they reveal."""

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from console.core.context import Context
from console.domain.errors import Invalid, NotFound, PermissionDenied
from console.models.audit import AuditAcknowledgement, AuditCheckpoint
from console.services.audit.checkpoint_store import lost_chains, older_copy, restored_parts
from console.services.audit.checkpoints import acknowledge, checkpoint, due
from console.services.audit.record import chain_status
from console.services.audit.verify import verify_all
from console.services.runbook.runbook import _chain as runbook_chain
from tests.conftest import actor_of, empty
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
            "previous": "",
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


def lost(trail, engine):
    """Fill, sign and lose a log; return its name in the files."""
    trail.write(4)
    name = trail.check(checkpoint).file.split("-")[2]
    empty(engine)
    return name


@pytest.mark.parametrize("again", [0, 2])
def test_a_log_that_is_gone_is_reported_everywhere_until_somebody_acknowledges_it(trail, engine, again):
    name = lost(trail, engine)
    if again:
        trail.write(again)

    assert (4, "chain_missing") in found(trail.check(verify_all))
    assert (4, "chain_missing") in found(trail.check(chain_status))
    assert not trail.check(checkpoint).chain_ok
    assert not trail.check(lambda ctx: runbook_chain(ctx, None)).ok
    with trail.ctx() as ctx:
        assert acknowledge(ctx, name, reason="A new database after the move") == 4

    assert trail.check(verify_all).chain_ok
    assert trail.check(chain_status).chain_ok
    assert trail.rows()[-1].action == "admin_audit_chain_acknowledge"
    assert "after the move" in trail.rows()[-1].detail_json


def test_an_acknowledgement_holds_for_what_was_lost_by_then_and_for_our_own_hand(trail, engine):
    name = lost(trail, engine)
    with trail.ctx() as ctx:
        acknowledge(ctx, name, reason="known")
    for values in ({"seq": 9}, {"reason": "other"}, {"actor_username": "kim"}, {"signature": "0" * 64}):
        with trail.factory() as session:
            session.execute(update(AuditAcknowledgement).values(**values))
            session.flush()
            ctx = Context(session, trail.clock, actor_of(), trail.config)
            assert [one.seq for one in lost_chains(ctx)] == [4]


@pytest.mark.parametrize("reason", ["", "  "])
def test_an_acknowledgement_needs_a_reason_and_something_that_is_missing(trail, engine, reason):
    name = lost(trail, engine)
    with trail.ctx() as ctx, pytest.raises(Invalid):
        acknowledge(ctx, name, reason=reason)
    with trail.ctx() as ctx, pytest.raises(NotFound):
        acknowledge(ctx, "0" * 12, reason="why")
    with trail.ctx(role="owner", sites=("HQ",)) as ctx, pytest.raises(PermissionDenied):
        acknowledge(ctx, name, reason="why")


def test_checkpoints_that_another_key_signed_say_nothing_about_us(trail, engine):
    lost(trail, engine)
    trail.config = trail.config.replaced(AUDIT_CHAIN_KEY="another-chain-key")

    assert trail.check(verify_all).chain_ok
    trail.write(1)
    assert trail.check(chain_status).other_chains == 1


def test_each_checkpoint_names_the_one_before_so_that_none_can_be_taken_out(trail):
    for _number in range(3):
        trail.write(2)
        trail.check(checkpoint)
    rows = stored(trail)
    assert [row.previous for row in rows] == ["", rows[0].signature, rows[1].signature]
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    kept = path.read_text().splitlines(keepends=True)

    trail.run(delete(AuditCheckpoint).where(AuditCheckpoint.id == rows[1].id))
    assert trail.check(verify_all).chain_ok  # The file still has it.
    path.write_text(kept[0] + kept[2])

    assert (6, "checkpoint_missing") in found(trail.check(verify_all))


def test_a_predecessor_that_was_written_over_makes_a_checkpoint_invalid(trail):
    trail.write(2)
    trail.check(checkpoint)
    trail.run(update(AuditCheckpoint).values(previous=None))

    assert (2, "checkpoint_invalid") in found(trail.check(verify_all))


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_an_emptied_file_is_noticed_until_it_is_acknowledged(trail, how):
    trail.write(2)
    chain = trail.check(checkpoint).file.split("-")[2]
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    path.write_text("") if how == "emptied" else path.unlink()

    assert found(trail.check(verify_all)) == [(2, "checkpoint_file_incomplete")]
    assert (2, "checkpoint_file_incomplete") in found(trail.check(chain_status))
    with trail.ctx() as ctx:
        acknowledge(ctx, chain, reason="the folder was on a disk that failed")
    assert trail.check(verify_all).chain_ok
    assert trail.check(chain_status).chain_ok


def restored(trail, *, more=0):
    """Sign entries 2 and 5, then bring back what there was at 3; return the name of the log."""
    trail.write(2)
    chain = trail.check(checkpoint).file.split("-")[2]
    trail.write(3)
    trail.check(checkpoint)
    trail.cut(3)
    trail.run(delete(AuditCheckpoint).where(AuditCheckpoint.seq == 5))
    if more:
        trail.write(more, action="other")
    return chain


@pytest.mark.parametrize("more", [0, 1, 6])
def test_an_acknowledged_restore_starts_a_part_that_is_linked_to_the_old_checkpoint(trail, more):
    chain = restored(trail, more=more)
    left = lines(trail)[-1]["signature"]
    older = trail.check(older_copy)
    assert (older.chain, older.after_seq, older.seq, older.left_signature) == (chain, 2, 5, left)
    for verify in (verify_all, chain_status):
        assert (5, "checkpoint_mismatch") in found(trail.check(verify))
    assert not trail.check(checkpoint).chain_ok

    with trail.ctx() as ctx:
        assert acknowledge(ctx, chain, reason="disk failed") == 5
    trail.clock.advance(timedelta(minutes=1))

    assert trail.check(older_copy) is None
    for verify in (verify_all, chain_status, checkpoint):
        assert trail.check(verify).chain_ok
    entry = next(row for row in trail.rows() if row.action == "admin_audit_chain_acknowledge")
    said = json.loads(entry.detail_json)
    assert (said["after_seq"], said["left_signature"]) == (2, left)
    trail.write(4)
    assert trail.check(lambda ctx: checkpoint(ctx, full=True)).chain_ok
    (part,) = trail.check(restored_parts)
    assert (part.after_seq, part.seq, part.left_signature, part.reason) == (2, 5, left, "disk failed")


def test_many_lines_that_a_restore_left_behind_do_not_hide_what_stands_before_them(trail):
    chain = restored(trail)
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    kept = path.read_text().splitlines(keepends=True)
    path.write_text(kept[0] + kept[1] * 100 + kept[1][:40])
    with trail.ctx() as ctx:
        acknowledge(ctx, chain, reason="disk failed")

    assert trail.check(chain_status).chain_ok
    path.write_text(kept[1] * 100)
    assert (2, "checkpoint_file_incomplete") in found(trail.check(chain_status))


def test_an_acknowledged_restore_excuses_nothing_else(trail):
    chain = restored(trail)
    with trail.ctx() as ctx:
        acknowledge(ctx, chain, reason="disk failed")
    trail.clock.advance(timedelta(minutes=1))
    trail.write(1)
    assert trail.check(checkpoint).seq == 5
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    kept = path.read_text().splitlines(keepends=True)

    path.write_text("".join(kept[:-1]))
    assert found(trail.check(verify_all)) == [(5, "checkpoint_file_incomplete")]
    path.write_text("".join(kept))
    trail.run(delete(AuditCheckpoint).where(AuditCheckpoint.seq == 5))
    trail.cut(4)
    assert (5, "checkpoint_mismatch") in found(trail.check(verify_all))
    assert trail.check(older_copy).seq == 5


def test_a_restore_that_another_hand_wrote_down_holds_for_nothing(trail):
    chain = restored(trail)
    with trail.ctx() as ctx:
        acknowledge(ctx, chain, reason="disk failed")
    for values in ({"after_seq": 1}, {"left_signature": "0" * 64}, {"after_seq": None}):
        with trail.factory() as session:
            session.execute(update(AuditAcknowledgement).values(**values))
            session.flush()
            ctx = Context(session, trail.clock, actor_of(), trail.config)
            assert restored_parts(ctx) == ()
            assert not verify_all(ctx).chain_ok


def test_a_checkpoint_that_another_machine_kept_is_not_looked_for_here(trail):
    trail.write(2)
    trail.check(checkpoint)
    trail.run(update(AuditCheckpoint).values(kept_by="another"))
    (path,) = trail.config.path("AUDIT_CHECKPOINT_PATH").glob("*.jsonl")
    path.unlink()

    assert trail.check(verify_all).chain_ok


def test_a_checkpoint_is_due_after_so_many_entries_or_minutes(trail):
    trail.config = trail.config.replaced(AUDIT_CHECKPOINT_ENTRIES=5, AUDIT_CHECKPOINT_MINUTES=3)
    assert not trail.check(due)
    trail.write(1)
    assert trail.check(due)  # Nothing was ever signed.
    trail.check(checkpoint)
    trail.write(4)
    assert not trail.check(due)
    trail.write(1)
    assert trail.check(due)
    trail.check(checkpoint)
    trail.clock.advance(timedelta(minutes=3))
    assert not trail.check(due)
    trail.write(1)
    assert trail.check(due)


def test_a_copy_of_every_checkpoint_is_kept_where_it_is_wanted(trail, tmp_path):
    trail.config = trail.config.replaced(AUDIT_CHECKPOINT_COPY_PATH=str(tmp_path / "elsewhere"))
    trail.write(2)
    name = trail.check(checkpoint).file

    assert (tmp_path / "elsewhere" / name).read_text() == (
        trail.config.path("AUDIT_CHECKPOINT_PATH") / name
    ).read_text()


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
