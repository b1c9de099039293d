"""The web server: granian, with the settings of the table. `python -m workers.web` runs it alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A running request may finish within this time before its process is ended.
GRACE_SECONDS = 15


# Names the file that the launcher makes when the database is ready.
GATE = "CONSOLE_START_GATE"


def command(settings: Mapping[str, Any], target: str = "wsgi:app") -> list[str]:
    """Give the command line for HOST, PORT, WEB_WORKERS and WEB_THREADS; `target` is the application."""
    return [
        sys.executable,
        *("-m", "granian"),
        *("--interface", "wsgi"),
        *("--host", str(settings["HOST"])),
        *("--port", str(settings["PORT"])),
        *("--workers", str(settings["WEB_WORKERS"])),
        *("--blocking-threads", str(settings["WEB_THREADS"])),
        # Without it, one dead process ends the whole server.
        "--respawn-failed-workers",
        *("--workers-kill-timeout", str(GRACE_SECONDS)),
        "--no-ws",
        *("--log-level", "warning"),
        target,
    ]


def wait_for_gate() -> None:
    """Wait until the launcher says that the database is ready, if it is the launcher that started us."""
    gate = os.environ.get(GATE)
    while gate and not Path(gate).exists():
        time.sleep(0.01)


def main() -> None:
    """Become the web server; exits with 2 when a setting is wrong."""
    from console.config import Config, ConfigError

    try:
        arguments = command(Config.load())
    except ConfigError as error:
        print(f"{error}.", file=sys.stderr)
        sys.exit(2)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
