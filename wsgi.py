"""Entry point of the web server and of the `flask` command."""

import sys

from console import create_app
from console.core.config import ConfigError
from console.core.umask import keep_private
from console.services.runbook.preflight import BadStart

keep_private()
try:
    app = create_app()
except ConfigError as error:
    sys.stderr.write(f"{error}.\n")
    sys.exit(2)
except BadStart as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(1)
