"""From the request to the caller: reads the credential, asks `services.identity`, remembers the answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from flask import g, request, session
from sqlalchemy.exc import SQLAlchemyError

from console.core.context import SYSTEM, Actor, Context, unit_of_work
from console.domain.errors import StoreUnavailable
from console.domain.identity.tokens import LAZY, Refusal
from console.services.identity import callers as identity
from console.services.identity import first_owner
from console.services.identity.callers import Identified
from console.web.extensions import db
from console.web.request import app_clock, app_config, request_id

log = structlog.get_logger(__name__)

TOKEN_HEADER = "X-Admin-Token"
SESSION_KEY = "sid"
MAX_TOKEN_BYTES = 512
# An audit row that cannot be written fails its transaction as StoreUnavailable.
STORE_ERRORS = (SQLAlchemyError, StoreUnavailable)
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip")


@dataclass(frozen=True)
class Credential:
    """The caller of this request, or why there is none.

    `presented` is the header's token in bytes; `store_failed` means that nobody can be told apart right now.
    """

    actor: Actor | None = None
    refusal: Refusal | None = Refusal.MISSING
    presented: bytes | None = None
    store_failed: bool = False


def credential() -> Credential:
    """Return the caller of this request; looked up once.

    A token in the header counts alone: a cookie beside it is ignored, so the two are never mixed.
    """
    if "credential" not in g:
        g.credential = _read()
    found: Credential = g.credential
    return found


def presented_token() -> bytes | None:
    """Return the bytes of the header's token as the client sent them, or None for a blank or absent one."""
    text = request.headers.get(TOKEN_HEADER, "").strip()
    if not text:
        return None
    try:
        # WSGI hands header bytes over as Latin-1; a hash is made from the bytes, whatever alphabet they mean.
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def session_cookie() -> str | None:
    """Return the random text of the browser session, if the signed cookie carries one."""
    text = session.get(SESSION_KEY)
    return text if isinstance(text, str) and 0 < len(text) <= 128 else None


def address() -> str:
    """Return the peer's address; an IPv6 network of one subscriber (/64) counts as one."""
    text = request.remote_addr or ""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return text[:64] or "unknown"
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address) + "/64"
    return str(parsed)


@contextmanager
def own_transaction(actor: Actor = SYSTEM, *, write: bool) -> Iterator[Context]:
    """Open a short transaction beside that of the request: it stays when the request is refused."""
    with unit_of_work(
        db.session.session_factory,
        actor=actor,
        clock=app_clock(),
        config=app_config(),
        write=write,
        request_id=request_id(),
    ) as ctx:
        yield ctx


@contextmanager
def _reading() -> Iterator[Context]:
    """Read in the transaction of the request, which has not begun to write yet: most requests need no second one."""
    ctx = Context(db.session(), app_clock(), SYSTEM, app_config(), request_id(), only_reads=True)
    try:
        yield ctx
    except BaseException:
        ctx.rollback()
        raise


def _read() -> Credential:
    presented = presented_token()
    cookie = None if presented else session_cookie()
    g.had_session = cookie is not None
    try:
        if presented is not None:
            return _by_token(presented)
        if cookie is not None:
            return _by_session(cookie)
        if app_config()["ALLOW_INSECURE_LOCAL_AUTH"] and _is_local_peer():
            with _reading() as ctx:
                return Credential(identity.local_bypass(ctx).actor)
    except STORE_ERRORS as error:
        log.warning("identity_store_failed", error=type(error).__name__)
        return Credential(None, Refusal.UNKNOWN, presented, store_failed=True)
    return Credential()


def _by_token(presented: bytes) -> Credential:
    if len(presented) > MAX_TOKEN_BYTES:
        return Credential(None, Refusal.UNKNOWN, presented)
    with _reading() as ctx:
        found = identity.by_token(ctx, presented)
    if found.credential_id is None and identity.is_admin_token(app_config(), presented):
        # Seeded at the first use when no start-up step did it (API contract, 2.4).
        db.session.rollback()
        with own_transaction(write=True) as ctx:
            if first_owner.ensure_admin_token(ctx):
                found = identity.by_token(ctx, presented)
    _follow_up(found, presented)
    if found.actor is not None and found.actor.kind == "env":
        log.warning("admin_token_fallback_used", address=address(), path=request.path)
    return Credential(found.actor, found.refusal, presented)


def _by_session(cookie: str) -> Credential:
    with _reading() as ctx:
        found = identity.by_session(ctx, cookie)
    _follow_up(found, None)
    return Credential(found.actor, found.refusal)


def _follow_up(found: Identified, presented: bytes | None) -> None:
    """Write what the look-up brought about: last use, or the end of a token that came too late."""
    late = found.refusal if found.refusal in LAZY and presented is not None else None
    if not (found.touch or late):
        return
    try:
        # What was read is over; on SQLite the writer comes after it.
        db.session.rollback()
        with own_transaction(write=True) as ctx:
            if late is not None and found.credential_id is not None:
                identity.disable(ctx, found.credential_id, late)
            else:
                identity.touch(ctx, found, presented)
    except STORE_ERRORS as error:
        # The verdict stands; only the note about it is missing.
        log.warning("credential_note_failed", error=type(error).__name__)


def _is_local_peer() -> bool:
    """Whether the request comes from this very machine and not through a proxy on it."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
