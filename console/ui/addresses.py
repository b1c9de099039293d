"""What an address leads to, and whether somebody may open it: for saved views, start pages and the palette."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, url_for
from werkzeug.exceptions import HTTPException

from console.core.context import Actor
from console.domain.identity.addresses import local_address
from console.web.request import SIGNED_IN, current_actor


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


def url_if(endpoint: str, **values: Any) -> str | None:
    """Return the address of a page when it exists and the reader may open it, else None."""
    view = current_app.view_functions.get(endpoint)
    if view is None:
        return None
    demand = getattr(view, "access", SIGNED_IN)
    allowed = demand.public or not demand.permissions or any(map(current_actor().can, demand.at(values)))
    return url_for(endpoint, **values) if allowed else None
