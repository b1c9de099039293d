"""Copies of a database: of SQLite wherever its file lies, of PostgreSQL by programs that are told no secret openly."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy.engine import make_url

from console.adapters.copy_error import CopyError
from console.adapters.database_copy import dump_postgres, restore_postgres
from console.adapters.database_moment import moment
from console.core.config import Config, database_url

URL = "postgresql+psycopg://console:hidden%2Fword@db.example.com:5433/console?sslmode=require"


@pytest.mark.parametrize(("copy", "program"), [(dump_postgres, "pg_dump"), (restore_postgres, "pg_restore")])
def test_the_password_travels_in_the_environment_alone(copy, program, tmp_path, monkeypatch):
    file = tmp_path / program
    file.write_text('#!/bin/sh\necho "arguments: $@; password: $PGPASSWORD" >&2\nexit 1\n')
    file.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CopyError) as failed:
        copy(make_url(URL), tmp_path / "copy")

    arguments, _, password = str(failed.value).partition("; password: ")
    assert "--dbname=postgresql://console@db.example.com:5433/console?sslmode=require" in arguments
    assert password == "hidden/word"
    assert "hidden" not in arguments


@pytest.mark.parametrize("name", ["house #1", "100%", "what?", "자료"])
def test_the_folder_of_sqlite_may_be_called_as_people_like(name, tmp_path):
    folder, copy = tmp_path / name, tmp_path / "copy"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "facility.db")) as made:
        made.execute("CREATE TABLE here (id INTEGER)")

    copy.mkdir()
    with moment(make_url(database_url(Config.for_tests(DATABASE_URL="", DATA_DIR=str(folder))))) as now:
        _method, written, _facts = now.copy(copy, lambda _name, _done, _rows: None)

    with closing(sqlite3.connect(copy / written)) as copied:
        assert copied.execute("SELECT name FROM sqlite_master").fetchall() == [("here",)]
