"""The web server alone, for deployments: `python -m workers.web`. A start that cannot be is refused in one sentence."""

from __future__ import annotations

import sys

from console.core.clock import SystemClock
from console.core.config import Config, ConfigError
from console.core.umask import keep_private
from console.services.runbook import preflight
from workers.launch import startup, web


def main() -> int:
    """Serve with the settings of the environment; returns the exit code."""
    keep_private()
    try:
        config = Config.load()
        preflight.refuse_bad_start(config, SystemClock().now())
        startup.check_folder(config.path("DATA_DIR"))
        startup.check_port(config["HOST"], config["PORT"])
    except ConfigError as error:
        print(f"{error}.", file=sys.stderr)
        return 2
    except preflight.BadStart as error:
        print(error, file=sys.stderr)
        return 1
    except startup.StartError as error:
        print(error, file=sys.stderr)
        return error.code
    web.serve(config)
    return 0


if __name__ == "__main__":
    sys.exit(main())
