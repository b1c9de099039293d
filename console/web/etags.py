"""The version of a tracker item in headers: `ETag` and `If-Match`, and the key that takes a change back."""

from __future__ import annotations

from flask import request

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
    """Return the version that `If-Match` names; anything that is no version matches none."""
    sent = request.headers.get("If-Match", "").strip()
    if not sent or sent == "*":
        return None
    text = sent.removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
