"""How long an address may be; bodies and headers are bounded before the application (workers/launch/gateway.py)."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import RequestURITooLarge

# Room for every list with all its filters and for an export of 500 chosen rows.
MAX_ADDRESS_BYTES = 8192
MAX_PARAMETERS = 600


def init_app(app: Flask) -> None:
    """Refuse addresses that are too long before anything looks at them; must be registered first."""

    @app.before_request
    def refuse_long_addresses() -> None:
        query = request.query_string
        length = len(request.environ.get("PATH_INFO", "")) + len(query)
        if length > MAX_ADDRESS_BYTES or query.count(b"&") >= MAX_PARAMETERS:
            raise RequestURITooLarge
