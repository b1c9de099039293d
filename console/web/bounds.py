"""How long an address may be, and for which host; bodies are bounded before (workers/launch/gateway.py)."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import BadRequest, RequestURITooLarge
from werkzeug.sansio.utils import host_is_trusted

from console.core.config import allowed_hosts

# Room for every list with all its filters and for an export of 500 chosen rows.
MAX_ADDRESS_BYTES = 8192
MAX_PARAMETERS = 600
# Asked by machines that know an address and no name; their answers never repeat the host.
PROBES = ("/health", "/ready")


def init_app(app: Flask) -> None:
    """Refuse addresses that are too long or for another host before anything looks at them; must come first."""
    hosts = allowed_hosts(app.extensions["console_config"])

    @app.before_request
    def refuse_long_addresses() -> None:
        query = request.query_string
        length = len(request.environ.get("PATH_INFO", "")) + len(query)
        if length > MAX_ADDRESS_BYTES or query.count(b"&") >= MAX_PARAMETERS:
            raise RequestURITooLarge
        host = request.environ.get("HTTP_HOST", "").lower()
        if hosts and request.path not in PROBES and not host_is_trusted(host, hosts):
            # The refusal itself must not lead anywhere either.
            request.environ["HTTP_HOST"] = hosts[0].lstrip(".")
            raise BadRequest("This host name is not answered")
