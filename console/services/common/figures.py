"""Figures: each number that pages show is declared once, with its meaning and the list that has exactly its rows.

A figure has one name in each language and one count; whoever shows it shows that count and leads to those rows. A test
follows every figure of every page and compares it with its list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from console.core.context import Context

Given = Mapping[str, str]


@dataclass(frozen=True)
class Figure:
    """A number: `name` and `definition` are message ids, `endpoint` and `args` lead to the list of its rows.

    `args` may name values that the figure is asked with, as in `{since}`; a `site` joins them when there is one. `tone`
    is that of a count above zero; `read` are the permissions of which one is needed.
    """

    key: str
    name: str
    definition: str
    endpoint: str
    count: Callable[[Context, str | None, Given], int]
    read: tuple[str, ...]
    args: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    tone: str | None = None


@dataclass(frozen=True)
class Counted:
    """A figure with its count and the arguments of the address of its rows."""

    figure: Figure
    value: int
    args: Mapping[str, Any]

    @property
    def tone(self) -> str | None:
        """Return the tone of this count."""
        return self.figure.tone if self.value else None


def counted(ctx: Context, figure: Figure, site: str | None = None, **given: str) -> Counted | None:
    """Return a figure of everything that the caller may see, or of one site; None without its permission."""
    if not any(map(ctx.actor.can, figure.read)):
        return None
    return Counted(figure, figure.count(ctx, site, given), arguments(figure, site, **given))


def arguments(figure: Figure, site: str | None = None, **given: str) -> dict[str, Any]:
    """Return the arguments of the address that lists the rows of a figure."""
    made: dict[str, Any] = {
        key: word.format_map(given) if isinstance(word, str) else list(word) for key, word in figure.args.items()
    }
    return made if site is None else {**made, "site": site}


def collected(*groups: Iterable[Figure]) -> dict[str, Figure]:
    """Return figures by key; raises ValueError when two share a key or a name."""
    found: dict[str, Figure] = {}
    names: set[str] = set()
    for one in (one for group in groups for one in group):
        if one.key in found or one.name in names:
            raise ValueError(f"two figures are called {one.key!r} or {one.name!r}")
        found[one.key] = one
        names.add(one.name)
    return found
