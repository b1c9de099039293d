"""Request limits per caller and class (API contract, identity section 13, mended as 23 D1 to D3)."""

from __future__ import annotations

import hashlib

from flask import Flask, Response, current_app, g, request

from console.adapters.limiter import Budget, Limiter
from console.core.config import Config
from console.core.context import Actor
from console.domain.errors import TooManyRequests
from console.web.credentials import address, credential, presented_token
from console.web.request import UNSAFE, app_config, demanded

EXTENSION = "console_limiter"
DETAIL = "Rate limit exceeded"

LIMITS = {
    "auth-heavy": "API_RATE_LIMIT_MAX_AUTH_HEAVY",
    "auth-upload": "API_RATE_LIMIT_MAX_AUTH_UPLOAD",
    "auth-admin": "API_RATE_LIMIT_MAX_AUTH_ADMIN",
    "auth-write": "API_RATE_LIMIT_MAX_AUTH_WRITE",
    "auth-read": "API_RATE_LIMIT_MAX_AUTH",
    "public-heavy": "API_RATE_LIMIT_MAX_PUBLIC_HEAVY",
    "public-read": "API_RATE_LIMIT_MAX_PUBLIC",
    "page": "PAGE_RATE_LIMIT_MAX",
}
# Routes say their class themselves (`@access(rate=...)`); these endings are the published rule for those that do not.
HEAVY_ENDINGS = ("/completion-package", "/archive.csv", "/download")
PUBLIC_HEAVY_ENDINGS = ("/csv", "/pdf", "/ics")
# Asked by load balancers every second; they read nothing.
FREE_PATHS = frozenset({"/health", "/meta", "/ready"})


def init_app(app: Flask) -> None:
    """Count every request before its credential is judged, and tell the caller what is left."""
    app.extensions[EXTENSION] = make_limiter(app.extensions["console_config"])
    app.before_request(_count)
    app.after_request(_tell)


def make_limiter(config: Config) -> Limiter:
    """Return a limiter for these settings."""
    return Limiter(
        config["API_RATE_LIMIT_STORE"], config["API_RATE_LIMIT_REDIS_URL"], config["API_RATE_LIMIT_REDIS_KEY_PREFIX"]
    )


def limiter() -> Limiter:
    """Return the limiter of the running application."""
    found: Limiter = current_app.extensions[EXTENSION]
    return found


def _count() -> None:
    config = app_config()
    if not config["API_RATE_LIMIT_ENABLED"] or request.method == "OPTIONS" or request.endpoint == "static":
        return
    is_api = request.path.startswith("/api/")
    if not is_api and (request.path in FREE_PATHS or request.routing_exception is not None):
        return
    _stop_guessing(config)
    actor = _caller()
    policy = policy_of(actor is not None) if is_api else "page"
    seconds = config["API_RATE_LIMIT_WINDOW_SEC"]
    budget = limiter().hit(f"{policy}:{_identity(actor)}", config[LIMITS[policy]], seconds, tell=is_api)
    _spend(budget, policy)


def policy_of(authenticated: bool) -> str:
    """Return the class of the current API request; what the route says of itself wins."""
    rate = demanded().rate if request.routing_exception is None else None
    path, method = request.path, request.method
    if not authenticated:
        heavy = rate in ("public-heavy", "auth-heavy") or path.endswith(PUBLIC_HEAVY_ENDINGS)
        return "public-heavy" if heavy else "public-read"
    if rate in ("auth-heavy", "public-heavy") or (method == "GET" and path.endswith(HEAVY_ENDINGS)):
        return "auth-heavy"
    if rate == "auth-upload":
        return "auth-upload"
    if path.startswith("/api/admin/"):
        return "auth-admin"
    return "auth-write" if method in UNSAFE else "auth-read"


def _caller() -> Actor | str | None:
    """Return who the request counts for: the verified caller, or, for old clients, any token text."""
    if app_config()["API_RATE_LIMIT_IDENTITY"] == "header":
        presented = presented_token()
        if presented is not None:
            return hashlib.sha256(presented).hexdigest()[:16]
    return credential().actor


def _identity(caller: Actor | str | None) -> str:
    if caller is None:
        return f"ip:{address()}"
    if isinstance(caller, str):
        return f"auth:{caller}"
    if caller.token_id is not None:
        return f"auth:token:{caller.token_id}"
    if caller.user_id is not None:
        return f"auth:user:{caller.user_id}"
    return f"auth:{caller.kind}"


def _stop_guessing(config: Config) -> None:
    """Refuse the wrong tokens of an address that sent too many (23-D1).

    A right one passes and is counted under its own identity alone: one program with an old token must not stop
    everything else behind the same router.
    """
    if presented_token() is None or config["API_RATE_LIMIT_IDENTITY"] == "header":
        return
    found = credential()
    if found.actor is None and not found.store_failed:
        key, limit = f"auth-failures:{address()}", config["API_RATE_LIMIT_MAX_AUTH_FAILURES"]
        failures = limiter().hit(key, limit, config["API_RATE_LIMIT_WINDOW_SEC"])
        if not failures.allowed:
            _spend(failures, "public-read")


def _spend(budget: Budget, policy: str) -> None:
    g.rate_budget = (budget, policy)
    if not budget.allowed:
        raise TooManyRequests(DETAIL)


def _tell(response: Response) -> Response:
    budget, policy = g.get("rate_budget", (None, ""))
    if budget is None:
        return response
    if not budget.allowed:
        response.headers["Retry-After"] = str(budget.reset)
    if request.path.startswith("/api/"):
        response.headers["X-RateLimit-Limit"] = str(budget.limit)
        response.headers["X-RateLimit-Remaining"] = str(budget.remaining)
        response.headers["X-RateLimit-Reset"] = str(budget.reset)
        response.headers["X-RateLimit-Policy"] = policy
        response.headers["X-RateLimit-Backend"] = budget.backend
    return response
