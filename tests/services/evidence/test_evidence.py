"""Evidence below the doors: both backends, faults of disk and database, quota, undone transactions."""

import errno
import gc
import io
import time
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from console.core.context import start_writing
from console.domain.errors import Conflict, Gone, StoreUnavailable, TooLarge
from console.domain.tracker.tracker import REMEDIATION
from console.models.evidence import EvidenceChunk, EvidenceFile
from console.models.tracker import TrackerItem
from console.services.evidence import evidence
from console.services.evidence import store as evidence_store
from console.services.evidence.files import Upload
from tests.factories.tracker import add_item

BIG = bytes(range(32, 127)) * 12_000


@pytest.fixture(params=["fs", "db"])
def stored(request):
    return request.param


@pytest.fixture
def writing(make_ctx, session, clock, stored):
    """A reading context as a request has it, for one backend, and an open item."""
    row = add_item(session, clock.now(), 1, site="본관")
    session.commit()
    ctx = make_ctx(username="lee")
    ctx.config = ctx.config.replaced(EVIDENCE_STORAGE_BACKEND=stored)
    ctx.item = row.id
    return ctx


def attach(ctx, content=b"measured", name="a.txt", note=""):
    return evidence.attach(ctx, REMEDIATION, ctx.item, Upload(io.BytesIO(content), name, "text/plain"), note)


def files(ctx):
    return [path for path in evidence_store.root(ctx.config).rglob("*") if path.is_file()]


def count(ctx, model):
    return ctx.session.scalar(select(func.count()).select_from(model))


def test_a_file_that_the_item_has_already_is_known_by_its_content(writing, session, clock):
    def known(content, item=writing.item):
        upload = Upload(io.BytesIO(content), "b.txt", "text/plain")
        found = evidence.is_there(writing, REMEDIATION, item, upload)
        assert upload.stream.tell() == 0
        return found

    other = add_item(session, clock.now(), 2).id
    session.commit()
    made = attach(writing, BIG)
    writing.commit()
    assert [known(BIG), known(BIG[:-1]), known(BIG, other)] == [True, False, False]

    evidence.remove(writing, REMEDIATION, made.id, "wrong file")
    writing.commit()
    assert not known(BIG)


def test_both_backends_give_back_what_they_took(writing, stored):
    made = attach(writing, BIG)
    writing.commit()

    fetched = evidence.fetch(writing, REMEDIATION, made.id)
    with fetched.stream as stream:
        assert stream.read() == BIG
    assert (made.storage_backend, count(writing, EvidenceChunk)) == (stored, 0 if stored == "fs" else 5)
    assert len(files(writing)) == (1 if stored == "fs" else 0)


def test_rows_say_where_they_live_whatever_the_setting_says_now(writing, stored):
    made = attach(writing)
    writing.commit()
    other = "db" if stored == "fs" else "fs"
    writing.config = writing.config.replaced(EVIDENCE_STORAGE_BACKEND=other)

    second = attach(writing, b"second")
    writing.commit()

    assert second.storage_backend == other
    for row, content in ((made, b"measured"), (second, b"second")):
        with evidence.fetch(writing, REMEDIATION, row.id).stream as stream:
            assert stream.read() == content


def test_a_transaction_that_is_undone_takes_the_file_with_it(writing):
    attach(writing)
    writing.rollback()

    assert (count(writing, EvidenceFile), count(writing, EvidenceChunk), files(writing)) == (0, 0, [])
    assert writing.session.get(TrackerItem, writing.item).evidence_count == 0


def test_a_database_that_fails_after_the_file_was_written_leaves_nothing(writing, monkeypatch):
    def fail(*_args, **_values):
        raise OperationalError("INSERT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(evidence, "noted", fail)
    with pytest.raises(OperationalError):
        attach(writing)
    writing.rollback()

    assert (count(writing, EvidenceFile), files(writing)) == (0, [])


def test_a_commit_that_fails_leaves_nothing(writing, monkeypatch):
    attach(writing)
    with monkeypatch.context() as patch:
        patch.setattr(writing.session, "commit", lambda: (_ for _ in ()).throw(RuntimeError("gone")))
        with pytest.raises(RuntimeError):
            writing.commit()
    writing.rollback()

    assert (count(writing, EvidenceFile), files(writing)) == (0, [])


def test_a_commit_whose_answer_got_lost_keeps_the_file(writing, monkeypatch):
    attach(writing)
    really = writing.session.commit

    def lost():
        really()
        raise RuntimeError("connection lost")

    monkeypatch.setattr(writing.session, "commit", lost)
    with pytest.raises(RuntimeError):
        writing.commit()
    writing.rollback()

    assert count(writing, EvidenceFile) == 1
    with evidence.fetch(writing, REMEDIATION, 1).stream as stream:
        assert stream.read() == b"measured"


def test_a_database_that_stays_away_leaves_the_file_to_the_sweep(writing, monkeypatch, stored):
    attach(writing)

    def away(*_args, **_values):
        raise OperationalError("SELECT", {}, Exception("no route"))

    monkeypatch.setattr(writing.session, "scalar", away)
    writing.rollback()
    monkeypatch.undo()

    assert len(files(writing)) == (1 if stored == "fs" else 0)
    assert count(writing, EvidenceFile) == 0


def test_a_full_disk_is_said_and_leaves_nothing(writing, monkeypatch):
    def full(_content, _piece):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(evidence_store, "_write", full)
    with pytest.raises(StoreUnavailable, match="Evidence storage is unavailable"):
        attach(writing, BIG)
    writing.rollback()

    assert (count(writing, EvidenceFile), files(writing)) == (0, [])


def test_a_disk_that_is_full_at_the_last_step_leaves_nothing(writing, monkeypatch, stored):
    def full(_handle):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(evidence_store.os, "fsync", full)
    if stored == "fs":
        with pytest.raises(StoreUnavailable):
            attach(writing)
        writing.rollback()
        assert (count(writing, EvidenceFile), files(writing)) == (0, [])
    else:
        assert attach(writing).storage_backend == "db"


def test_a_sender_who_stops_in_the_middle_leaves_nothing(writing):
    class Broken(io.BytesIO):
        def read(self, *_size):
            if self.tell():
                raise ConnectionResetError
            return super().read(10)

    with pytest.raises(StoreUnavailable):
        evidence.attach(writing, REMEDIATION, writing.item, Upload(Broken(BIG), "a.txt", "text/plain"))
    writing.rollback()

    assert files(writing) == []


def test_nobody_waits_for_a_slow_sender(writing):
    seen = []

    class Slow(io.BytesIO):
        def read(self, *size):
            seen.append(writing.writing)
            return super().read(*size)

    evidence.attach(writing, REMEDIATION, writing.item, Upload(Slow(b"slow"), "a.txt", "text/plain"))

    assert seen == [False, False]
    assert writing.writing is True


def test_a_removed_file_is_gone_once_the_removal_is_committed(writing, stored):
    made = attach(writing, BIG)
    writing.commit()

    evidence.remove(writing, REMEDIATION, made.id, "wrong item")
    assert len(files(writing)) == (1 if stored == "fs" else 0)
    writing.rollback()
    with evidence.fetch(writing, REMEDIATION, made.id).stream as stream:
        assert stream.read() == BIG
    writing.rollback()
    evidence.remove(writing, REMEDIATION, made.id, "wrong item")
    writing.commit()

    assert (files(writing), count(writing, EvidenceChunk)) == ([], 0)
    row = writing.session.get(EvidenceFile, made.id)
    assert (row.removed_by, row.removed_reason, row.sha256) == ("lee", "wrong item", made.sha256)


def test_counts_and_packages_know_the_living_files(writing):
    first = attach(writing, b"one", note="before")
    attach(writing, b"two")
    writing.commit()
    evidence.remove(writing, REMEDIATION, first.id, "x")
    writing.commit()

    packed = list(evidence.of_tracker(writing, REMEDIATION, "본관"))

    assert evidence.counts(writing, REMEDIATION, [writing.item, 999]) == {writing.item: 1}
    assert [(one.item_key, one.item_type) for one in packed] == [("rule_1", "rule")]
    with packed[0].open() as stream:
        assert stream.read() == b"two"


def test_a_lost_piece_is_no_shorter_file(writing, stored):
    made = attach(writing, BIG)
    writing.commit()
    if stored == "db":
        writing.session.delete(writing.session.get(EvidenceChunk, (made.id, 2)))
        writing.session.commit()
        refusal = Conflict
    else:
        [path] = files(writing)
        path.unlink()
        path.symlink_to("/etc/hostname")
        refusal = Gone

    with pytest.raises(refusal):
        evidence.fetch(writing, REMEDIATION, made.id)


@pytest.mark.parametrize(
    "key", ["../escape.txt", "..\\escape.txt", "/etc/passwd", "\\\\server\\share\\file.txt", "", "a\x00b", "a/../../b"]
)
def test_a_storage_key_cannot_lead_out_of_the_folder(config, key):
    assert evidence_store.path_of(config, key) is None


def test_a_storage_key_of_ours_is_taken(config):
    root = evidence_store.root(config).resolve()

    assert evidence_store.path_of(config, "2026/03/01/sample.txt") == root / "2026/03/01/sample.txt"


def test_a_folder_that_links_elsewhere_is_refused(config, tmp_path):
    root = evidence_store.root(config)
    root.mkdir(parents=True)
    (root / "2026").symlink_to(tmp_path)

    assert evidence_store.path_of(config, "2026/03/01/sample.txt") is None


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"EVIDENCE_QUOTA_SITE_MB": 1}, "quota_site"), ({"EVIDENCE_QUOTA_USER_DAY_MB": 1}, "quota_person")],
)
def test_a_quota_that_is_used_up_stops_uploads(writing, clock, settings, code):
    writing.config = writing.config.replaced(**settings)
    made = attach(writing, b"a" * 700_000)
    writing.commit()

    with pytest.raises(TooLarge) as caught:
        attach(writing, b"a" * 700_000)
    assert caught.value.code == code
    writing.rollback()
    if code == "quota_site":
        evidence.remove(writing, REMEDIATION, made.id, "room")
        writing.commit()
    else:
        clock.advance(timedelta(hours=25))
    assert attach(writing, b"a" * 700_000).id != made.id


def test_two_uploads_at_once_are_both_counted(writing):
    attach(writing)
    attach(writing, b"again")
    writing.commit()

    assert writing.session.get(TrackerItem, writing.item).evidence_count == 2


def test_a_context_that_writes_already_keeps_what_it_wrote(writing, session, clock):
    session.rollback()
    start_writing(session)
    add_item(session, clock.now(), 2)

    attach(writing)
    writing.commit()

    assert count(writing, TrackerItem) == 2


def test_five_megabytes_cost_little_time_and_memory(writing):
    content = bytes(range(32, 127)) * 55_188
    upload = Upload(io.BytesIO(content), "a.txt", "text/plain")
    evidence.attach(writing, REMEDIATION, writing.item, Upload(io.BytesIO(b"warm"), "a.txt", "text/plain"))
    gc.collect()
    tracemalloc.start()
    began = time.process_time()
    try:
        evidence.attach(writing, REMEDIATION, writing.item, upload)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert time.process_time() - began < 0.3
    assert peak < 8 * 1024 * 1024
