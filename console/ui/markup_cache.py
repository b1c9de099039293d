"""Markup that was drawn already: the rows of lists and the menus cost most of a page's time.

A process keeps the newest drawings under what they show: the row itself, a frozen dataclass, and how it is shown.
Another state is another key, so nothing has to be thrown away when data or rights change, and nobody writes down what
a row depends on. Words of time ("in 2 hours") are left out of a drawing and filled in each time it is given. The rows
of a list together are kept as they read until the next of their words changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from secrets import token_hex
from threading import Lock
from typing import Any

from cachetools import LRUCache
from flask import g
from markupsafe import Markup

from console.ui.reader import locale, now, zone

# In characters, two bytes each where there is Korean among them: some eight MB, whatever the drawings are.
MOST = 4_000_000
# The same for rows of lists together: some ten of the longest pages.
MOST_TOGETHER = 1_500_000
MINUTE, DAY = 60, 86_400
FOR_EVER = datetime.max.replace(tzinfo=UTC)

Draw = Callable[..., Any]
# What is filled in: a macro or a filter, its arguments, and for how many seconds its words stay the same.
Timed = tuple[Draw, tuple[Any, ...], int]
# Nobody can write a mark into a text: it begins with chance.
_MARK_START = f"\x02{token_hex(8)}:"
_MARK = re.compile(f"{_MARK_START}(\\d+)\x03")


class Drawing:
    """Markup in pieces: between two pieces stands what depends on the instant."""

    __slots__ = ("_pieces", "_timed")

    def __init__(self, drawn: str, timed: list[Timed]) -> None:
        parts = _MARK.split(drawn)
        self._pieces = tuple(parts[::2])
        self._timed = tuple(timed[int(number)] for number in parts[1::2])

    def __len__(self) -> int:
        return sum(map(len, self._pieces)) + 1

    def filled(self) -> Markup:
        """Return the markup as it reads at this instant."""
        if not self._timed:
            return Markup(self._pieces[0])
        made = [self._pieces[0]]
        for (draw, args, seconds), piece in zip(self._timed, self._pieces[1:], strict=True):
            made += (_at_this_instant(draw, args, seconds), piece)
        return Markup("".join(made))

    def until(self, at: datetime) -> datetime:
        """Return when the markup reads differently than at `at`, both aware UTC."""
        return min((_changes(args, seconds, at) for _draw, args, seconds in self._timed), default=FOR_EVER)


def text_length(key: Hashable) -> int:
    """Return how many characters the texts of a key have: addresses in it may be longer than what they lead to."""
    if isinstance(key, str):
        return len(key)
    return sum(map(text_length, key)) if isinstance(key, tuple) else 0


class Drawings:
    """A store of drawings bounded by their length, the least used leave first; serves many threads."""

    def __init__(self, most: int = MOST) -> None:
        self._kept: LRUCache[Hashable, tuple[Any, int]] = LRUCache(most, getsizeof=lambda kept: kept[1])
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the drawing of `key`, made by `make` if it is not there."""
        found = self.find(key)
        return self.keep(key, make()) if found is None else found

    def find(self, key: Hashable) -> Any:
        """Return the drawing of `key`, None if it is not there."""
        # One look: `get` of the store takes two, and comparing a row with an equal one is not free.
        with suppress(KeyError), self._lock:
            return self._kept[key][0]
        return None

    def keep(self, key: Hashable, made: Any) -> Any:
        """Keep what was drawn, unless it is too long for the store, and return it."""
        with self._lock, suppress(ValueError):
            self._kept[key] = (made, len(made) + text_length(key))
        return made

    def __len__(self) -> int:
        return len(self._kept)


@dataclass(frozen=True, slots=True)
class _Together:
    """Rows as they read from an instant until another, aware UTC."""

    markup: Markup
    since: datetime
    until: datetime

    def __len__(self) -> int:
        return len(self.markup)


_drawings, _together = Drawings(), Drawings(MOST_TOGETHER)


def cached_markup(key: tuple[Any, ...], draw: Draw, *args: Any, **more: Any) -> Markup:
    """Return what the macro `draw` makes of its arguments; `key` says all of them, a row by itself.

    Language and zone are added here; no token of a session may be part of the drawing.
    """
    if "timed" in g:  # part of a drawing that is kept itself
        return Markup(draw(*args, **more))
    whole = (locale(), zone().key, *(tuple(part) if isinstance(part, list) else part for part in key))
    drawing: Drawing = _drawings.get(whole, lambda: _draw(draw, args, more))
    return drawing.filled()


def cached_rows(key: tuple[Hashable, ...], rows: Sequence[Hashable], draw: Draw, *args: Any) -> Markup:
    """Return what the macro `draw` makes of each row and the arguments; `key` says these, a row says itself."""
    if "timed" in g:
        return Markup("").join(draw(row, *args) for row in rows)
    at, head = now(), (locale(), zone().key, *key)
    whole = (head, tuple(rows))
    kept: _Together | None = _together.find(whole)
    if kept is not None and kept.since <= at < kept.until:
        return kept.markup
    drawings: list[Drawing] = [_drawings.get((*head, row), partial(_draw, draw, (row, *args), {})) for row in rows]
    until = min((one.until(at) for one in drawings), default=FOR_EVER)
    together = _Together(Markup("").join(one.filled() for one in drawings), at, until)
    return Markup(_together.keep(whole, together).markup)


def _draw(draw: Draw, args: tuple[Any, ...], more: dict[str, Any]) -> Drawing:
    collected: list[Timed] = []
    g.timed = collected
    try:
        return Drawing(str(draw(*args, **more)), collected)
    finally:
        del g.timed


def timed(draw: Draw, *args: Any, seconds: int = MINUTE) -> Markup:
    """Draw words of time: they read the same for up to `seconds` of the clock; `args` say what they depend on."""
    collecting: list[Timed] | None = g.get("timed")
    if collecting is None:
        return _at_this_instant(draw, args, seconds)
    collecting.append((draw, args, seconds))
    return Markup(f"{_MARK_START}{len(collecting) - 1}\x03")


def _changes(args: tuple[Any, ...], seconds: int, at: datetime) -> datetime:
    """Return when words of time that read so at `at` may read differently: with the turn, or once a deadline passes."""
    if seconds >= DAY:
        here = zone()
        turn = datetime.combine(at.astimezone(here).date() + timedelta(days=1), time.min, here).astimezone(UTC)
    else:
        turn = datetime.fromtimestamp((at.timestamp() // seconds + 1) * seconds, UTC)
    # A moment passes just after it: then the words are made anew a little too early, which is harmless.
    return min([turn, *(arg for arg in args if isinstance(arg, datetime) and arg >= at)])


def _at_this_instant(draw: Draw, args: tuple[Any, ...], seconds: int) -> Markup:
    here, at = zone(), now()
    turn = at.astimezone(here).date() if seconds >= DAY else int(at.timestamp() // seconds)
    # A deadline may pass in the middle of a minute.
    passed = tuple(at > arg for arg in args if isinstance(arg, datetime))
    key = (getattr(draw, "name", None) or draw.__qualname__, args, passed, locale(), here.key, turn)
    made: Markup = _drawings.get(key, lambda: Markup(draw(*args)))
    return made


def cached_text(key: Hashable, make: Callable[[], str]) -> str:
    """Return what `make` made of this `key` before, which says all that it depends on."""
    text: str = _drawings.get(key, make)
    return text
