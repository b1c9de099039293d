"""API tokens: issue, rotate, revoke, list, policy (API contract, identity section 8)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Annotated

from sqlalchemy import Select, select, update

from console.core.context import Context
from console.core.records import INTERNAL, Fact, view_of
from console.domain.errors import BadRequest, Conflict, NotFound
from console.domain.identity import iam, scope, tokens
from console.domain.identity.scope import Scope
from console.domain.identity.tokens import TokenPolicy
from console.domain.text import N_, T
from console.models.identity import Token, User
from console.services.audit import record as audit
from console.services.identity.callers import facts_of, hashes_of, token_policy
from console.services.identity.grants import check_account, check_sites
from console.services.identity.users import SITES, clean_scope, load

NOT_FOUND = N_("Admin token not found")
NO_OVERLAP = N_("Token site scope does not overlap user site scope")


@dataclass(frozen=True)
class TokenView:
    """A token as pages and API show it; `expires_at` is the stored value, `effective_expires_at` what counts."""

    token_id: int
    user_id: int
    username: Annotated[str, Fact(N_("User"))]
    label: Annotated[str, Fact(N_("Token"), sort=True)]
    is_active: bool
    site_scope: Annotated[Scope, SITES]
    expires_at: Annotated[datetime | None, Fact(N_("Valid until"), sort=True, value=attrgetter("effective_expires_at"))]
    last_used_at: Annotated[datetime | None, Fact(N_("Last used"), sort=True)]
    created_at: Annotated[datetime, Fact(N_("Issued"), sort=True, shown=False)]
    rotate_due_at: Annotated[datetime, Fact(N_("Rotate by"), shown=False)]
    idle_due_at: datetime
    must_rotate: bool
    effective_expires_at: datetime | None
    expires_soon: bool
    is_live: Annotated[bool, INTERNAL]
    revoked_at: datetime | None
    revoked_reason: str | None
    disabled_at: datetime | None
    disabled_reason: str | None
    display_name: Annotated[str, INTERNAL]

    @property
    def state(self) -> Annotated[str, Fact(N_("State"))]:
        """Return the status word of a token as pages show it: live, expiring, expired or revoked."""
        if self.is_live:
            return "expiring" if self.expires_soon or self.must_rotate else "live"
        return "revoked" if self.revoked_at is not None else "expired"


@dataclass(frozen=True)
class IssuedToken:
    """A new token with its plain text, which exists only here."""

    token_id: int
    user_id: int
    label: str
    token: str
    site_scope: Scope
    expires_at: datetime | None
    created_at: datetime
    revoked_token_ids: tuple[int, ...] = ()
    replaced_token_id: int | None = None
    replaced_valid_until: datetime | None = None


def policy(ctx: Context) -> TokenPolicy:
    """Return the token policy; its values come from the environment."""
    ctx.actor.require(iam.ADMIN)
    return token_policy(ctx.config)


def list_own(ctx: Context) -> list[TokenView]:
    """Return the caller's own tokens that still work, newest first."""
    statement = tokens_with_users().where(Token.user_id == ctx.actor.user_id, Token.is_active)
    now = ctx.now()
    rows = ctx.session.execute(statement.order_by(Token.created_at.desc(), Token.id.desc()))
    return [found for token, user in rows if (found := view(ctx, token, user, now)).is_live]


def tokens_with_users() -> Select[Token, User]:
    """Return the SELECT of tokens beside their users, without order; for lists."""
    return select(Token, User).join(User, User.id == Token.user_id)


def view(ctx: Context, token: Token, user: User, now: datetime) -> TokenView:
    """Return what may be shown of a token at `now`; the hash stays behind."""
    rules = token_policy(ctx.config)
    facts = facts_of(token, user_is_active=user.is_active)
    due = tokens.dates(facts, rules, now)
    return view_of(
        TokenView,
        token,
        token_id=token.id,
        username=user.username,
        display_name=user.display_name or user.username,
        site_scope=scope.intersect(user.site_scope, token.site_scope),
        rotate_due_at=due.rotate_due_at,
        idle_due_at=due.idle_due_at,
        must_rotate=due.must_rotate,
        effective_expires_at=due.expires_at,
        expires_soon=due.expires_soon,
        is_live=tokens.judge(facts, rules, now) is None,
    )


def issue(
    ctx: Context,
    user_id: int,
    *,
    label: str = "default",
    expires_at: datetime | None = None,
    site_scope: Sequence[str] | None = None,
) -> IssuedToken:
    """Issue a token for a user; the checks come in the published order.

    Raises BadRequest for an expiry out of bounds, NotFound, PermissionDenied beyond the caller's own, Conflict for
    an inactive user or a scope that leaves nothing to see. Tokens above the quota are revoked and named.
    """
    ctx.actor.require(iam.ADMIN)
    now = ctx.now()
    expiry = _expiry(ctx, expires_at, now)
    user = load(ctx, user_id, lock=True)
    check_account(ctx, user)
    if not user.is_active:
        raise Conflict(N_("Inactive user cannot receive token"))
    stored_scope = None if site_scope is None else clean_scope(ctx, site_scope)
    effective = scope.intersect(user.site_scope, stored_scope)
    if not effective:
        raise Conflict(NO_OVERLAP)
    check_sites(ctx, effective)
    token, plain = add(ctx, user, label=label.strip() or "default", expires_at=expiry, site_scope=stored_scope, now=now)
    detail = {
        "user_id": user.id,
        "label": token.label,
        "site_scope": list(effective),
        "expires_at": expiry,
    }
    audit.record(ctx, "admin_token_issue", "admin_token", token.id, detail=detail)
    revoked = enforce_quota(ctx, user.id, token.id)
    return IssuedToken(token.id, user.id, token.label, plain, effective, expiry, token.created_at, revoked)


def add(
    ctx: Context,
    user: User,
    *,
    label: str,
    expires_at: datetime | None,
    site_scope: Scope | None,
    now: datetime,
    by_password: bool = False,
) -> tuple[Token, str]:
    """Store a new token of `user` and return it with its plain text. For services only: checks nothing."""
    plain = tokens.TOKEN_PREFIX + secrets.token_urlsafe(tokens.TOKEN_BYTES)
    token = Token(
        user_id=user.id,
        label=label,
        token_hash=hashes_of(ctx.config, plain.encode())[0],
        site_scope=site_scope,
        expires_at=expires_at,
        created_at=now,
        is_active=True,
        by_password=by_password,
    )
    ctx.session.add(token)
    ctx.session.flush()
    return token, plain


def rotate(ctx: Context, token_id: int) -> IssuedToken:
    """Replace a token by a new one with the same label and scope.

    The old one ends at once, or after the grace period of the settings. Raises NotFound, Conflict for a token or
    user that is no longer active or whose scope leaves nothing to see.
    """
    ctx.actor.require(iam.ADMIN)
    now, rules = ctx.now(), token_policy(ctx.config)
    old, user = _locked(ctx, token_id)
    check_account(ctx, user)
    if not old.is_active or old.revoked_at is not None:
        raise Conflict(N_("Admin token already inactive"))
    if not user.is_active:
        raise Conflict(N_("Inactive user cannot rotate token"))
    effective = scope.intersect(user.site_scope, old.site_scope)
    if not effective:
        raise Conflict(NO_OVERLAP)
    check_sites(ctx, effective)
    expiry = tokens.expiry_on_rotate(facts_of(old), rules, now)
    until = _grace_end(old, rules, now)
    values: dict[str, object] = {"revoked_at": now, "revoked_reason": "rotated"}
    values |= {"is_active": False} if until is None else {"expires_at": until}
    changed = ctx.session.execute(
        update(Token)
        .where(Token.id == old.id, Token.is_active, Token.revoked_at.is_(None))
        .values(**values)
        .returning(Token.id)
    ).first()
    if changed is None:
        raise Conflict(N_("Admin token already inactive"))
    token, plain = add(
        ctx,
        user,
        label=old.label,
        expires_at=expiry,
        site_scope=old.site_scope,
        now=now,
        by_password=old.by_password,
    )
    detail = {
        "old_token_id": old.id,
        "new_token_id": token.id,
        "user_id": user.id,
        "label": token.label,
        "site_scope": list(effective),
        "expires_at": expiry,
    }
    audit.record(ctx, "admin_token_rotate", "admin_token", old.id, detail=detail)
    return IssuedToken(token.id, user.id, token.label, plain, effective, expiry, token.created_at, (), old.id, until)


def revoke(ctx: Context, token_id: int) -> TokenView:
    """Revoke a token; doing it again changes nothing. Raises NotFound, Conflict for one of the caller's own."""
    ctx.actor.require(iam.ADMIN)
    token, user = _locked(ctx, token_id)
    if ctx.actor.user_id == token.user_id:
        raise Conflict(N_("Cannot revoke token of current admin user"))
    check_account(ctx, user)
    _end(ctx, token, user)
    return view(ctx, token, user, ctx.now())


def revoke_own(ctx: Context, token_id: int) -> TokenView:
    """Revoke a token of the caller's own user; raises NotFound for any other."""
    token, user = _locked(ctx, token_id)
    if ctx.actor.user_id is None or token.user_id != ctx.actor.user_id:
        raise NotFound(NOT_FOUND)
    _end(ctx, token, user)
    return view(ctx, token, user, ctx.now())


def enforce_quota(ctx: Context, user_id: int, new_token_id: int) -> tuple[int, ...]:
    """Revoke the least recently used tokens above the quota, the new one kept; return their ids."""
    rules = token_policy(ctx.config)
    others = ctx.session.scalars(
        select(Token).where(Token.user_id == user_id, Token.is_active, Token.id != new_token_id)
    )
    now = ctx.now()
    surplus = tokens.over_quota([(token.id, facts_of(token)) for token in others], rules, now)
    if not surplus:
        return ()
    ctx.session.execute(
        update(Token).where(Token.id.in_(surplus)).values(is_active=False, revoked_at=now, revoked_reason="quota")
    )
    detail = {
        "user_id": user_id,
        "max_active_per_user": rules.max_active_per_user,
        "revoked_token_ids": list(surplus),
    }
    ids = ",".join(str(token_id) for token_id in surplus)
    audit.record(ctx, "admin_token_auto_revoke_quota", "admin_token", ids, detail=detail)
    return surplus


def _expiry(ctx: Context, wanted: datetime | None, now: datetime) -> datetime | None:
    rules = token_policy(ctx.config)
    try:
        return tokens.expiry_on_issue(wanted, rules, now)
    except tokens.ExpiryNotInFuture as error:
        raise BadRequest(N_("Token expiry must be in the future")) from error
    except tokens.ExpiryTooFar as error:
        raise BadRequest(T("Token expiry exceeds max TTL (%(days)s days)", days=rules.max_ttl_days)) from error


def _grace_end(old: Token, rules: TokenPolicy, now: datetime) -> datetime | None:
    if not rules.rotate_grace_seconds:
        return None
    end = now + timedelta(seconds=rules.rotate_grace_seconds)
    expiry = tokens.effective_expiry(facts_of(old), rules)
    return end if expiry is None else min(end, expiry)


def _locked(ctx: Context, token_id: int) -> tuple[Token, User]:
    statement = tokens_with_users().where(Token.id == token_id).with_for_update(of=Token)
    row = ctx.session.execute(statement.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFound(NOT_FOUND)
    return row[0], row[1]


def _end(ctx: Context, token: Token, user: User) -> None:
    if not token.is_active:
        return
    token.is_active = False
    token.revoked_at = ctx.now()
    token.revoked_reason = "revoked"
    ctx.session.flush()
    detail = {"user_id": user.id, "label": token.label}
    audit.record(ctx, "admin_token_revoke", "admin_token", token.id, detail=detail)
