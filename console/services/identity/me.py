"""Who am I: the answer of `GET /api/auth/me`, and signing in and out for a token (API contract, 6 and 21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update

from console.core.context import Actor, Context
from console.domain.errors import Conflict, PermissionDenied, Unauthorized
from console.domain.identity import second_factor
from console.domain.identity.tokens import expiry_on_issue
from console.domain.text import T
from console.models.identity import Token
from console.services.audit import record as audit
from console.services.identity import sessions, tokens, users
from console.services.identity.callers import by_token, token_policy
from console.services.identity.grants import keep_an_owner, lock_owners


@dataclass(frozen=True)
class ProfileMeta:
    """What kind of answer a profile is."""

    role: str
    scope_type: str
    is_legacy: bool
    token_bound: bool
    endpoint: str = "/api/auth/me"


@dataclass(frozen=True)
class Profile:
    """The caller with their rights and the dates of their credential."""

    user_id: int | None
    token_id: int | None
    token_label: str | None
    token_expires_at: datetime | None
    token_rotate_due_at: datetime | None
    token_idle_due_at: datetime | None
    token_must_rotate: bool
    username: str
    display_name: str
    role: str
    permissions: tuple[str, ...]
    site_scope: tuple[str, ...]
    is_legacy: bool
    added_permissions: tuple[str, ...]
    token_expires_soon: bool
    must_change_password: bool
    meta: ProfileMeta


@dataclass(frozen=True)
class SignedOut:
    """What became of the presented credential."""

    status: str
    token_id: int | None
    token_label: str | None
    token_revoked: bool
    is_legacy: bool
    logged_out_at: datetime


def me(ctx: Context) -> Profile:
    """Return the caller's profile."""
    return of(ctx, ctx.actor)


def of(ctx: Context, actor: Actor, *, endpoint: str = "/api/auth/me") -> Profile:
    """Return the profile of an actor as `endpoint` answers it; the scope type tells all, some and no sites apart."""
    warning = timedelta(days=token_policy(ctx.config).rotate_warning_days)
    expiry = actor.token_expires_at
    return Profile(
        user_id=actor.user_id,
        token_id=actor.token_id,
        token_label=actor.token_label,
        token_expires_at=expiry,
        token_rotate_due_at=actor.token_rotate_due_at,
        token_idle_due_at=actor.token_idle_due_at,
        token_must_rotate=actor.token_must_rotate,
        username=actor.username,
        display_name=actor.display_name or actor.username,
        role=actor.role,
        permissions=actor.permissions,
        site_scope=actor.site_scope,
        is_legacy=actor.is_legacy,
        added_permissions=tuple(sorted(actor.grants)),
        token_expires_soon=bool(warning) and expiry is not None and ctx.now() >= expiry - warning,
        must_change_password=actor.must_change_password,
        meta=ProfileMeta(
            role=actor.role,
            scope_type="global" if actor.all_sites else "site" if actor.site_scope else "none",
            is_legacy=actor.is_legacy,
            token_bound=actor.token_id is not None,
            endpoint=endpoint,
        ),
    )


def sign_in_for_token(ctx: Context, verdict: sessions.Verdict, *, label: str) -> tuple[str, Profile]:
    """Issue a token to somebody whose password was right; return its text and their profile.

    Raises PermissionDenied while a one-time password waits to be changed: that is done in the browser, unless old
    clients need it otherwise (API_LOGIN_BEFORE_OWN_PASSWORD); and while an owner still has to switch on a second
    factor.
    """
    if verdict.must_change_password and not ctx.config["API_LOGIN_BEFORE_OWN_PASSWORD"]:
        raise PermissionDenied(T("Choose your own password first"), code="password_change_required")
    needed: bool = ctx.config["OWNER_SECOND_FACTOR_REQUIRED"]
    if second_factor.must_set_up(verdict.role, has_second_factor=verdict.second_factor, owners_need_it=needed):
        raise PermissionDenied(T("Switch on the second factor first"), code="second_factor_setup_required")
    now = ctx.now()
    user = sessions.still_right(ctx, verdict)
    expiry = expiry_on_issue(None, token_policy(ctx.config), now)
    name = label.strip() or "web-login"
    token, plain = tokens.add(ctx, user, label=name, expires_at=expiry, site_scope=None, now=now, by_password=True)
    user.last_sign_in_at = now
    found = by_token(ctx, plain.encode())
    if found.actor is None:
        raise Unauthorized(sessions.BAD_CREDENTIALS, code="invalid_credentials")
    as_user = Context(ctx.session, ctx.clock, found.actor, ctx.config, ctx.request_id)
    detail = {"username": user.username, "token_id": token.id, "token_label": token.label}
    audit.record(as_user, "auth_login_success", "admin_token", token.id, detail=detail)
    tokens.enforce_quota(as_user, user.id, token.id)
    return plain, of(ctx, found.actor, endpoint="/api/auth/login")


def sign_out(ctx: Context) -> SignedOut:
    """End the presented credential: the token, unless it belongs to the bootstrap account, or the session."""
    actor, now = ctx.actor, ctx.now()
    revoked = False
    if actor.session_id is not None:
        sessions.sign_out(ctx)
    elif actor.token_id is not None and not actor.is_legacy:
        ended = ctx.session.execute(
            update(Token)
            .where(Token.id == actor.token_id, Token.is_active)
            .values(is_active=False, revoked_at=now, revoked_reason="signed_out")
            .returning(Token.id)
        ).first()
        revoked = ended is not None
        detail = {"username": actor.username, "token_label": actor.token_label, "token_revoked": revoked}
        audit.record(ctx, "auth_logout", "admin_token", actor.token_id, detail=detail)
    return SignedOut("logged_out", actor.token_id, actor.token_label, revoked, actor.is_legacy, now)


def deactivate_me(ctx: Context) -> users.UserView:
    """Switch the caller's own account off and end all its credentials.

    Raises Conflict for principals without an account, for the bootstrap account and for the last active owner.
    """
    if ctx.actor.user_id is None or ctx.actor.is_legacy:
        raise Conflict(T("This sign-in has no account of its own"), code="no_account")
    lock_owners(ctx, ctx.actor.user_id)
    user = users.load(ctx, ctx.actor.user_id, lock=True)
    keep_an_owner(ctx, user)
    users.leave(ctx, user.id)
    user.is_active = False
    user.updated_at = ctx.now()
    user.version += 1
    ctx.session.flush()
    audit.record(ctx, "auth_self_deactivate", "admin_user", user.id, detail={"username": user.username})
    return users.view(user)
