"""The rules of drills: names, retention, samples, standing, and tables beside their copies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.recovery import drill as rules
from console.domain.recovery.tables import TableFacts, compare, differing

NOW = datetime(2026, 11, 29, 2, tzinfo=UTC)


def test_the_name_tells_the_instant_in_utc_and_the_run():
    seoul = NOW.astimezone(timezone(timedelta(hours=9)))
    assert rules.file_name(seoul, 97) == "dr-rehearsal-20261129T020000Z-97.backup"


def test_what_is_older_than_the_retention_goes_and_nothing_else():
    at = [NOW - timedelta(days=days) for days in (121, 120, 7)]
    names = [rules.file_name(one, number) for number, one in enumerate(at)]
    other = ["dr-rehearsal-old.backup", "notes.txt", f".{names[0]}.ab12"]

    assert rules.outdated([*names, *other], keep=(), now=NOW, retention_days=120) == [names[0]]
    assert rules.outdated(names, keep=[names[0]], now=NOW, retention_days=120) == []


@given(st.lists(st.integers(1, 10_000), unique=True), st.integers(0, 50), st.integers(0, 1000))
def test_a_sample_is_as_large_as_it_may_be_and_has_nothing_twice(ids, most, turn):
    found = rules.spread(ids, most, turn)
    assert len(found) == len(set(found)) == min(len(ids), most)
    assert set(found) <= set(ids)


def test_every_file_gets_its_turn():
    seen = {one for turn in range(10) for one in rules.spread(list(range(100)), 10, turn)}
    assert seen == set(range(100))


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        ({"enabled": True, "raised": False, "checked": True, "valid": True}, "success"),
        ({"enabled": True, "raised": False, "checked": False, "valid": False}, "success"),
        ({"enabled": True, "raised": False, "checked": True, "valid": False}, "warning"),
        ({"enabled": False, "raised": False, "checked": True, "valid": False}, "warning"),
        ({"enabled": True, "raised": True, "checked": True, "valid": False}, "critical"),
    ],
)
def test_the_status_follows_the_contract(facts, status):
    assert rules.status_of(**facts) == status


@pytest.mark.parametrize(
    ("days", "failed", "word"),
    [(None, False, "never"), (None, True, "failed"), (35, False, "fresh"), (36, False, "stale"), (1, True, "failed")],
)
def test_a_proof_holds_until_it_is_too_old_or_a_drill_fails(days, failed, word):
    proven = None if days is None else NOW - timedelta(days=days)
    found = rules.standing(proven_at=proven, last_failed=failed, now=NOW, max_age_days=35)
    assert (found.word, found.proven_at) == (word, proven)
    assert str(found.sentence).endswith(".")


def test_the_possible_loss_is_the_age_of_the_newest_row_and_never_negative():
    assert rules.possible_loss(NOW - timedelta(hours=6), NOW) == timedelta(hours=6)
    assert rules.possible_loss(NOW + timedelta(hours=1), NOW) == timedelta(0)
    assert rules.possible_loss(None, NOW) is None


def facts(name: str, rows: int, checksum: str = "a") -> TableFacts:
    return TableFacts(name, rows, checksum)


def test_tables_that_differ_stand_first_and_are_named():
    source = [facts("small", 1), facts("large", 9), facts("fewer", 5), facts("other", 5), facts("lost", 2)]
    copy = [facts("small", 1), facts("large", 9), facts("fewer", 4), facts("other", 5, "b"), facts("new", 0)]

    found = compare(source, copy)

    assert [(one.name, one.result) for one in found] == [
        ("lost", "missing"),
        ("fewer", "rows"),
        ("other", "content"),
        ("new", "unexpected"),
        ("large", "same"),
        ("small", "same"),
    ]
    assert [one.name for one in differing(found)] == ["lost", "fewer", "other", "new"]
    assert (found[0].copy_rows, found[3].rows) == (None, None)


@given(st.lists(st.builds(facts, st.text(min_size=1), st.integers(0, 9), st.text()), unique_by=lambda one: one.name))
def test_a_copy_of_the_same_tables_never_differs(tables):
    assert differing(compare(tables, reversed(tables))) == ()
