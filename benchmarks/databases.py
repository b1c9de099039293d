"""The databases that are measured, each empty and for this measurement alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from tests.support.postgres import postgres_url

CHOICES = ("sqlite", "postgresql", "both")


def databases(chosen: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield name and address of each database that is `chosen`; that on PostgreSQL is called `name`."""
    if chosen in ("sqlite", "both"):
        yield "SQLite", f"sqlite:///{tempfile.mkdtemp(prefix='kaos-bench-db-')}/facility.db"
    if chosen in ("postgresql", "both"):
        yield "PostgreSQL", postgres_url(name)
