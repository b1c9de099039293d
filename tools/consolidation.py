"""`make consolidation`: which templates, partials and scripts each tracker page is made of, and what stands twice.

A page's files are followed from its template through `extends`, `include` and `import`, its scripts through `import`.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from console.blueprints.tracker.urls import TEMPLATES
from console.domain.programme.catalogue import WEEKS

CONSOLE = Path(__file__).resolve().parent.parent / "console"
# What every page of the console has is not the tracker's.
FRAME = "layouts/"
# The family: what only pages of trackers use.
FAMILY = (
    "partials/tracker/tracker_board.html",
    "partials/tracker/tracker_table.html",
    "partials/tracker/tracker_item.html",
    "partials/tracker/item_editor.html",
    "partials/kit/evidence.html",
    "partials/tracker/readiness_card.html",
    "partials/tracker/completion_panel.html",
)
BLOCK = 6
_TEMPLATE = re.compile(r"""\{%-?\s*(?:extends|include|import|from)\s+["']([^"']+)["']""")
_ASSET = re.compile(r"""asset_url\(\s*["'](js/[^"']+)["']\s*\)""")
_MODULE = re.compile(r"""^import\s+(?:[^"']*from\s+)?["']\./([^"']+)["']""", re.MULTILINE)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True)
class PageFiles:
    """What one tracker page is made of, beyond the frame of the console."""

    name: str
    templates: frozenset[str]
    partials: frozenset[str]
    scripts: frozenset[str]

    @property
    def files(self) -> frozenset[str]:
        """Return everything together."""
        return self.templates | self.partials | self.scripts


@dataclass(frozen=True)
class Twice:
    """Lines that stand in two places; `lines` is how many in a row."""

    first: str
    second: str
    lines: int


def tracker_pages() -> list[tuple[str, str]]:
    """Return `(name, template)` of the page of every tracker."""
    board, week = TEMPLATES
    return [("board", board), *((code, week) for code in WEEKS)]


def files_of(name: str, template: str) -> PageFiles:
    """Follow a page's template and scripts."""
    found = {one for one in _followed(template) if not one.startswith(FRAME)}
    scripts = {f"static/{one}" for asset in _assets(found) for one in _modules(asset)}
    partials = {one for one in found if one.startswith("partials/")}
    return PageFiles(name, frozenset(found - partials), frozenset(partials), frozenset(scripts))


def path_of(name: str) -> Path:
    """Return where a template, partial or script lies."""
    return CONSOLE / name if name.startswith(("partials/", "static/")) else CONSOLE / "templates" / name


@cache
def _text(name: str) -> str:
    return path_of(name).read_text(encoding="utf-8")


def line_count(names: Iterable[str]) -> int:
    """Count the lines of files that say something."""
    return sum(len(_meaningful(name)) for name in names)


@cache
def _meaningful(name: str) -> tuple[str, ...]:
    text = _COMMENT.sub("", _text(name))
    return tuple(line for line in (" ".join(raw.split()) for raw in text.splitlines()) if line)


def _followed(name: str, seen: set[str] | None = None) -> set[str]:
    seen = set() if seen is None else seen
    if name not in seen:
        seen.add(name)
        for found in _TEMPLATE.findall(_COMMENT.sub("", _text(name))):
            _followed(found, seen)
    return seen


def _assets(names: Iterable[str]) -> set[str]:
    return {asset for name in names for asset in _ASSET.findall(_text(name))}


def _modules(name: str, seen: set[str] | None = None) -> set[str]:
    seen = set() if seen is None else seen
    if name not in seen:
        seen.add(name)
        for found in _MODULE.findall(_text(f"static/{name}")):
            _modules(f"js/{found}", seen)
    return seen


def twice(names: Iterable[str], least: int = BLOCK) -> list[Twice]:
    """Find blocks of at least `least` lines that stand in two places of these files."""
    places: dict[tuple[str, ...], list[tuple[str, int]]] = defaultdict(list)
    for name in sorted(set(names)):
        lines = _meaningful(name)
        for start in range(len(lines) - least + 1):
            places[lines[start : start + least]].append((name, start))
    return sorted(_grown(places, least), key=lambda one: (-one.lines, one.first, one.second))


def _grown(places: dict[tuple[str, ...], list[tuple[str, int]]], least: int) -> Iterator[Twice]:
    """Join windows that follow each other: twenty lines alike are one block, not fifteen."""
    pairs = {
        (first, second)
        for found in places.values()
        for index, first in enumerate(found)
        for second in found[index + 1 :]
        if first[0] != second[0] or second[1] - first[1] >= least
    }
    for first, second in pairs:
        if ((first[0], first[1] - 1), (second[0], second[1] - 1)) in pairs:
            continue
        length = least
        while ((first[0], first[1] + length - least + 1), (second[0], second[1] + length - least + 1)) in pairs:
            length += 1
        yield Twice(f"{first[0]}:{first[1] + 1}", f"{second[0]}:{second[1] + 1}", length)


def table(pages: list[PageFiles]) -> list[str]:
    """Return the table: one line per page, then what the pages share."""
    head = ("page", "templates", "partials", "scripts", "lines", "own lines")
    rows = [head]
    for page in pages:
        others = frozenset().union(*(other.files for other in pages if other is not page))
        rows.append(
            (
                page.name,
                f"{len(page.templates)}",
                f"{len(page.partials)}",
                f"{len(page.scripts)}",
                f"{line_count(page.files)}",
                f"{line_count(page.files - others)}",
            )
        )
    widths = [max(len(row[index]) for row in rows) for index in range(len(head))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def family_lines(pages: list[PageFiles]) -> list[str]:
    """Return the family of partials: lines of each, and how many of the pages use it."""
    made = []
    for name in FAMILY:
        users = sum(name in page.partials for page in pages)
        made.append(f"{name:<40} {line_count([name]):>4} lines  on {users} of {len(pages)} pages")
    return made


def faults(pages: list[PageFiles]) -> list[str]:
    """Return what breaks the promise: one family on every page, nothing twice, no line for a week of its own."""
    found = [f"{page.name} does not use {name}" for page in pages for name in FAMILY if name not in page.partials]
    weekly = {page.files for page in pages if page.name in WEEKS}
    if len(weekly) > 1:
        found.append("the weeks are not made of the same files")
    named = re.compile(r"\b[wW]\d{2}\b")
    everything = frozenset().union(*(page.files for page in pages))
    found += [f"{name} names a week" for name in sorted(everything) if named.search("\n".join(_meaningful(name)))]
    return found + [f"{one.first} and {one.second}: {one.lines} lines stand twice" for one in twice(everything)]


def main() -> int:
    """Print the tables; returns 1 when the promise is broken."""
    pages = [files_of(name, template) for name, template in tracker_pages()]
    everything = frozenset().union(*(page.files for page in pages))
    print("Tracker pages (lines without comments and blanks; the frame of the console is not counted)\n")
    print("\n".join(table(pages)))
    print("\nThe family of partials\n")
    print("\n".join(family_lines(pages)))
    print(f"\nAll tracker pages together: {len(everything)} files, {line_count(everything)} lines")
    print(f"A week more adds {line_count(pages[-1].files - pages[-2].files)} template lines")
    broken = faults(pages)
    print(f"Blocks of {BLOCK} or more lines that stand twice: {len(twice(everything))}")
    print("\n".join(broken) if broken else "One family, nothing twice.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
