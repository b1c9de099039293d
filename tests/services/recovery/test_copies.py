"""Kept backups of drills, read again by the nightly batch: what is broken is named, and the last good one stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from console.adapters.copy_error import CopyError
from console.core.context import SYSTEM, Context
from console.services.backup import sealed
from console.services.jobs import engine as run_engine
from console.services.jobs import registry
from console.services.recovery import copies
from console.services.runbook import integrity_page


def context(place, session):
    return Context(session, place.clock, SYSTEM, place.config)


def batch(place):
    """Run the nightly batch; returns the verdict and the issues of backups as (name, reason, cause)."""
    with Session(place.engine) as session:
        run = run_engine.execute(context(place, session), registry.get("ops_evidence_archive_integrity"), {})
    found = [one for one in run.detail["stored_issues"] if one["kind"] == "recovery_copy"]
    return run.detail["status"], [(one["name"], one["reason"], one["cause"]) for one in found]


@pytest.fixture
def backups(place, clock):
    """Return the files of three drills, oldest first."""
    made = []
    for _week in range(3):
        made.append(Path(place.drill().detail["backup_file"]))
        clock.advance(timedelta(days=7))
    return made


def flip(file):
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_whole_backups_are_fine_and_counted(place, backups):
    assert batch(place) == ("ok", [])
    with Session(place.engine) as session:
        data = integrity_page.page_data(context(place, session))
        assert (data.copies["checked_count"], data.broken_count) == (3, 0)


def test_what_is_broken_is_named_every_night_until_it_is_gone(place, backups, clock):
    _oldest, middle, newest = backups
    flip(newest)
    middle.write_bytes(middle.read_bytes()[:-7])

    for _night in range(3):
        status, issues = batch(place)
        clock.advance(timedelta(days=1))
        assert status == "critical"
        assert issues == [(newest.name, "changed", "changed"), (middle.name, "changed", "size")]

    middle.unlink()
    place.drill()
    newest.unlink()
    assert batch(place) == ("ok", [])


def test_a_flipped_bit_in_an_older_one_stays_known_when_others_have_their_turn(place, backups, clock, monkeypatch):
    oldest, _middle, newest = backups
    monkeypatch.setattr(copies, "MOST_BYTES", 2 * newest.stat().st_size + 1000)
    flip(oldest)
    seen = []
    for _night in range(4):
        seen.append(batch(place)[1])
        clock.advance(timedelta(days=1))
    found = [(oldest.name, "changed", "changed")]

    assert seen[2:] == [found, found]
    assert seen[:2] in ([[], found], [found, found])


def test_one_backup_under_the_name_of_another_is_found(place, backups):
    oldest, middle, _newest = backups
    one, other = oldest.read_bytes(), middle.read_bytes()
    oldest.write_bytes(other)
    middle.write_bytes(one)

    _status, issues = batch(place)

    assert {(name, reason) for name, reason, _cause in issues} == {(oldest.name, "changed"), (middle.name, "changed")}


def test_the_proven_one_must_not_be_missing_and_older_ones_may(place, backups):
    backups[0].unlink()
    assert batch(place) == ("ok", [])
    backups[2].unlink()
    assert batch(place) == ("warning", [(backups[2].name, "missing", "missing")])


def test_with_another_key_the_newest_cannot_be_read_and_older_ones_are_left(place, backups):
    place.set(DR_REHEARSAL_KEY="n" * 40)
    assert batch(place) == ("warning", [(backups[2].name, "unreadable", "wrong_key")])
    place.set(DR_REHEARSAL_KEY="short")
    assert {cause for _name, _reason, cause in batch(place)[1]} == {"no_key"}


def test_a_disk_that_fails_is_said(place, backups, monkeypatch):
    monkeypatch.setattr(sealed, "verify", lambda *_args, **_named: (_ for _ in ()).throw(OSError(5, "Input/output")))
    status, issues = batch(place)

    assert (status, {(reason, cause) for _name, reason, cause in issues}) == ("warning", {("unreadable", "OSError")})


def test_the_answer_to_a_client_reads_no_backups(place, backups):
    with Session(place.engine) as session:
        made = integrity_page.integrity.batch(context(place, session))

    assert "recovery_copy" not in {one.kind for one in made.stored}


def test_retention_keeps_the_newest_backup_that_is_proven_and_still_whole(place, backups, clock, monkeypatch):
    oldest, middle, newest = backups
    place.set(DR_REHEARSAL_RETENTION_DAYS=30)
    flip(newest)
    clock.advance(timedelta(days=60))
    with pytest.MonkeyPatch.context() as failing:
        failing.setattr(sealed, "unpack", lambda *_args, **_named: (_ for _ in ()).throw(CopyError("no", "changed")))
        assert place.drill().run.status == "critical"
    after_a_raise = set(place.files())
    with pytest.MonkeyPatch.context() as failing:
        failing.setattr("console.services.recovery.drill.differing", lambda _results: list(_results)[:1])
        detail = place.drill().detail

    assert {file.name for file in backups} <= after_a_raise
    assert (detail["restore_valid"], detail["pruned_files"]) == (False, 1)
    assert {middle.name, newest.name} <= set(place.files())
    assert oldest.name not in place.files()
