"""The nightly reading of what runs left behind: in turns, broken ones every time, and what the page says of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from console.domain.archives.archives import QUALITY_REPORT
from console.domain.runbook.integrity import IntegrityFacts, evidence_archive_integrity_batch
from console.models.archives import StoredFile
from console.services.archives import files, reading
from console.services.archives.files import Made
from console.services.runbook import integrity, integrity_page
from tests.support.statements import statements


def keep(ctx, *names):
    """Keep one archive of each name and return the folder."""
    made = [Made(f"ops-quality-report-{name}.json", f'"{name}"'.encode(), "application/json") for name in names]
    files.keep(ctx, QUALITY_REPORT, made, run_id=None, label="2026-02")
    ctx.commit()
    return ctx.config.path(QUALITY_REPORT.path)


def stored(session):
    session.rollback()
    rows = session.execute(select(StoredFile.name, StoredFile.checked_at, StoredFile.problem).order_by(StoredFile.id))
    return [(name.split("-")[-1][:-5], at is not None, problem) for name, at, problem in rows]


def path(folder, name):
    return folder / f"ops-quality-report-{name}.json"


@pytest.fixture
def writing(make_ctx):
    ctx = make_ctx()
    ctx.begin_write()
    return ctx


def test_archives_that_are_what_was_stored_are_fine(writing, session):
    keep(writing, "a", "b")

    made = integrity.batch(writing)
    writing.commit()

    assert (made.status, made.evidence_status, str(made.message)) == (
        "ok",
        "ok",
        "Evidence and audit archives are intact.",
    )
    assert [(one.kind, one.checked_count) for one in made.stored if one.checked_count] == [("quality_report", 2)]
    assert stored(session) == [("a", True, None), ("b", True, None)]


def test_changed_missing_and_unreadable_files_are_named(writing, session):
    folder = keep(writing, "a", "b", "c", "d")
    path(folder, "a").write_text("forged")
    path(folder, "b").unlink()
    path(folder, "c").unlink()
    path(folder, "c").mkdir()

    made = integrity.batch(writing)
    writing.commit()

    assert (made.status, made.evidence_status) == ("critical", "ok")
    assert str(made.message) == "A kept archive was changed since it was written."
    one = next(check for check in made.stored if check.kind == "quality_report")
    assert (one.checked_count, one.missing_count, one.changed_count, one.unreadable_count) == (4, 1, 1, 1)
    assert [(issue["name"][-6:-5], issue["reason"], issue["place"]) for issue in made.stored_issues] == [
        ("a", "changed", "folder"), ("b", "missing", "folder"), ("c", "unreadable", "folder"),
    ]  # fmt: skip
    assert [problem for _name, _read, problem in stored(session)] == ["changed", "missing", "unreadable", None]


def test_two_files_that_changed_places_are_both_found(writing):
    folder = keep(writing, "a", "b")
    first, second = path(folder, "a").read_bytes(), path(folder, "b").read_bytes()
    path(folder, "a").write_bytes(second)
    path(folder, "b").write_bytes(first)

    made = integrity.batch(writing)

    assert [issue["reason"] for issue in made.stored_issues] == ["changed", "changed"]


def test_a_copy_in_the_database_that_changed_is_found_too(writing, session):
    keep(writing, "a")
    session.execute(update(StoredFile).values(content=b"forged"))
    session.commit()
    writing.begin_write()

    made = integrity.batch(writing)

    assert [(issue["reason"], issue["place"]) for issue in made.stored_issues] == [("changed", "database")]


def test_a_missing_file_alone_is_a_warning_and_the_runbook_says_so(writing):
    path(keep(writing, "a"), "a").unlink()

    made = integrity.batch(writing)

    assert (made.status, str(made.message)) == ("warning", "A kept archive is missing or cannot be read.")
    now = writing.now()
    found = evidence_archive_integrity_batch(IntegrityFacts(now, integrity.as_detail(made), now))
    assert (found.status, str(found.message)) == ("warning", "A kept archive is missing or cannot be read.")


def test_archives_take_turns_and_broken_ones_are_read_every_time(writing, session, clock):
    folder = keep(writing, "a", "b", "c")
    path(folder, "b").unlink()
    seen = []
    for _night in range(4):
        clock.advance(timedelta(days=1))
        writing.begin_write()
        integrity.batch(writing, sample=2)
        writing.commit()
        session.rollback()
        rows = session.execute(
            select(StoredFile.name).where(StoredFile.checked_at == clock.now()).order_by(StoredFile.id)
        )
        seen.append("".join(name[-6:-5] for (name,) in rows))

    assert seen == ["ab", "bc", "ab", "bc"]


def test_large_archives_spread_over_nights(writing, session, monkeypatch):
    keep(writing, "a", "b", "c")
    monkeypatch.setattr(reading, "MOST_BYTES", 4)

    integrity.batch(writing)
    writing.commit()

    assert [read for _name, read, _problem in stored(session)] == [True, False, False]


def test_every_audit_archive_comes_up(tmp_path):
    paths = [tmp_path / f"audit-archive-{number}.json" for number in range(6)]

    nights = [integrity._due_archives(paths, day) for day in range(3)]

    assert {path for night in nights for path in night} == set(paths)
    assert all(night[0] == paths[0] and len(set(night)) == 3 for night in nights)
    assert integrity._due_archives(paths[:2], 5) == paths[:2]
    assert integrity._due_archives([], 5) == []


def test_the_page_tells_what_was_read_what_waits_and_what_is_broken(writing, session, clock):
    folder = keep(writing, "a", "b", "c")
    path(folder, "a").unlink()
    kept_at = clock.now()
    clock.advance(timedelta(days=1))
    writing.begin_write()
    integrity.batch(writing, sample=2)
    writing.commit()

    data = integrity_page.page_data(writing)

    shelf = next(one for one in data.archives if one.key == "quality_report")
    assert (shelf.count, shelf.unread, shelf.broken) == (3, 1, 1)
    assert (shelf.oldest_unread, shelf.read_longest_ago) == (kept_at, clock.now())
    assert [(one.shelf, one.reason, one.item_id) for one in data.broken] == [("quality_report", "missing", None)]
    assert (data.total("unread"), data.oldest_unread) == (1, kept_at)


def test_the_statements_of_the_page_do_not_grow(writing):
    keep(writing, "a")
    with statements() as few:
        integrity_page.page_data(writing)
    writing.rollback()
    writing.begin_write()
    keep(writing, *"bcdefghij")
    with statements() as many:
        integrity_page.page_data(writing)

    assert len(few) == len(many) == 5
