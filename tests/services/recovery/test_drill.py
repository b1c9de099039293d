"""Drills on both databases: what they prove, and what they find when something is broken on purpose."""

from __future__ import annotations

import errno
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from console.adapters import database_scratch, sealed_file
from console.adapters.copy_error import CopyError
from console.domain.errors import Conflict
from console.domain.jobs.runs import Cancelled
from console.models.audit import AuditLog
from console.models.jobs import JobRun
from console.services.backup import sealed
from console.services.backup.keys import backup_key
from console.services.recovery import drill, history


def test_a_drill_proves_that_every_table_and_the_evidence_come_back(place):
    found = place.drill()
    detail = found.detail

    assert (found.run.status, detail["restore_valid"], detail["notes"]) == ("success", True, [])
    assert detail["method"] == ("sqlite_backup" if place.engine.dialect.name == "sqlite" else "pg_dump")
    assert (detail["counts"]["tracker_items"], detail["differing_count"]) == (50, 0)
    assert {one["result"] for one in detail["tables"]} == {"same"}
    assert len(detail["tables"]) == detail["table_count"] > 30
    assert detail["evidence"] == {"sampled": 2, "opened": 2, "broken": []}
    assert detail["newest_row_at"] is not None
    assert detail["recovery_seconds"] > 0
    file = Path(detail["backup_file"])
    assert place.files() == [file.name]
    assert (file.stat().st_size, sealed_file.digest_of(file)) == (detail["size_bytes"], detail["backup_sha256"])
    assert b"SQLite format" not in file.read_bytes()
    with Session(place.engine) as session:
        entry = session.scalars(
            select(AuditLog).where(AuditLog.action == "ops_dr_rehearsal_run").order_by(AuditLog.id.desc())
        ).first()
        assert (entry.status, detail["backup_sha256"] in str(entry.detail_json)) == ("success", True)


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_its_programs_postgresql_is_dumped_table_by_table(place, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    found = place.drill()

    assert (found.run.status, found.detail["method"]) == ("success", "table_dump")
    assert found.detail["notes"] == [
        "pg_dump and pg_restore are not installed here: the tables were dumped one by one."
    ]
    assert found.detail["restore_valid"] is True


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_a_missing_privilege_is_said_in_words(place, monkeypatch):
    monkeypatch.setattr(database_scratch, "may_make_databases", lambda _url: False)
    found = place.drill()

    assert (found.detail["method"], found.detail["restore_valid"]) == ("table_dump", True)
    assert "CREATEDB" in found.detail["notes"][0]


def scratches(place):
    if place.engine.dialect.name == "sqlite":
        return []
    names = "SELECT datname FROM pg_database UNION SELECT nspname FROM pg_namespace"
    with place.engine.connect() as connection:
        return [
            name
            for name in connection.scalars(text(names))
            if name.startswith(database_scratch.prefix_of(place.engine.url))
        ]


def test_nothing_is_left_beside_the_backup(place):
    place.drill()
    assert (len(place.files()), scratches(place)) == (1, [])


def test_a_drill_without_restore_proves_nothing_and_is_no_failure(place):
    found = place.drill(restore_check=False)
    assert (found.run.status, found.detail["restore_valid"], found.detail["simulate_restore"]) == (
        "success",
        False,
        False,
    )


def test_a_drill_that_is_switched_off_is_still_a_run(place):
    place.set(DR_REHEARSAL_ENABLED=False)
    found = place.drill()
    assert (found.run.status, found.detail["enabled"], found.detail["counts"], place.files()) == (
        "warning",
        False,
        {},
        [],
    )


def test_a_dry_drill_keeps_no_file(place):
    found = place.drill(dry_run=True)
    assert (found.detail["restore_valid"], found.detail["backup_file"], place.files()) == (True, None, [])


def test_a_drill_during_writes_is_of_one_moment(place):
    stop, failures = threading.Event(), []

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            try:
                with place.engine.begin() as connection:
                    if place.engine.dialect.name == "sqlite":
                        connection.exec_driver_sql("UPDATE tracker_items SET item_name = item_name WHERE id = 1")
                    connection.execute(text("UPDATE tracker_items SET item_name = :name"), {"name": f"n{number}"})
            except SQLAlchemyError as error:
                failures.append(error)
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = place.drill()
    finally:
        stop.set()
        writer.join()

    assert (failures, found.run.status, found.detail["restore_valid"]) == ([], "success", True)


def test_a_full_disk_in_the_middle_leaves_nothing_that_is_called_a_backup(place, monkeypatch):
    good = place.drill().detail["backup_file"]
    real, written = sealed_file._Whole.write, []

    def full(self, data):
        written.append(len(data))
        if sum(written) > 100_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(self, data)

    monkeypatch.setattr(sealed_file._Whole, "write", full)
    found = place.drill()

    assert (found.run.status, found.detail["cause"], found.detail["restore_valid"]) == ("critical", "disk_full", False)
    assert (found.detail["backup_file"], place.files()) == (None, [Path(good).name])
    assert "No space left on device" in found.detail["notes"][0]


def test_a_database_that_cannot_be_counted_is_a_critical_run(place, monkeypatch):
    def broken(*_args, **_named):
        raise CopyError("The database cannot be read: disk I/O error.")

    monkeypatch.setattr(drill.copies, "make", broken)
    found = place.drill()
    assert (found.run.status, found.detail["notes"]) == ("critical", ["The database cannot be read: disk I/O error."])


def test_evidence_that_is_not_what_its_row_says_is_found(place, forge):
    forge("0" * 64)
    found = place.drill()
    assert (found.run.status, found.detail["restore_valid"], found.detail["cause"]) == ("warning", False, "evidence")
    assert (found.detail["evidence"]["sampled"], found.detail["evidence"]["opened"]) == (2, 0)


def test_a_copy_that_differs_is_found_table_by_table(place, monkeypatch):
    real = database_scratch.Scratch.facts

    def other(self, told):
        facts = real(self, told)
        return tuple(one if one.name != "tracker_items" else type(one)(one.name, one.rows, "0" * 64) for one in facts)

    monkeypatch.setattr(database_scratch.Scratch, "facts", other)
    found = place.drill()

    assert (found.run.status, found.detail["restore_valid"], found.detail["cause"]) == ("warning", False, "differs")
    assert (found.detail["tables"][0]["name"], found.detail["tables"][0]["result"]) == ("tracker_items", "content")


def test_two_drills_at_once_one_wins(place, monkeypatch):
    begun, go = threading.Event(), threading.Event()
    real = drill.backup_key

    def slow(config):
        begun.set()
        go.wait(20)
        return real(config)

    monkeypatch.setattr(drill, "backup_key", slow)
    first = []
    one = threading.Thread(target=lambda: first.append(place.drill()))
    one.start()
    begun.wait(20)
    try:
        with pytest.raises(Conflict):
            place.drill()
    finally:
        go.set()
        one.join()
    assert (first[0].run.status, len(place.files())) == ("success", 1)


def test_a_drill_that_is_stopped_leaves_no_backup(place, monkeypatch):
    def stop(*_args, **_named):
        raise Cancelled("run was asked to stop")

    monkeypatch.setattr(sealed, "unpack", stop)
    found = place.drill()
    assert (found.run.status, found.run.error_code, place.files()) == ("warning", "cancelled", [])


def test_the_key_must_not_lie_beside_the_backups(place):
    place.backups.mkdir(parents=True)
    (place.backups / "key").write_text("k" * 40)
    place.set(DR_REHEARSAL_KEY="", DR_REHEARSAL_KEY_FILE=str(place.backups / "key"))
    found = place.drill()
    assert (found.run.status, found.detail["cause"], place.files()) == ("critical", "no_key", ["key"])
    assert "lies in the folder of the backups" in found.detail["notes"][0]


def test_old_backups_go_but_never_the_last_proven_one(place, clock, monkeypatch):
    place.set(DR_REHEARSAL_RETENTION_DAYS=30)
    first = Path(place.drill().detail["backup_file"]).name
    clock.advance(timedelta(days=40))
    failing = pytest.MonkeyPatch()
    failing.setattr(sealed, "unpack", lambda *_args, **_named: (_ for _ in ()).throw(CopyError("no", "changed")))
    assert place.drill().run.status == "critical"
    failing.undo()
    assert first in place.files()
    last = place.drill().detail

    assert last["pruned_files"] == 1
    assert first not in place.files()


@pytest.fixture
def backup(place):
    detail = place.drill().detail
    return Path(detail["backup_file"]), detail["backup_sha256"]


def opened(place, file, folder, sha256=None):
    folder.mkdir(exist_ok=True)
    return sealed.unpack(file, folder, backup_key(place.config), sha256=sha256)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_backup_is_found_and_named(place, backup, tmp_path, part):
    file, _sha = backup
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * part)])
    with pytest.raises(CopyError) as caught:
        opened(place, file, tmp_path / "out")
    assert (caught.value.code, str(caught.value)) == ("truncated", "The backup is cut off in the middle.")


@pytest.mark.parametrize("part", [0.3, 0.6, 0.999])
def test_a_flipped_bit_is_found_and_its_piece_named(place, backup, tmp_path, part):
    file, _sha = backup
    content = bytearray(file.read_bytes())
    content[int(len(content) * part)] ^= 1
    file.write_bytes(content)
    with pytest.raises(CopyError) as caught:
        opened(place, file, tmp_path / "out")
    assert caught.value.code == "changed"
    assert "piece" in str(caught.value)


def test_a_backup_under_another_name_is_found(place, backup, tmp_path, clock):
    file, _sha = backup
    clock.advance(timedelta(days=7))
    other = Path(place.drill().detail["backup_file"])
    other.write_bytes(file.read_bytes())
    with pytest.raises(CopyError) as caught:
        opened(place, other, tmp_path / "out")
    assert caught.value.code == "swapped"
    assert file.name in str(caught.value)


def test_a_backup_that_was_made_anew_with_the_key_is_not_the_recorded_one(place, backup, tmp_path):
    file, sha = backup
    found = opened(place, file, tmp_path / "out")
    file.unlink()
    sealed.pack(found.folder, file, backup_key(place.config), found.made_at, lambda _done, _total: None)
    assert opened(place, file, tmp_path / "again").schema == found.schema
    with pytest.raises(CopyError) as caught:
        opened(place, file, tmp_path / "third", sha)
    assert caught.value.code == "not_recorded"


def test_another_key_does_not_open_it(place, backup, tmp_path):
    place.set(DR_REHEARSAL_KEY="x" * 32)
    with pytest.raises(CopyError) as caught:
        opened(place, backup[0], tmp_path / "out")
    assert caught.value.code == "wrong_key"


def test_what_was_added_behind_its_end_is_found(place, backup, tmp_path):
    with backup[0].open("ab") as file:
        file.write(b"x")
    with pytest.raises(CopyError, match="added behind the end"):
        opened(place, backup[0], tmp_path / "out")


def test_a_file_that_is_gone_or_of_another_size_is_said(place, backup):
    with Session(place.engine) as session:
        detail = session.scalars(select(JobRun).where(JobRun.job_name == "dr_rehearsal")).one().detail_json
    assert history.file_state(detail) == "kept"
    backup[0].write_bytes(b"x")
    assert history.file_state(detail) == "changed"
    backup[0].unlink()
    assert history.file_state(detail) == "gone"
