"""Tampering of every kind is found, and found at the right row."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.audit.chain import ISSUES_KEPT, Anchor, ChainRow, ChainVerifier, Checkpoint, accepted_hash
from console.domain.audit.entry import Entry, checkpoint_signature, entry_hash, key_id, keyed_hash

KEY = b"chain-key"
KEYS = {key_id(KEY): KEY}


def chain(length, *, start=1, prev=""):
    rows = []
    for seq in range(start, start + length):
        entry = Entry(seq % 3 or None, "박관리", "thing_update", "thing", str(seq), "success", f'{{"n": {seq}}}')
        created = f"2026-03-01T00:00:{seq % 60:02}+00:00"
        digest = entry_hash(entry, prev_hash=prev, created_text=created)
        rows.append(
            ChainRow(
                id=seq + 100,
                seq=seq,
                actor_user_id=entry.actor_user_id,
                actor_username=entry.actor_username,
                action=entry.action,
                resource_type=entry.resource_type,
                resource_id=entry.resource_id,
                status=entry.status,
                detail_json=entry.detail_json,
                created_at=created,
                created_text=created,
                prev_hash=prev or None,
                entry_hash=digest,
                keyed_hash=keyed_hash(KEY, seq, digest, "req"),
                key_id=key_id(KEY),
                request_id="req",
            )
        )
        prev = digest
    return rows


def verify(rows, *, anchor=None, keys=KEYS, marks=None, head=None, batch=3):
    verifier = ChainVerifier(anchor or Anchor(), keys, marks or {})
    for position in range(0, len(rows), batch):
        verifier.feed(rows[position : position + batch])
    if head is not None:
        verifier.check_end(head_seq=head.seq, head_hash=head.entry_hash)
    return verifier.report()


def found(report):
    return [(issue.seq, issue.reason) for issue in report.issues]


def rehashed(row, prev, **changes):
    """The row as somebody with the database, but without the key, would write it."""
    row = row._replace(**changes)
    entry = Entry(*row[2:9])
    digest = entry_hash(entry, prev_hash=prev, created_text=row.created_at)
    return row._replace(prev_hash=prev or None, entry_hash=digest)


def test_an_untouched_chain_is_ok():
    rows = chain(10)
    report = verify(rows, head=rows[-1])

    assert report.chain_ok
    assert (report.checked_count, report.issue_count, report.first_seq, report.last_seq) == (10, 0, 1, 10)
    assert (report.initial_prev_hash, report.last_entry_hash) == (None, rows[-1].entry_hash)


def test_an_empty_window_is_ok_and_has_no_last_hash():
    report = verify([], anchor=Anchor(4, "a" * 64))

    assert report.chain_ok
    assert (report.checked_count, report.last_entry_hash, report.initial_prev_hash) == (0, None, "a" * 64)


def test_one_row_is_ok_with_the_right_start_hash_only():
    rows = chain(2)

    assert verify(rows[1:], anchor=Anchor(1, rows[0].entry_hash)).chain_ok
    assert found(verify(rows[1:], anchor=Anchor(1, ""))) == [(2, "prev_hash_mismatch"), (2, "entry_hash_mismatch")]


CHANGES = {
    "id of the actor": {"actor_user_id": 99},
    "name of the actor": {"actor_username": "다른사람"},
    "action": {"action": "thing_delete"},
    "type": {"resource_type": "other"},
    "resource": {"resource_id": "999"},
    "status": {"status": "denied"},
    "detail": {"detail_json": '{"n": 0}'},
    "time": {"created_at": "2026-03-01T00:00:59.000001+00:00"},
    "stored text of the time": {"created_text": "2026-03-01T00:00:59.000001+00:00"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("position", [0, 4, 9])
def test_a_changed_row_is_named_and_the_later_ones_stay_good(changes, position):
    rows = chain(10)
    rows[position] = rows[position]._replace(**changes)

    report = verify(rows)

    assert not report.chain_ok
    assert found(report) == [(position + 1, "entry_hash_mismatch")]
    assert report.issues[0].id == position + 101


def test_a_changed_predecessor_is_named():
    rows = chain(5)
    rows[2] = rows[2]._replace(prev_hash="0" * 64)

    assert found(verify(rows)) == [(3, "prev_hash_mismatch")]


def test_an_emptied_hash_is_replaced_by_the_expected_one():
    rows = chain(5)
    rows[2] = rows[2]._replace(entry_hash=None)

    assert found(verify(rows, keys={})) == [(3, "entry_hash_mismatch")]


@pytest.mark.parametrize("position", [0, 3, 8])
def test_a_deleted_row_leaves_a_gap(position):
    rows = chain(10)
    del rows[position]

    assert (position + 2, "sequence_gap") in found(verify(rows))


def test_a_deleted_row_is_found_though_the_rest_was_renumbered_and_hashed_anew():
    rows = chain(6)
    forged = rows[:2]
    for row in rows[3:]:
        forged.append(rehashed(row, forged[-1].entry_hash, seq=row.seq - 1))

    assert verify(forged, keys={}).chain_ok
    assert found(verify(forged)) == [(seq, "keyed_hash_mismatch") for seq in (3, 4, 5)]


def test_an_inserted_row_is_found():
    rows = chain(6)
    rows.insert(3, rows[3]._replace(id=999, action="forged"))

    assert (4, "sequence_gap") in found(verify(rows))


def test_exchanged_rows_are_found():
    rows = chain(6)
    rows[2], rows[3] = rows[3]._replace(seq=3), rows[2]._replace(seq=4)

    reasons = {reason for _, reason in found(verify(rows))}

    assert {"prev_hash_mismatch", "entry_hash_mismatch", "keyed_hash_mismatch"} <= reasons


def test_deleted_newest_rows_are_found_by_the_head():
    rows = chain(6)

    assert found(verify(rows[:4], head=rows[-1])) == [(6, "head_mismatch")]


def test_a_row_written_without_the_key_is_found():
    rows = chain(3)
    rows.append(rehashed(rows[-1], rows[-1].entry_hash, seq=4, action="forged"))
    rows.append(rehashed(rows[-1], rows[-1].entry_hash, seq=5, keyed_hash=None))
    rows.append(rehashed(rows[-1], rows[-1].entry_hash, seq=6, keyed_hash="0" * 64, key_id="unknown"))

    assert found(verify(rows)) == [
        (4, "keyed_hash_mismatch"),
        (5, "keyed_hash_missing"),
        (6, "keyed_hash_unknown_key"),
    ]


def test_a_recomputed_history_breaks_the_promise_of_a_checkpoint():
    rows = chain(6)
    marks = {5: rows[4].entry_hash}
    forged = rows[:2]
    for row in rows[2:]:
        forged.append(rehashed(row, forged[-1].entry_hash, detail_json="{}"))

    assert verify(rows, marks=marks).chain_ok
    assert (5, "checkpoint_mismatch") in found(verify(forged, marks=marks, keys={}))


def test_a_window_whose_neighbour_is_missing_says_so():
    rows = chain(6)
    verifier = ChainVerifier(Anchor(2, rows[1].entry_hash), KEYS)
    verifier.feed(rows[2:4])
    verifier.check_next(rows[5].id, rows[5].seq)

    assert found(verifier.report()) == [(6, "sequence_gap")]


def test_the_first_hundred_issues_are_kept_and_all_are_counted():
    rows = [row._replace(detail_json="{}") for row in chain(150)]

    report = verify(rows)

    assert (report.issue_count, len(report.issues)) == (150, ISSUES_KEPT)
    assert report.issues[-1].seq == 100


# The row id is not hashed (contract 9.2); `seq` stands in its place.
FIELDS = st.sampled_from([name for name in ChainRow._fields if name != "id"])


@given(st.integers(1, 12), st.data())
def test_any_change_of_any_field_is_found(length, data):
    rows = chain(length)
    position = data.draw(st.integers(0, length - 1))
    name = data.draw(FIELDS)
    old = getattr(rows[position], name)
    kind = st.integers(0, 1000) if name in {"seq", "actor_user_id"} else st.text(max_size=40)
    value = data.draw(kind.filter(lambda new: new != (old or "") and new != old))
    rows[position] = rows[position]._replace(**{name: value})

    assert not verify(rows, batch=data.draw(st.integers(1, 5))).chain_ok


@given(st.integers(2, 12), st.data())
def test_any_rows_left_out_are_found_with_the_head(length, data):
    rows = chain(length)
    gone = data.draw(st.sets(st.integers(0, length - 1), min_size=1))
    left = [row for position, row in enumerate(rows) if position not in gone]

    assert not verify(left, head=rows[-1]).chain_ok


@given(st.integers(2, 12), st.data())
def test_newest_rows_cut_off_together_with_the_head_are_found_by_a_checkpoint(length, data):
    rows = chain(length)
    kept = data.draw(st.integers(1, length - 1))
    promised = checkpoint(rows[-1])

    report = verify(rows[:kept], head=rows[kept - 1])

    # The chain itself looks whole; only the signed statement tells.
    assert report.chain_ok
    assert promised.genuine(KEYS)
    assert promised.seq > (report.last_seq or 0)


def checkpoint(row):
    made = Checkpoint(row.seq, row.entry_hash, row.seq, "2026-03-02T00:00:00+00:00", "", key_id(KEY))
    facts = {"seq": made.seq, "head_hash": made.head_hash, "count": made.count, "signed_at": made.signed_at}
    return replace(made, signature=checkpoint_signature(KEY, **facts))


@pytest.mark.parametrize(
    "changes",
    [{"seq": 4}, {"count": 4}, {"head_hash": "0" * 64}, {"signed_at": "2026-03-03T00:00:00+00:00"}, {"key_id": "x"}],
)
def test_a_changed_checkpoint_is_not_genuine(changes):
    made = checkpoint(chain(5)[-1])

    assert made.genuine(KEYS)
    assert not replace(made, **changes).genuine(KEYS)


def hashes(*names):
    return [sha256(name.encode()).hexdigest() for name in names]


def test_evidence_of_a_rebaseline_explains_a_new_hash():
    a, b, c = hashes("a", "b", "c")

    assert accepted_hash(a, []) == a
    assert accepted_hash(a, [(a, b), (b, c)]) == c
    assert accepted_hash(a, [(b, c)]) == a
    assert accepted_hash(a, [(a, b), (b, a)]) == a
