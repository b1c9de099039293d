"""From the request to the caller: reads the credential, asks `services.identity`, remembers the answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from flask import g, request, session

from console.core.context import SYSTEM, Actor, Context, unit_of_work
from console.domain.identity.tokens import LAZY, Refusal
from console.services.identity import callers as identity
from console.services.identity import first_owner
from console.services.identity.callers import Identified
from console.web.afterwards import PATIENCE_SECONDS, STORE_ERRORS, Action, afterwards
from console.web.extensions import db
from console.web.negotiation import TOKEN_HEADER
from console.web.request import app_clock, app_config, request_id, writes

log = structlog.get_logger(__name__)

SESSION_KEY = "sid"
MAX_TOKEN_BYTES = 512
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
def own_transaction(actor: Actor = SYSTEM, *, write: bool, patience: float | None = None) -> Iterator[Context]:
    """Open a short transaction beside that of the request: it stays when the request is refused.

    `patience` in seconds, as `start_writing` says.
    """
    with unit_of_work(
        db.session.session_factory,
        actor=actor,
        clock=app_clock(),
        config=app_config(),
        write=write,
        patience=patience,
        request_id=request_id(),
    ) as ctx:
        yield ctx


@contextmanager
def _reading() -> Iterator[Context]:
    """Read in the transaction of the request, which has not begun to write yet: most requests need no second one."""
    # Who is about to write keeps nothing that it read: it need not ask in which state the database is.
    ctx = Context(db.session(), app_clock(), SYSTEM, app_config(), request_id(), only_reads=not writes())
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
            found = _seeded(presented) or found
        _leave_notes(ctx, found, presented)
    if found.actor is not None and found.actor.kind == "env":
        log.warning("admin_token_fallback_used", address=address(), path=request.path)
    return Credential(found.actor, found.refusal, presented)


def _seeded(presented: bytes) -> Identified | None:
    """Return whom ADMIN_TOKEN means once it is seeded, at its first use when no start-up step did it (2.4).

    While somebody else writes it stays what it is without a row; the next use tries again.
    """
    db.session.rollback()
    try:
        with own_transaction(write=True, patience=PATIENCE_SECONDS) as ctx:
            return identity.by_token(ctx, presented) if first_owner.ensure_admin_token(ctx) else None
    except STORE_ERRORS as error:
        log.warning("admin_token_not_seeded", error=type(error).__name__)
        return None


def _by_session(cookie: str) -> Credential:
    with _reading() as ctx:
        found = identity.by_session(ctx, cookie)
        _leave_notes(ctx, found, None)
    return Credential(found.actor, found.refusal)


def _leave_notes(ctx: Context, found: Identified, presented: bytes | None) -> None:
    """Leave what the look-up brought about for after the answer: last use, or the end of a token that came too late."""
    late = found.refusal if found.refusal in LAZY and presented is not None else None
    token_id = found.credential_id
    if late is not None and token_id is not None:

        def switch_off(ctx: Context, patience: float) -> None:
            ctx.begin_write(patience)
            identity.disable(ctx, token_id, late)

        afterwards().later(("late", token_id), Action(SYSTEM, request_id(), switch_off))
    elif found.touch:
        afterwards().used(identity.use_of(ctx, found, presented))


def _is_local_peer() -> bool:
    """Whether the request comes from this very machine and not through a proxy on it."""
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
