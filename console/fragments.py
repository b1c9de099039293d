"""Rows that were drawn already: fifty of them cost most of a list's time, and people look at the same ones all day.

A process keeps the newest drawings. The key names everything a drawing depends on; language, zone and the minute (for
words such as "in 2 hours") are added here, so nothing is older than a minute.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any

from markupsafe import Markup

from console.frame import frame, locale, zone

MOST = 3000


class Drawings:
    """A bounded store of markup, the least used leaves first; serves many threads."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Markup] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, draw: Callable[[], Markup]) -> Markup:
        """Give the drawing of `key`, made by `draw` if it is not there."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = draw()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made

    def __len__(self) -> int:
        return len(self._kept)


_drawings = Drawings()


def kept(key: tuple[Hashable, ...], draw: Callable[..., Any], *args: Any, **more: Any) -> Markup:
    """Give what the macro `draw` makes of its arguments; `key` must name everything that they say."""
    minute = int(frame().now.timestamp() // 60)
    return _drawings.get((locale(), zone().key, minute, *key), lambda: draw(*args, **more))
