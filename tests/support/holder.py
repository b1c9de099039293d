"""Somebody else who writes: `python -m tests.support.holder URL` holds what writers need until its input ends.

On SQLite that is the write lock, on PostgreSQL every table, against writers only. Prints "held" when it has it.
"""

from __future__ import annotations

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, inspect

LONGEST_SECONDS = 60


@contextmanager
def writing_elsewhere(url: str) -> Iterator[None]:
    """Let another process hold the database against all writers while the block runs."""
    command = [sys.executable, "-m", "tests.support.holder", url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.stdin.close()
            process.wait(10)


def _hold(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            tables = ", ".join(inspect(connection).get_table_names())
            connection.exec_driver_sql(f"LOCK TABLE {tables} IN EXCLUSIVE MODE")
        sys.stdout.write("held\n")
        sys.stdout.flush()
        # Whoever waits without a limit is a failed test, not one that never ends.
        select.select([sys.stdin], [], [], LONGEST_SECONDS)


if __name__ == "__main__":
    _hold(sys.argv[1])
