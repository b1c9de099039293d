"""What a table holds, and whether its copy holds the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

TableWord = Literal["same", "content", "rows", "missing", "unexpected"]
SAME: TableWord = "same"
# Worst first: rows that are gone weigh more than rows that read differently.
ORDER: tuple[TableWord, ...] = ("missing", "rows", "content", "unexpected", "same")


@dataclass(frozen=True)
class TableFacts:
    """How many rows a table has, and the SHA-256 of all of them in the order of their key (hexadecimal)."""

    name: str
    rows: int
    checksum: str


@dataclass(frozen=True)
class TableResult:
    """A table beside its copy; what one of them does not have is None."""

    name: str
    rows: int | None
    copy_rows: int | None
    checksum: str | None
    copy_checksum: str | None
    result: TableWord


def compare(source: Iterable[TableFacts], copy: Iterable[TableFacts]) -> tuple[TableResult, ...]:
    """Return every table of either side: those that differ first, then the largest."""
    mine, theirs = _by_name(source), _by_name(copy)
    found = [_result(name, mine.get(name), theirs.get(name)) for name in sorted({*mine, *theirs})]
    return tuple(sorted(found, key=lambda one: (ORDER.index(one.result), -(one.rows or one.copy_rows or 0), one.name)))


def differing(results: Sequence[TableResult]) -> tuple[TableResult, ...]:
    """Return the tables whose copy is not the same."""
    return tuple(one for one in results if one.result != SAME)


def _by_name(facts: Iterable[TableFacts]) -> Mapping[str, TableFacts]:
    return {one.name: one for one in facts}


def _result(name: str, mine: TableFacts | None, theirs: TableFacts | None) -> TableResult:
    word: TableWord = SAME
    if theirs is None:
        word = "missing"
    elif mine is None:
        word = "unexpected"
    elif mine.rows != theirs.rows:
        word = "rows"
    elif mine.checksum != theirs.checksum:
        word = "content"
    return TableResult(
        name,
        mine.rows if mine else None,
        theirs.rows if theirs else None,
        mine.checksum if mine else None,
        theirs.checksum if theirs else None,
        word,
    )
