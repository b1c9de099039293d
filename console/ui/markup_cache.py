"""Markup that was drawn already: rows, filters and menus cost most of a page's time, and they are the same all day.

A process keeps the newest drawings. The key names everything a drawing depends on, so nothing has to be thrown away
when data or rights change: another state is another key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from threading import Lock
from typing import Any

from cachetools import LRUCache
from flask import g
from markupsafe import Markup

from console.ui.frame import frame
from console.ui.reader import locale, now, zone

# In characters, two bytes each where there is Korean among them: some eight MB, whatever the drawings are.
MOST = 4_000_000


class Drawings:
    """A store of markup bounded by its length, the least used leaves first; serves many threads."""

    def __init__(self, most: int = MOST) -> None:
        self._kept: LRUCache[Hashable, Markup] = LRUCache(most, getsizeof=len)
        self._lock = Lock()

    def get(self, key: Hashable, draw: Callable[[], Markup]) -> Markup:
        """Return the drawing of `key`, made by `draw` if it is not there."""
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found
        made = draw()
        with self._lock, suppress(ValueError):  # too long for the store
            self._kept[key] = made
        return made

    def __len__(self) -> int:
        return len(self._kept)


_drawings = Drawings()


def kept(key: tuple[Any, ...], draw: Callable[..., Any], *args: Any, **more: Any) -> Markup:
    """Return what the macro `draw` makes of its arguments; `key` must name everything that they say.

    Language, zone and the minute (for words such as "in 2 hours") are added here: nothing is older than a minute.
    """
    return _drawings.get((*_moment(), *_members(key)), lambda: draw(*args, **more))


def steady(key: tuple[Any, ...], draw: Callable[..., Any], *args: Any, **more: Any) -> Markup:
    """Return the same for a drawing that says no time and carries no token of the session: menus, filters, heads."""
    return _drawings.get((locale(), *_members(key)), lambda: draw(*args, **more))


def kept_part(part: str, page_key: Hashable, caller: Callable[[], Any]) -> Markup:
    """Return a part of a page, what `caller` draws; `page_key` names what its content depends on (None: draw it).

    What the frame shows is added here. The token of its forms stays good as long as that of the session.
    """
    if page_key is None:
        drawn: Markup = caller()
        return drawn
    return kept((part, page_key, *frame().page_key), caller)


def _moment() -> tuple[str, str, int]:
    # Asked for every row of a page.
    if "moment" not in g:
        g.moment = (locale(), zone().key, int(now().timestamp() // 60))
    moment: tuple[str, str, int] = g.moment
    return moment


def _members(key: tuple[Any, ...]) -> Iterator[Hashable]:
    # Templates make lists; what counts is what is in them.
    return (tuple(part) if isinstance(part, list) else part for part in key)
