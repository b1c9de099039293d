"""The wall time of every answer, and the route it belongs to, for those who keep such figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request

# Where the environment of a request has its route, such as `/api/sites/<int:site_id>`; not there for unknown addresses.
ROUTE = "console.route"
Note = Callable[[dict[str, Any], float, int], None]


def init_app(app: Flask) -> None:
    """Write the route of every request into its environment: what stands around Flask does not see it otherwise."""

    @app.url_value_preprocessor
    def remember_route(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        if request.url_rule is not None:
            request.environ[ROUTE] = request.url_rule.rule


def timed(
    inner: Callable[..., Iterable[bytes]],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    note: Note,
    *,
    header: str = "",
) -> Iterable[bytes]:
    """Let `inner` answer; `note` gets the environment, the seconds it took and the status, once.

    A `header` with that name tells the caller the time in milliseconds.
    """
    began = time.perf_counter()
    noted = False

    def tell(status: int) -> float:
        nonlocal noted
        seconds = time.perf_counter() - began
        if not noted:
            note(environ, seconds, status)
        noted = True
        return seconds

    def answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        seconds = tell(int(status[:3]))
        own = [(header, f"{seconds * 1000:.2f}")] if header else []
        return start_response(status, [*headers, *own], *more)

    try:
        return inner(environ, answer)
    except BaseException:
        # The server will answer 500 outside of us.
        tell(500)
        raise
