"""Versions in headers: `ETag` and `If-Match`, and the key that takes the change of a tracker item back."""

from __future__ import annotations

from flask import request

from console.domain.ids import number_in
from console.services.tracker.items import Changed
from console.services.tracker.rows import ItemView


def etag(made: ItemView | Changed) -> dict[str, str]:
    """Return the headers of an item, or of a change of it."""
    item = made.item if isinstance(made, Changed) else made
    headers = {"ETag": f'"{item.version}"'}
    if isinstance(made, Changed) and made.undo:
        headers["X-Undo-Token"] = made.undo
    return headers


def if_match() -> int | None:
    """Return the version or revision that `If-Match` names; -1, which nothing has, for anything that is none."""
    sent = request.headers.get("If-Match", "").strip()
    if not sent or sent == "*":
        return None
    named = number_in(sent.removeprefix("W/").strip('"'))
    return -1 if named is None else named
