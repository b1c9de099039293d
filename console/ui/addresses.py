"""What an address leads to, and whether somebody may open it: for saved views, start pages and the palette."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException

from console.core.context import Actor
from console.domain.identity.addresses import local_address
from console.web.request import SIGNED_IN


def may_open(actor: Actor, address: str | None) -> bool:
    """Return whether `address` is a page of the console that answers GET and that the actor may see."""
    local = local_address(address)
    if local is None or local.startswith("/api/"):
        return False
    try:
        endpoint, _values = current_app.url_map.bind("").match(urlsplit(local).path, method="GET")
    except HTTPException:
        return False
    demand = getattr(current_app.view_functions[endpoint], "access", SIGNED_IN)
    return demand.public or not demand.permissions or any(actor.can(name) for name in demand.permissions)
