"""Security headers of every answer (API contract, identity section 14 and 23 D4, D5)."""

from __future__ import annotations

from flask import Flask, Response, g, request

from console.web.credentials import presented_token
from console.web.request import app_config, current_actor

# Nothing inline and nothing from elsewhere; `data:` is for the icons inside the style sheet.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Origin-Agent-Cluster": "?1",
}
HSTS = "max-age=63072000"


def init_app(app: Flask) -> None:
    """Add the headers to every answer, errors included, unless the view set them itself.

    Registered first, this hook runs last: it sees the answer as it leaves.
    """

    @app.after_request
    def add_headers(response: Response) -> Response:
        if response.status_code == 304:
            # Nothing comes along that a header could protect; a poll is asked every few seconds.
            response.headers.setdefault("Cache-Control", "no-store")
            return response
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        if _hsts():
            response.headers.setdefault("Strict-Transport-Security", _hsts_value())
        html = response.mimetype == "text/html"
        if html:
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if html or authenticated():
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("Pragma", "no-cache")
        return response


def authenticated() -> bool:
    """Return whether a credential came along, however it was judged: such answers stay out of every cache."""
    return presented_token() is not None or current_actor().kind != "anonymous" or bool(g.get("had_session"))


def _hsts_value() -> str:
    config = app_config()
    below, built_in = config["HSTS_SUBDOMAINS"], config["HSTS_PRELOAD"]
    return HSTS + ("; includeSubDomains" if below else "") + ("; preload" if below and built_in else "")


def _hsts() -> bool:
    config = app_config()
    if config["HSTS"] == "auto":
        return config.production or request.is_secure
    return bool(config["HSTS"] == "on")
