"""Print how the code is built: rooms, sizes, floors and circles of imports (`make structure`).

It writes the same into docs/ARCHITECTURE.md; a test holds that the tree there is current. Sizes change with every
commit, so they are written but not tested. `python -m tools.structure FOLDER` measures another checkout, only printing.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "ARCHITECTURE.md"
PACKAGES = ("console", "workers")
TREE = ("<!-- tree: written by `make structure` -->\n", "<!-- end of tree -->")
FIGURES = ("<!-- figures: written by `make structure` -->\n", "<!-- end of figures -->")

# Rooms that are no Python packages have no docstring to ask.
FOLDERS = {
    "console/partials": "Components: macros with documented arguments, a file or folder per subject; kit serves all.",
    "console/templates": "Pages, a folder per subject; a page includes the very fragment that htmx swaps.",
    "console/static": "Style sheets and scripts of our own; files from packages are added at set-up.",
    "console/translations": "Korean texts, a file per subject; English stands in the code.",
    "docs": "Papers: architecture, contributing, configuration, operations, decisions, recipes.",
    "migrations": "Steps of the schema, for SQLite and PostgreSQL.",
    "tests": "Tests: the same tree as the code, and tests/contract for the published API.",
}
SHARED = "(shared)"
TEMPLATES = ("console/templates", "console/partials")


@dataclass(frozen=True)
class Size:
    """How many files there are and how many lines they have together."""

    files: int = 0
    lines: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.files + other.files, self.lines + other.lines)

    def __str__(self) -> str:
        return f"{self.files} / {self.lines:,}" if self.files else ""


class Checkout:
    """One checkout of the repository, measured without importing it."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Every module of the product by its dotted name."""
        found = {}
        for package in PACKAGES:
            for path in sorted((self.root / package).rglob("*.py")):
                parts = path.relative_to(self.root).with_suffix("").parts
                found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
        return found

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """The subject words: the rooms of domain and services, as far as there are any."""
        names = {
            path.parent.name
            for layer in ("domain", "services")
            for path in self.root.glob(f"console/{layer}/*/__init__.py")
        }
        return tuple(sorted(names - {"common"}))

    # --- rooms ---

    def rooms(self) -> dict[str, str]:
        """Return each room by its path with one line on what is in it; raise ValueError for a room without a line."""
        found = {name: line for name, line in FOLDERS.items() if (self.root / name).is_dir()}
        for package in (*PACKAGES, "benchmarks", "tools"):
            for path in (self.root / package).rglob("__init__.py"):
                room = path.parent.relative_to(self.root).as_posix()
                text = ast.get_docstring(ast.parse(path.read_text("utf-8")))
                if not text:
                    raise ValueError(f"{room}/__init__.py says nothing about the room")
                found[room] = text.splitlines()[0]
        return dict(sorted(found.items()))

    # --- sizes ---

    def sizes(self) -> dict[tuple[str, str], Size]:
        """Return the size of each pair of layer and subject, Python and templates."""
        found: dict[tuple[str, str], Size] = defaultdict(Size)
        templates = [path for folder in TEMPLATES for path in (self.root / folder).rglob("*.html")]
        for path in (*self.modules.values(), *templates):
            layer, subject = self._place(path.relative_to(self.root))
            found[layer, subject] += Size(1, len(path.read_text("utf-8").splitlines()))
        return dict(found)

    def _place(self, path: Path) -> tuple[str, str]:
        parts = path.with_suffix("").parts
        layer = "console" if len(parts) == 2 and parts[0] == "console" else "/".join(parts[:2])
        if layer.startswith("workers") and not self.root.joinpath(layer).is_dir():
            layer = "workers"
        return layer, next((part for part in parts[2:] if part in self.subjects), SHARED)

    def files_per_folder(self) -> Counter[str]:
        """Return how many modules each folder holds, without its `__init__.py`."""
        return Counter(
            path.parent.relative_to(self.root).as_posix()
            for path in self.modules.values()
            if path.name != "__init__.py"
        )

    # --- imports ---

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """Which modules of the product each module imports, inside functions as well."""
        return {name: set(self._imported(path)) - {name} for name, path in self.modules.items()}

    def _imported(self, path: Path) -> Iterator[str]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names if alias.name in self.modules)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    if inner in self.modules:
                        yield inner
                    elif node.module in self.modules:
                        yield node.module

    def circles(self) -> list[list[str]]:
        """Return the groups of modules that import each other in a circle."""
        return [sorted(group) for group in self._groups if len(group) > 1]

    def floors(self, package: str = "") -> list[str]:
        """Return the longest chain of modules below `package` that import each other, from the top down.

        A circle counts as one module.
        """
        group_of = {
            name: index for index, group in enumerate(self._groups) for name in group if name.startswith(package)
        }
        chains: list[list[str]] = []
        # Groups come from the bottom up, so what a group imports has its chain already.
        for index, group in enumerate(self._groups):
            below = {group_of[other] for name in group for other in self.imports[name] if other in group_of} - {index}
            longest = max((chains[other] for other in below), key=len, default=[])
            chains.append([min(group), *longest] if min(group) in group_of else [])
        return max(chains, key=len)

    @cached_property
    def _groups(self) -> list[list[str]]:
        """Modules that reach each other, from the bottom up (the algorithm of Tarjan)."""
        order: dict[str, int] = {}
        low: dict[str, int] = {}
        stack: list[str] = []
        groups: list[list[str]] = []

        def visit(name: str) -> None:
            order[name] = low[name] = len(order)
            stack.append(name)
            for other in sorted(self.imports[name]):
                if other not in order:
                    visit(other)
                    low[name] = min(low[name], low[other])
                elif other in stack:
                    low[name] = min(low[name], order[other])
            if low[name] == order[name]:
                cut = stack.index(name)
                groups.append(stack[cut:])
                del stack[cut:]

        for name in self.imports:
            if name not in order:
                visit(name)
        return groups

    def importing_workers(self) -> list[str]:
        """Return the modules of `console` that import `workers`, which stands above it."""
        return sorted(
            name
            for name, others in self.imports.items()
            if name.startswith("console") and any(other.split(".")[0] == "workers" for other in others)
        )

    def loose(self) -> list[str]:
        """Return the modules that lie in `console/` itself, without the application factory."""
        return sorted(path.stem for path in (self.root / "console").glob("*.py") if path.name != "__init__.py")


def tree(rooms: Mapping[str, str]) -> str:
    """Return the rooms as an indented tree in a code block."""
    names = {room: "  " * room.count("/") + room.rpartition("/")[2] + "/" for room in rooms}
    width = max(map(len, names.values())) + 2
    return "\n```\n" + "".join(f"{names[room]:{width}}{line}\n" for room, line in rooms.items()) + "```\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def figures(checkout: Checkout) -> str:
    """Return sizes and imports as Markdown tables."""
    sizes = checkout.sizes()
    layers = sorted({layer for layer, _ in sizes})
    subjects = [*checkout.subjects, SHARED]
    shared = {layer for layer in layers if not any((layer, subject) in sizes for subject in checkout.subjects)}
    folders = checkout.files_per_folder().most_common(1)[0]
    chain, inside, circles = checkout.floors(), checkout.floors("console.services"), checkout.circles()
    facts = [
        ("modules of Python", len(checkout.modules)),
        ("loose modules in `console/`", len(checkout.loose())),
        ("most modules in one folder", f"{folders[1]} (`{folders[0]}`)"),
        ("floors of imports inside `console/services` (imports on the longest chain)", len(inside) - 1),
        ("floors of imports in all", len(chain) - 1),
        ("circles of imports", len(circles)),
        ("modules of `console` that import `workers`", len(checkout.importing_workers())),
    ]
    total = sum(sizes.values(), Size())
    per_layer = [
        (f"`{layer}`", size.files, f"{size.lines:,}")
        for layer in layers
        for size in [sum((size for (other, _), size in sizes.items() if other == layer), Size())]
    ]
    columns = [layer for layer in layers if layer not in shared]
    per_subject = [(subject, *(sizes.get((layer, subject), Size()) for layer in columns)) for subject in subjects]
    heads = [layer.removeprefix("console/") for layer in columns]
    return (
        "\n"
        + _table(["measure", "now"], facts)
        + f"\nThe longest chain of imports, from the top down:\n\n```\n{chr(10).join(chain)}\n```\n"
        + "".join(f"\nA circle: {', '.join(f'`{name}`' for name in circle)}.\n" for circle in circles)
        + "\nFiles and lines of each layer (Python and templates):\n\n"
        + _table(["layer", "files", "lines"], [*per_layer, ("together", total.files, f"{total.lines:,}")])
        + "\nFiles / lines of each subject, in the layers that have rooms by subject:\n\n"
        + _table(["subject", *heads], per_subject)
    )


def between(text: str, marks: tuple[str, str], made: str) -> str:
    """Return a document with `made` between two marks; raises ValueError when they are missing."""
    head, start, rest = text.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not (start and end):
        raise ValueError(f"the marks {marks} are missing")
    return f"{head}{start}{made}{end}{tail}"


def with_tree(text: str, checkout: Checkout) -> str:
    """Return the document's text with the current tree in it."""
    return between(text, TREE, tree(checkout.rooms()))


def main() -> None:
    """Print everything; for this checkout, write it into the document as well."""
    if len(sys.argv) > 1:
        print(figures(Checkout(Path(sys.argv[1]))))
        return
    checkout = Checkout()
    print(tree(checkout.rooms()) + figures(checkout))
    text = between(with_tree(DOCUMENT.read_text("utf-8"), checkout), FIGURES, figures(checkout))
    DOCUMENT.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
