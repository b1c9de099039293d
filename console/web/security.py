"""Who may enter: credential, forged requests, permission, in the published order (API contract, section 5)."""

from __future__ import annotations

import inspect
import json
from functools import cache
from urllib.parse import urlencode, urlsplit

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, validate_csrf
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from wtforms import ValidationError as FormError

from console.core.context import ANONYMOUS, Actor, Context
from console.domain.errors import BadRequest, Invalid, PermissionDenied, StoreUnavailable, Unauthorized
from console.domain.identity.second_factor import must_set_up
from console.domain.identity.tokens import Refusal
from console.domain.text import T
from console.inputs.base import unknown_fields_pass
from console.services.audit import record as audit
from console.services.identity.callers import session_policy
from console.web import headers
from console.web.afterwards import Action, afterwards
from console.web.credentials import Credential, address, credential
from console.web.entry import refuse_unwritable
from console.web.negotiation import wants_json
from console.web.request import (
    UNSAFE,
    Access,
    app_config,
    check_access,
    current_actor,
    demanded,
    nearest_page,
    own_address,
    request_id,
)

log = structlog.get_logger(__name__)

SIGN_IN = "/sign-in"
PASSWORD_PAGE = "/account/password"
# What somebody may do whose first act must be to choose a password.
BEFORE_PASSWORD = frozenset({"account.password", "account.save_password", "account.sign_out", "preferences.save"})
SECOND_FACTOR_PAGE = "/account/second-factor"
# The same for an owner who still has to switch on a second factor.
BEFORE_SECOND_FACTOR = BEFORE_PASSWORD | {
    *("second_factor.page", "second_factor.begin", "second_factor.confirm"),
    *("passkeys.new", "passkeys.begin", "passkeys.add"),
}

MISSING = "Missing admin token"
INVALID = "Invalid admin token"
UNKNOWN_FIELD = "Extra inputs are not permitted"
MOST_BLAMED = 20


def init_headers(app: Flask) -> None:
    """Add the security headers, outside of everything else; requests of believed proxies are read as they mean."""
    config = app.extensions["console_config"]
    hops = config["TRUSTED_PROXIES"]
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
    headers.init_app(app)


def init_app(app: Flask) -> None:
    """Check every request before its view; must come after the rate limits, which count refused requests too."""
    config = app.extensions["console_config"]
    secure = config["PUBLIC_URL"].startswith("https:") if config["PUBLIC_URL"] else config.production
    app.config.update(
        # The prefix keeps a neighbour on another host name of the same domain from planting a cookie of ours.
        SESSION_COOKIE_NAME="__Host-kaos_session" if secure else "kaos_session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=session_policy(config).absolute,
    )
    if config["ALLOW_INSECURE_LOCAL_AUTH"]:
        log.warning("insecure_local_auth_is_on", env=config["ENV"], counts=config["ENV"] == "local")
    app.before_request(_guard)
    app.after_request(_note_refusal)


def _guard() -> ResponseReturnValue | None:
    """Let the request through, send a person to the sign-in page, or refuse."""
    if request.routing_exception is not None or request.endpoint in (None, "static"):
        # The error page of somebody who is signed in keeps its frame.
        g.actor = credential().actor or ANONYMOUS
        return None
    demand = demanded()
    _check_json()
    caller = credential()
    g.actor = caller.actor or ANONYMOUS
    if caller.actor is None and not demand.public:
        return _turn_away(caller)
    if caller.actor is not None and _must_choose_password(caller.actor, demand):
        return _to(PASSWORD_PAGE) if not wants_json() else _password_first()
    if caller.actor is not None and _must_add_second_factor(caller.actor, demand):
        return _to(SECOND_FACTOR_PAGE) if not wants_json() else _second_factor_first()
    _check_forgery(caller.actor, demand)
    check_access(g.actor)
    refuse_unwritable()
    _check_fields()
    return None


def _check_fields() -> None:
    """Refuse fields for an endpoint that takes none: whoever sends them means something by them."""
    passes = app_config()["API_UNKNOWN_FIELDS"] == "ignore"
    unknown_fields_pass.set(passes)
    if passes or request.method not in UNSAFE or not wants_json() or _takes_body(request.endpoint or ""):
        return
    sent = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    if sent:
        names = sorted(map(str, sent))[:MOST_BLAMED] if isinstance(sent, dict) else [""]
        blamed = [{"type": "extra_forbidden", "loc": ["body", name[:200]], "msg": UNKNOWN_FIELD} for name in names]
        raise Invalid(blamed)


@cache
def _takes_body(endpoint: str) -> bool:
    view = inspect.unwrap(current_app.view_functions[endpoint])
    return bool({"body", "form"} & inspect.signature(view).parameters.keys())


def _check_json() -> None:
    """Refuse a body that is not JSON although it says so: 422 comes before 401 (API contract, section 5)."""
    if request.method not in UNSAFE or not request.is_json or not wants_json():
        return
    body = request.get_data(cache=True)
    most = request.max_content_length
    if request.content_length is None and most is not None and len(body) >= most:
        # Sent in chunks without a length: the reader stops at the limit and would hand on half a body.
        raise RequestEntityTooLarge
    if not body:
        return
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        message = f"JSON decode error: {error}"[:200]
        raise Invalid([{"type": "json_invalid", "loc": ["body"], "msg": message}], code="invalid_json") from error
    if isinstance(found, str):
        # The router would read the text as JSON once more.
        raise Invalid([{"type": "dict_type", "loc": ["body"], "msg": "Input should be a valid dictionary"}])


def _turn_away(caller: Credential) -> ResponseReturnValue:
    if caller.store_failed:
        raise StoreUnavailable(T("Sign-in cannot be checked at the moment"), code="auth_store_unavailable")
    # Who sent a token is a program, also at the address of a sheet: a form to sign in would pass for the sheet.
    if not wants_json() and caller.presented is None:
        here = _page()
        return _to(f"{SIGN_IN}?{urlencode({'next': here})}" if here and here != "/" else SIGN_IN)
    refusal = caller.refusal or Refusal.MISSING
    if caller.presented is None:
        code = Refusal.MISSING if refusal is Refusal.MISSING else "session_ended"
        raise Unauthorized(MISSING, code=str(code))
    raise Unauthorized(INVALID, code=refusal.value)


def _page() -> str:
    """Return the page that the caller looks at: that is where the sign-in leads back to."""
    if _is_htmx():
        parts = urlsplit(request.headers.get("HX-Current-URL", ""))
        return (parts.path + (f"?{parts.query}" if parts.query else "")) if parts.netloc == request.host else ""
    return own_address() if request.method == "GET" else nearest_page(request.path) or ""


def _must_choose_password(actor: Actor, demand: Access) -> bool:
    return not demand.public and request.endpoint not in BEFORE_PASSWORD and _lacks_password(actor)


def _lacks_password(actor: Actor) -> bool:
    return actor.kind == "session" and actor.must_change_password


def _password_first() -> ResponseReturnValue:
    raise PermissionDenied(T("Choose your own password first"), code="password_change_required")


def _must_add_second_factor(actor: Actor, demand: Access) -> bool:
    return not demand.public and request.endpoint not in BEFORE_SECOND_FACTOR and _lacks_second_factor(actor)


def _lacks_second_factor(actor: Actor) -> bool:
    needed: bool = app_config()["OWNER_SECOND_FACTOR_REQUIRED"]
    lacks = must_set_up(actor.role, has_second_factor=actor.has_second_factor, owners_need_it=needed)
    return actor.kind == "session" and lacks


def settled() -> bool:
    """Return whether the caller has nothing left to set up; a page for everybody tells others nothing of a site."""
    actor = current_actor()
    return not (_lacks_password(actor) or _lacks_second_factor(actor))


def _second_factor_first() -> ResponseReturnValue:
    raise PermissionDenied(T("Switch on the second factor first"), code="second_factor_setup_required")


def _check_forgery(actor: Actor | None, demand: Access) -> None:
    """Refuse an unsafe request that a browser may have been tricked into (API contract, 23-B3).

    It concerns whatever a cookie authenticates, and pages without a sign-in (the sign-in form). Tokens in a header
    cannot be sent by another site and need no such proof.
    """
    if request.method not in UNSAFE:
        return
    by_browser = actor is not None and actor.kind in ("session", "local")
    open_page = actor is None and not wants_json()
    if not (by_browser or open_page):
        return
    if not same_origin():
        raise BadRequest(T("The request came from another site"), code="origin_refused")
    if actor is not None and actor.kind == "local":
        return  # Nothing secret ties a local developer to a page; where the request comes from is all there is.
    if demand.public and request.endpoint == "auth.sign_in":
        return  # The form says it in its own words and offers a fresh one.
    if not valid_csrf():
        raise BadRequest(T("The page was open too long. Reload it and try again."), code="csrf_failed")


def same_origin() -> bool:
    """Return whether the browser, if it tells, calls this request one of our own pages'."""
    site = request.headers.get("Sec-Fetch-Site", "")
    if site and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin", "")
    # Our own Referrer-Policy makes browsers say "null" on plain forms; the CSRF token decides then.
    if not origin or origin == "null":
        return True
    own = {request.host.lower(), urlsplit(app_config()["PUBLIC_URL"]).netloc.lower()} - {""}
    return urlsplit(origin).netloc.lower() in own


def valid_csrf() -> bool:
    """Return whether the request carries the token that belongs to its session cookie."""
    sent = request.headers.get("X-CSRFToken") or request.headers.get("X-CSRF-Token") or request.form.get("csrf_token")
    try:
        validate_csrf(sent)
    except (FormError, CSRFError):
        return False
    return True


def forget_session() -> None:
    """Empty the browser's cookie; the session's row is ended by its service."""
    session.clear()


def _is_htmx() -> bool:
    return request.headers.get("HX-Request") == "true"


def _to(url: str) -> ResponseReturnValue:
    """Send a person elsewhere; htmx does not follow redirects of fragments, so it is told to."""
    if _is_htmx():
        return Response("", 401, {"HX-Redirect": url})
    return redirect(url, 303)


def _note_refusal(response: Response) -> Response:
    """Leave refused access to be put on record, sampled, in a transaction of its own (API contract, 23-A10)."""
    caller: Credential | None = g.get("credential")
    if caller is None or response.status_code not in (401, 403) or caller.store_failed:
        return response
    detail = {"method": request.method, "path": request.path[:200], "ip": address()}
    if response.status_code == 403 and caller.actor is not None:
        actor, action, reference = caller.actor, "permission_denied", f"{caller.actor.username} {request.path}"
    elif response.status_code == 401 and caller.presented is not None and caller.refusal is not None:
        actor, action, reference = ANONYMOUS, "auth_denied", address()
        detail["reason"] = caller.refusal.value
    else:
        return response

    def put_on_record(ctx: Context, patience: float) -> None:
        audit.record_denied(ctx, action, "access", reference, detail=detail, patience=patience)

    afterwards().later((action, reference), Action(actor, request_id(), put_on_record))
    return response
