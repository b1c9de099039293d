"""Numbers of rows as they come from outside."""

from __future__ import annotations

# Ids are 32-bit numbers in every table that addresses name; the database refuses larger ones as broken statements.
MAX_ID = 2**31 - 1


def row_id(number: int) -> int:
    """Return the number, or 0, which no row has, for one that cannot be the id of a row."""
    return number if 0 < number <= MAX_ID else 0


def number_in(text: str) -> int | None:
    """Return the number that up to nine plain digits write; None for anything else, such as "²" or "1_000"."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
