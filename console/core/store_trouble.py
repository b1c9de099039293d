"""What is wrong with the database, from whatever its driver raised: full, locked, read-only or away."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from console.domain.text import N_

FULL, LOCKED, READ_ONLY, AWAY = "full", "locked", "read_only", "away"
SENTENCES = {
    FULL: N_("The disk of the database is full; nothing can be stored at the moment"),
    LOCKED: N_("The database is held by another change; please try again"),
    READ_ONLY: N_("The database can be read but not written at the moment"),
    AWAY: N_("The database cannot be reached at the moment"),
}
# SQLSTATE of PostgreSQL, by how it begins; the longest that fits counts.
_STATES = {"53100": FULL, "55P03": LOCKED, "40P01": LOCKED, "57014": LOCKED, "25006": READ_ONLY}
# Names of SQLite's result codes, by how they begin.
_RESULTS = {
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR_WRITE": FULL,
    "SQLITE_BUSY": LOCKED,
    "SQLITE_LOCKED": LOCKED,
    "SQLITE_READONLY": READ_ONLY,
}


def trouble_of(error: BaseException) -> str | None:
    """Return what is wrong with the database when `error` comes from that, else None.

    An error that something else raised while it dealt with a lost connection comes from that, too.
    """
    for link in _chain(error):
        if isinstance(link, (OperationalError, InterfaceError)) or (
            isinstance(link, DBAPIError)
            and (link.connection_invalidated or getattr(link.orig, "sqlstate", None) in _STATES)
        ):
            return kind_of(link.orig)
        if isinstance(link, (DisconnectionError, PoolTimeout)):
            return AWAY
        if isinstance(link, sqlite3.OperationalError) or _of_postgresql(link):
            return kind_of(link)
    return None


def went_away(error: BaseException) -> bool:
    """Return whether the database was lost; a statement that SQLite does not understand is no such case."""
    codes = {getattr(getattr(link, "orig", link), "sqlite_errorname", None) for link in _chain(error)}
    return trouble_of(error) == AWAY and "SQLITE_ERROR" not in codes


def kind_of(orig: BaseException | None) -> str:
    """Return FULL, LOCKED, READ_ONLY or AWAY for an error of the driver."""
    state = getattr(orig, "sqlstate", None) or ""
    if state in _STATES:
        return _STATES[state]
    name = getattr(orig, "sqlite_errorname", None) or ""
    return next((kind for start, kind in _RESULTS.items() if name.startswith(start)), AWAY)


def _of_postgresql(error: BaseException) -> bool:
    # The driver is loaded only where PostgreSQL is used.
    kinds = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("psycopg")}
    return bool(kinds & {"OperationalError", "InterfaceError"})


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
