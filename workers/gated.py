"""The application as the launcher serves it: loaded while the database is still prepared, made when that is done.

Loading costs more than a second, and the machine has a second core.
"""

import console
from workers.web import wait_for_gate

wait_for_gate()
app = console.create_app()
