"""Copies of a PostgreSQL database are made by its own programs, which are told no secret that others could read."""

import pytest

from console.adapters.database_copy import CopyError, copy_in, copy_out

URL = "postgresql+psycopg://console:hidden%2Fword@db.example.com:5433/console?sslmode=require"


@pytest.mark.parametrize(("copy", "program"), [(copy_out, "pg_dump"), (copy_in, "pg_restore")])
def test_the_password_travels_in_the_environment_alone(copy, program, tmp_path, monkeypatch):
    file = tmp_path / program
    file.write_text('#!/bin/sh\necho "arguments: $@; password: $PGPASSWORD" >&2\nexit 1\n')
    file.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CopyError) as failed:
        copy(URL, tmp_path / "copy")

    arguments, _, password = str(failed.value).partition("; password: ")
    assert "--dbname=postgresql://console@db.example.com:5433/console?sslmode=require" in arguments
    assert password == "hidden/word"
    assert "hidden" not in arguments
