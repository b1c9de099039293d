"""Which shape of answer a request asks for: JSON, a piece of a page, or a page."""

from __future__ import annotations

from flask import request

TOKEN_HEADER = "X-Admin-Token"
JSON_DOORS = ("/api/", "/openapi.json", "/health", "/meta", "/ready", "/palette")


def wants_json() -> bool:
    """Return whether the request came through the JSON door."""
    return request.path.startswith(JSON_DOORS) and request.path != "/api/docs"


def of_program() -> bool:
    """Return whether a program asks: through the JSON door, or with a token at the address of a sheet."""
    return wants_json() or TOKEN_HEADER in request.headers


def wants_fragment() -> bool:
    """Return whether htmx asks for a piece of a page."""
    return request.headers.get("HX-Request-Type") == "partial"
