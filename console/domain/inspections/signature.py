"""A signature as it was drawn: strokes of whole numbers inside a box, the path of an SVG and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable

WIDTH, HEIGHT = 320, 96
MOST_LENGTH = 20_000
_STROKES = re.compile(r"(M\d{1,3} \d{1,3}(L\d{1,3} \d{1,3})+)+")


def is_drawing(text: str) -> bool:
    """Return whether a text is a drawing of at least one stroke that lies inside the box."""
    if len(text) > MOST_LENGTH or not text.isascii() or not _STROKES.fullmatch(text):
        return False
    numbers = [int(one) for one in re.findall(r"\d+", text)]
    return max(numbers[::2]) <= WIDTH and max(numbers[1::2]) <= HEIGHT


def is_second_person(own: Iterable[str], others: Iterable[str]) -> bool:
    """Return whether none of somebody's own names is one of the others, however they are written."""
    taken = {_plain(name) for name in others} - {""}
    return not any(_plain(name) in taken for name in own)


def _plain(name: str) -> str:
    return "".join(name.casefold().split())
