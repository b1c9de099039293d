"""The headers of a slice of a list: how many rows match in all, and where the following slice is."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import request

TOTAL, NEXT, CAPPED = "X-Total-Count", "X-Next-Cursor", "X-Total-Count-Capped"
_PLACE = ("cursor", "offset")


def slice_headers(
    total: int, *, cursor: str | int | None = None, offset: int | None = None, capped: bool = False
) -> dict[str, str]:
    """Return the headers of one slice; the following one begins at `cursor` or `offset`, with neither there is none.

    `capped` says that there are more than `total`.
    """
    headers = {TOTAL: str(total)}
    if capped:
        headers[CAPPED] = "true"
    if cursor is not None:
        headers[NEXT] = str(cursor)
    if (following := cursor if offset is None else offset) is not None:
        kept = [(name, value) for name, value in request.args.items(multi=True) if name not in _PLACE]
        place = ("cursor" if offset is None else "offset", following)
        headers["Link"] = f'<{request.path}?{urlencode([*kept, place])}>; rel="next"'
    return headers
