"""How many statements one request sends to the database."""

from __future__ import annotations

from collections.abc import Callable

from console import ConsoleApp
from console.web.extensions import db
from tests.support.statements import statements


class QueryCounter:
    """Counts the statements of single requests in this process."""

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app

    def count(self, path: str, headers: dict[str, str], write: Callable[[], None] = lambda: None) -> tuple[int, int]:
        """Return the number of statements after something was written, and of the same request once more."""
        client = self._app.test_client(use_cookies=False)
        method, _, address = path.rpartition(" ")
        client.open(address, method=method or "GET", headers=headers)
        with self._app.app_context():
            engine = db.engine
        # New connections know nothing of what the first request read.
        engine.dispose()
        write()
        with statements(engine) as first:
            client.open(address, method=method or "GET", headers=headers)
        with statements(engine) as again:
            client.open(address, method=method or "GET", headers=headers)
        return len(first), len(again)
