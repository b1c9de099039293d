"""Who is calling? From a presented credential to an Actor (API contract, identity sections 2 and 23 B)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import ColumnElement, Table, bindparam, exists, func, or_, select, update

from console.core.config import Config
from console.core.context import ALL_SITES, Actor, Context
from console.domain.identity import iam, scope, tokens
from console.domain.identity.accounts import SessionPolicy, session_is_live
from console.domain.identity.tokens import Refusal, TokenDates, TokenFacts, TokenPolicy
from console.models.identity import Token, User, WebSession
from console.models.types import UtcDateTime
from console.services.audit import record as audit
from console.services.common.query_cache import cached_query

# One row update per credential and minute is enough to know when it was used last.
TOUCH_EVERY = timedelta(minutes=1)

# Built once: these two run on every request.
_BY_TOKEN = (
    select(Token, User)
    .join(User, User.id == Token.user_id)
    .where(Token.token_hash.in_(bindparam("hashes", expanding=True)))
)
_BY_SESSION = (
    select(WebSession, User).join(User, User.id == WebSession.user_id).where(WebSession.token_hash == bindparam("hash"))
)


_SESSIONS, _TOKENS = cast("Table", WebSession.__table__), cast("Table", Token.__table__)
_AT = bindparam("at", type_=UtcDateTime())
_SESSION_USED = (
    update(_SESSIONS).where(_SESSIONS.c.id == bindparam("row"), _SESSIONS.c.last_seen_at < _AT).values(last_seen_at=_AT)
)
_TOKEN_USED = (
    update(_TOKENS)
    .where(
        _TOKENS.c.id == bindparam("row"),
        _TOKENS.c.is_active,
        or_(_TOKENS.c.last_used_at.is_(None), _TOKENS.c.last_used_at <= _AT),
    )
    .values(last_used_at=_AT, token_hash=bindparam("hashed"))
)


@dataclass(frozen=True)
class Use:
    """That a credential was used: its row, when (aware UTC), and the hash under which a token is to be stored."""

    kind: Literal["token", "session"]
    credential_id: int
    at: datetime
    token_hash: str | None = None


@dataclass(frozen=True)
class _KnownToken:
    """A stored token and its owner: what can be said of them without asking the clock."""

    token_id: int
    token_hash: str
    person: Actor
    facts: TokenFacts


@dataclass(frozen=True)
class _KnownSession:
    """A stored browser session and its person."""

    person: Actor
    user_is_active: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class Identified:
    """What a credential turned out to be: an actor, or why not.

    `touch` says that the last use is due to be written; `credential_id` is the token's or session's row, if any.
    """

    actor: Actor | None
    refusal: Refusal | None = None
    credential_id: int | None = None
    touch: bool = False


def token_policy(config: Config) -> TokenPolicy:
    """Return the token policy of this installation."""
    return TokenPolicy(
        require_expiry=config["ADMIN_TOKEN_REQUIRE_EXPIRY"],
        max_ttl_days=config["ADMIN_TOKEN_MAX_TTL_DAYS"],
        rotate_after_days=config["ADMIN_TOKEN_ROTATE_AFTER_DAYS"],
        rotate_warning_days=config["ADMIN_TOKEN_ROTATE_WARNING_DAYS"],
        max_idle_days=config["ADMIN_TOKEN_MAX_IDLE_DAYS"],
        max_active_per_user=config["ADMIN_TOKEN_MAX_ACTIVE_PER_USER"],
        rotate_grace_seconds=config["ADMIN_TOKEN_ROTATE_GRACE_SECONDS"],
        rotate_keeps_expiry=config["ADMIN_TOKEN_ROTATE_KEEP_EXPIRY"],
    )


def session_policy(config: Config) -> SessionPolicy:
    """Return how long browser sessions last in this installation."""
    return SessionPolicy(
        idle=timedelta(minutes=config["SESSION_IDLE_MINUTES"]),
        absolute=timedelta(hours=config["SESSION_ABSOLUTE_HOURS"]),
    )


def facts_of(token: Token, *, user_is_active: bool = True) -> TokenFacts:
    """Return what the rules need to know of a stored token."""
    return TokenFacts(
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        is_active=token.is_active,
        user_is_active=user_is_active,
        superseded=token.revoked_at is not None,
    )


def hashes_of(config: Config, presented: bytes) -> tuple[str, ...]:
    """Return the hashes under which a token may be stored; the first is how it is stored today."""
    plain = tokens.hash_token(presented)
    pepper = config["TOKEN_PEPPER"]
    return (tokens.hash_token(presented, pepper), plain) if pepper else (plain,)


def by_token(ctx: Context, presented: bytes) -> Identified:
    """Identify the bearer of an API token; reads only."""
    hashes = hashes_of(ctx.config, presented)
    known = cached_query(ctx, ("token", *hashes), lambda: _known_token(ctx, hashes))
    now = ctx.now()
    refusal = Refusal.UNKNOWN
    credential_id = None
    if known is not None:
        policy, facts = token_policy(ctx.config), known.facts
        found = tokens.judge(facts, policy, now)
        if found is None:
            actor = _with_dates(known.person, tokens.dates(facts, policy, now))
            stale = facts.last_used_at is None or facts.last_used_at <= now - TOUCH_EVERY
            return Identified(actor, None, known.token_id, stale or known.token_hash != hashes[0])
        refusal, credential_id = found, known.token_id
    fallback = _env_actor(ctx, presented, now)
    return Identified(fallback) if fallback else Identified(None, refusal, credential_id)


def by_session(ctx: Context, presented: str) -> Identified:
    """Identify the person behind a browser session; reads only."""
    hashed = session_hash(presented)
    known = cached_query(ctx, ("session", hashed), lambda: _known_session(ctx, hashed))
    if known is None:
        return Identified(None, Refusal.UNKNOWN)
    now, session_id = ctx.now(), known.person.session_id
    live = session_is_live(
        created_at=known.created_at,
        last_seen_at=known.last_seen_at,
        expires_at=known.expires_at,
        revoked_at=known.revoked_at,
        policy=session_policy(ctx.config),
        now=now,
    )
    if not live or not known.user_is_active:
        return Identified(None, Refusal.EXPIRED if known.user_is_active else Refusal.USER_INACTIVE, session_id)
    return Identified(known.person, None, session_id, known.last_seen_at <= now - TOUCH_EVERY)


def _known_token(ctx: Context, hashes: Sequence[str]) -> _KnownToken | None:
    row = ctx.session.execute(_BY_TOKEN, {"hashes": hashes}).first()
    if row is None:
        return None
    token, user = row
    person = replace(
        _person("token", user),
        token_id=token.id,
        site_scope=scope.intersect(user.site_scope, token.site_scope),
        token_label=token.label,
        token_created_at=token.created_at,
    )
    return _KnownToken(token.id, token.token_hash, person, facts_of(token, user_is_active=user.is_active))


def _known_session(ctx: Context, hashed: str) -> _KnownSession | None:
    row = ctx.session.execute(_BY_SESSION, {"hash": hashed}).first()
    if row is None:
        return None
    web, user = row
    person = replace(_person("session", user), session_id=web.id)
    return _KnownSession(person, user.is_active, web.created_at, web.last_seen_at, web.expires_at, web.revoked_at)


def local_bypass(ctx: Context) -> Identified:
    """Return the local developer the owner's rights, where that is switched on and nothing else could sign in.

    The caller has made sure that the peer is this machine. A failing database raises, it never opens the door
    (API contract, 23-B4).
    """
    config = ctx.config
    allowed = config["ALLOW_INSECURE_LOCAL_AUTH"] and config["ENV"] == "local" and not config["ADMIN_TOKEN"]
    if not allowed or ctx.session.scalar(select(exists().where(Token.is_active))):
        return Identified(None, Refusal.MISSING)
    return Identified(_synthetic("local", iam.LOCAL_USERNAME, ctx.now()))


def use_of(ctx: Context, identified: Identified, presented: bytes | None = None) -> Use:
    """Return what is to be noted of this use; a token hashed the old way moves to the new one."""
    hashed = hashes_of(ctx.config, presented)[0] if presented is not None else None
    return Use("token" if presented is not None else "session", identified.credential_id or 0, ctx.now(), hashed)


def store_uses(ctx: Context, uses: Sequence[Use]) -> None:
    """Write the last use of credentials; a later one that is stored already stands."""
    sessions = [{"row": use.credential_id, "at": use.at} for use in uses if use.kind == "session"]
    if sessions:
        ctx.session.execute(_SESSION_USED, sessions)
    used = [{"row": use.credential_id, "at": use.at, "hashed": use.token_hash} for use in uses if use.kind == "token"]
    if used:
        ctx.session.execute(_TOKEN_USED, used)


def disable(ctx: Context, token_id: int, reason: Refusal) -> None:
    """Switch off a token that was presented after one of its dates; the trail says so once."""
    changed = ctx.session.execute(
        update(Token)
        .where(Token.id == token_id, Token.is_active)
        .values(is_active=False, disabled_at=ctx.now(), disabled_reason=reason.value)
        .returning(Token.user_id, Token.label)
    ).first()
    if changed is not None:
        detail = {"user_id": changed.user_id, "label": changed.label, "reason": reason.value}
        audit.record(ctx, "admin_token_auto_disable", "admin_token", token_id, status="warning", detail=detail)


def someone_can_administer(ctx: Context) -> bool:
    """Return whether an active owner has a password or a token that still works: then ADMIN_TOKEN is done (23-B5)."""
    working = select(Token.id).where(Token.user_id == User.id, *live_token(ctx.config, ctx.now()))
    return bool(
        ctx.session.scalar(
            select(
                exists().where(
                    User.role == iam.Role.OWNER,
                    User.is_active,
                    or_(User.password_hash.is_not(None), working.exists()),
                )
            )
        )
    )


def live_token(config: Config, now: datetime) -> Sequence[ColumnElement[bool]]:
    """Return the SQL conditions of a token that would be accepted at `now`: the twin of `domain.tokens.judge`."""
    policy = token_policy(config)
    conditions: list[ColumnElement[bool]] = [
        Token.is_active.is_(True),
        Token.created_at > now - timedelta(days=policy.rotate_after_days),
        func.coalesce(Token.last_used_at, Token.created_at) > now - timedelta(days=policy.max_idle_days),
    ]
    without_expiry = Token.expires_at.is_(None)
    if policy.require_expiry:
        conditions.append(or_(Token.expires_at > now, without_expiry & (Token.created_at > now - policy.max_ttl)))
    else:
        conditions.append(or_(Token.expires_at > now, without_expiry))
    return conditions


def session_hash(presented: str) -> str:
    """Return what is stored for the random text in a session cookie."""
    return hashlib.sha256(presented.encode()).hexdigest()


def is_admin_token(config: Config, presented: bytes) -> bool:
    """Return whether the presented text is ADMIN_TOKEN.

    Digests are compared: comparing raw texts of other alphabets made the earlier product fail with 500 (23-B12).
    """
    configured: str = config["ADMIN_TOKEN"].strip()
    ours = hashlib.sha256(configured.encode()).digest()
    return bool(configured) and hmac.compare_digest(hashlib.sha256(presented).digest(), ours)


def _env_actor(ctx: Context, presented: bytes, now: datetime) -> Actor | None:
    if not is_admin_token(ctx.config, presented):
        return None
    if not ctx.config["ADMIN_TOKEN_ENV_FALLBACK"] and someone_can_administer(ctx):
        return None
    return _synthetic("env", iam.ENV_USERNAME, now)


def _synthetic(kind: Literal["env", "local"], username: str, now: datetime) -> Actor:
    return Actor(
        kind=kind,
        username=username,
        display_name=username,
        role=iam.Role.OWNER.value,
        permissions=(iam.ALL,),
        grants=iam.added_permissions(iam.Role.OWNER),
        site_scope=ALL_SITES,
        is_legacy=True,
        token_label=username,
        token_created_at=now,
    )


def _person(kind: Literal["token", "session"], user: User) -> Actor:
    return Actor(
        kind=kind,
        username=user.username,
        display_name=user.display_name or user.username,
        role=user.role,
        permissions=iam.effective_permissions(user.role, user.permissions),
        grants=iam.added_permissions(user.role),
        site_scope=user.site_scope,
        user_id=user.id,
        is_legacy=user.is_bootstrap,
        must_change_password=user.must_change_password,
        has_second_factor=user.has_second_factor,
        locale=user.language,
    )


def _with_dates(person: Actor, due: TokenDates) -> Actor:
    return replace(
        person,
        token_expires_at=due.expires_at,
        token_rotate_due_at=due.rotate_due_at,
        token_idle_due_at=due.idle_due_at,
        token_must_rotate=due.must_rotate,
    )
