"""Whatever the driver raised, on whatever way: a word for it, or none when the database is not to blame."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from console.core.store_trouble import SENTENCES, trouble_of


def of_sqlite(name):
    error = sqlite3.OperationalError("x")
    error.sqlite_errorname = name
    return OperationalError("statement", None, error)


def after(cause, error):
    error.__context__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (of_sqlite("SQLITE_FULL"), "full"),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), "locked"),
        (of_sqlite("SQLITE_READONLY_DBMOVED"), "read_only"),
        (of_sqlite("SQLITE_CANTOPEN"), "away"),
        (OperationalError("statement", None, psycopg.errors.DiskFull()), "full"),
        (OperationalError("statement", None, psycopg.errors.LockNotAvailable()), "locked"),
        (OperationalError("statement", None, psycopg.errors.AdminShutdown()), "away"),
        (DBAPIError("statement", None, psycopg.errors.ReadOnlySqlTransaction()), "read_only"),
        (InterfaceError("statement", None, psycopg.InterfaceError("the connection is closed")), "away"),
        (DBAPIError("statement", None, psycopg.Error(), connection_invalidated=True), "away"),
        (PoolTimeout("QueuePool limit"), "away"),
        (psycopg.OperationalError("the connection is lost"), "away"),
        (after(psycopg.OperationalError("lost"), InvalidRequestError("This connection is closed")), "away"),
        (IntegrityError("statement", None, psycopg.errors.UniqueViolation()), None),
        (after(KeyError("x"), ValueError("y")), None),
    ],
)
def test_an_error_is_told_in_one_word(error, word):
    assert trouble_of(error) == word
    assert word is None or word in SENTENCES
