"""Entry point of the web server and of the `flask` command."""

from console import create_app
from console.core.umask import keep_private

keep_private()

app = create_app()
