"""Browser sessions of people: sign in, sign out, list, end, change of password (API contract, 23-B1 and B2)."""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Actor, Context
from console.core.records import view_of
from console.domain.errors import Conflict, Invalid, NotFound, Unauthorized
from console.domain.identity import accounts
from console.domain.text import T
from console.models.identity import Token, User, WebSession
from console.services.audit import record as audit
from console.services.identity import passwords
from console.services.identity.callers import session_hash, session_policy
from console.services.identity.grants import locked
from console.services.identity.users import UserView, end_sessions, end_tokens, make_password, view

BAD_CREDENTIALS = "Invalid username or password"
WRONG_PASSWORD = "wrong_password"
LANGUAGES = ("ko", "en")
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Verdict:
    """Whether user name and password belong together; the reason of a failure is for the audit trail only."""

    user_id: int | None
    username: str
    reason: str = ""
    must_change_password: bool = False
    password_updated_at: datetime | None = None
    second_factor: bool = False
    has_app: bool = False
    has_passkey: bool = False
    role: str = ""
    version: int = 0


@dataclass(frozen=True)
class OpenedSession:
    """A new browser session; `cookie` exists only here and in the browser."""

    session_id: int
    user_id: int
    cookie: str
    must_change_password: bool
    language: str | None
    theme: str | None


@dataclass(frozen=True)
class SessionView:
    """A browser session as its owner sees it."""

    id: int
    created_at: datetime
    last_seen_at: datetime
    ends_at: datetime
    ip: str
    user_agent: str
    is_current: bool


def check(ctx: Context, username: str, password: str) -> Verdict:
    """Compare user name and password; reads only, and takes as long for a name that does not exist."""
    user = _signing_in(ctx, username)
    usable = user is not None and user.is_active
    accepted = passwords.matches(ctx.config, user.password_hash if user is not None and usable else None, password)
    if user is None:
        return Verdict(None, username, "unknown_user")
    if not user.is_active:
        return Verdict(None, username, "inactive_user")
    if not accepted:
        return Verdict(None, username, "no_password" if user.password_hash is None else WRONG_PASSWORD)
    return _verdict(user)


def recall(ctx: Context, user_id: int, version: int) -> Verdict | None:
    """Return the verdict on somebody whose password was right a moment ago; None once the account has changed."""
    user = ctx.session.scalar(select(User).where(User.id == user_id, User.is_active, User.version == version))
    return _verdict(user) if user is not None else None


def _verdict(user: User) -> Verdict:
    return Verdict(
        user.id,
        user.username,
        "",
        user.must_change_password,
        user.password_updated_at,
        second_factor=user.has_second_factor,
        has_app=user.second_factor_since is not None,
        has_passkey=user.passkeys_since is not None,
        role=user.role,
        version=user.version,
    )


def _signing_in(ctx: Context, username: str) -> User | None:
    # Names of older releases may be stored decomposed, as some systems type Hangul.
    apart = unicodedata.normalize("NFD", username)
    found = list(ctx.session.scalars(select(User).where(User.username.in_((username, apart)))))
    return next((user for user in found if user.username == username), next(iter(found), None))


def still_right(ctx: Context, verdict: Verdict) -> User:
    """Return the account of somebody whose password was right, locked; comparing it took a while.

    Raises Unauthorized when the account was switched off, its password set anew, or a second factor added meanwhile.
    """
    user = ctx.session.scalar(locked(select(User).where(User.id == verdict.user_id, User.is_active)))
    same = user is not None and user.password_updated_at == verdict.password_updated_at
    if user is None or not same or (user.has_second_factor and not verdict.second_factor):
        raise Unauthorized(BAD_CREDENTIALS, code="invalid_credentials")
    return user


def note_failure(ctx: Context, verdict: Verdict, *, ip: str) -> None:
    """Put a failed sign-in on record; what was typed as a name may be a password and is kept only if it is a user."""
    known = verdict.reason != "unknown_user"
    detail: dict[str, Any] = {"username": verdict.username if known else "", "reason": verdict.reason, "ip": ip}
    audit.record_denied(ctx, "auth_login_failed", "admin_user", verdict.username if known else "unknown", detail=detail)


def open_session(
    ctx: Context, verdict: Verdict, password: str | None, *, ip: str, user_agent: str, previous: str | None = None
) -> OpenedSession:
    """Start a browser session for somebody whose password was right; the one they came with ends.

    With `password` an outdated hash is renewed; after a second step it is not at hand any more.

    Raises what `still_right` raises.
    """
    now = ctx.now()
    user = still_right(ctx, verdict)
    if previous:
        end_sessions(ctx, WebSession.token_hash == session_hash(previous), "replaced")
    if password is not None and user.password_hash and passwords.is_outdated(ctx.config, user.password_hash):
        user.password_hash = passwords.make_hash(ctx.config, password)
    user.last_sign_in_at = now
    cookie = secrets.token_urlsafe(32)
    web = WebSession(
        token_hash=session_hash(cookie),
        user_id=user.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + session_policy(ctx.config).absolute,
        ip=ip[:64],
        user_agent=printable(user_agent)[:300],
    )
    ctx.session.add(web)
    ctx.session.flush()
    as_user = Context(ctx.session, ctx.clock, _named(user), ctx.config, ctx.request_id)
    detail = {"username": user.username, "session_id": web.id, "ip": ip}
    audit.record(as_user, "auth_login_success", "web_session", web.id, detail=detail)
    return OpenedSession(web.id, user.id, cookie, user.must_change_password, user.language, user.theme)


def list_own(ctx: Context) -> list[SessionView]:
    """Return the caller's sessions that are still open, the newest use first."""
    policy, now = session_policy(ctx.config), ctx.now()
    rows = ctx.session.scalars(
        select(WebSession)
        .where(
            WebSession.user_id == ctx.actor.user_id,
            WebSession.revoked_at.is_(None),
            WebSession.expires_at > now,
            WebSession.created_at > now - policy.absolute,
            WebSession.last_seen_at > now - policy.idle,
        )
        .order_by(WebSession.last_seen_at.desc(), WebSession.id.desc())
    )
    return [
        view_of(
            SessionView,
            row,
            ends_at=min(row.expires_at, row.created_at + policy.absolute, row.last_seen_at + policy.idle),
            is_current=row.id == ctx.actor.session_id,
        )
        for row in rows
    ]


def sign_out(ctx: Context) -> None:
    """End the session that carries this request; nothing happens without one."""
    if ctx.actor.session_id is not None and end_sessions(ctx, WebSession.id == ctx.actor.session_id, "signed_out"):
        audit.record(ctx, "auth_logout", "web_session", ctx.actor.session_id, detail={"reason": "signed_out"})


def end_own(ctx: Context, session_id: int) -> None:
    """End one of the caller's sessions; raises NotFound for any other."""
    mine = (WebSession.id == session_id) & (WebSession.user_id == ctx.actor.user_id)
    if ctx.actor.user_id is None or not end_sessions(ctx, mine, "ended_by_owner"):
        raise NotFound(T("This session does not exist or has ended already"))
    audit.record(ctx, "auth_logout", "web_session", session_id, detail={"reason": "ended_by_owner"})


def end_all_own(ctx: Context, *, keep_current: bool) -> int:
    """Sign the caller out everywhere (or everywhere else); return how many sessions ended.

    Tokens that were got by password are sign-ins too, and end with them.
    """
    mine = WebSession.user_id == ctx.actor.user_id
    if keep_current and ctx.actor.session_id is not None:
        mine &= WebSession.id != ctx.actor.session_id
    ended = end_sessions(ctx, mine, "signed_out_everywhere")
    got = (Token.user_id == ctx.actor.user_id) & Token.by_password
    if keep_current and ctx.actor.token_id is not None:
        got &= Token.id != ctx.actor.token_id
    tokens_ended = end_tokens(ctx, got, "signed_out_everywhere")
    detail = {
        "reason": "signed_out_everywhere",
        "ended": ended,
        "tokens_ended": tokens_ended,
        "kept_current": keep_current,
    }
    audit.record(ctx, "auth_logout_all", "admin_user", ctx.actor.user_id, detail=detail)
    return ended


def change_password(ctx: Context, *, current: str, new: str, end_all_tokens: bool = False) -> None:
    """Change the caller's own password; end their other sessions and the tokens that the old one got.

    With `end_all_tokens` those that an administrator issued end as well; the caller's own credential stays. Raises
    Invalid when the current one is wrong or the new one is weak or the same, Conflict for a principal without an
    account.
    """
    user = _own(ctx, lock=True)
    if not passwords.matches(ctx.config, user.password_hash, accounts.normalise_password(current)):
        raise Invalid(T("The current password is wrong"), code=WRONG_PASSWORD)
    if accounts.normalise_password(new) == accounts.normalise_password(current):
        raise Invalid(T("The new password must differ from the old one"), code="weak_password")
    user.password_hash = make_password(ctx, user.username, new)
    user.password_updated_at = user.updated_at = ctx.now()
    user.must_change_password = False
    user.version += 1
    others = (WebSession.user_id == user.id) & (WebSession.id != (ctx.actor.session_id or 0))
    ended = end_sessions(ctx, others, "password_changed")
    got = (Token.user_id == user.id) & (Token.id != (ctx.actor.token_id or 0))
    if not end_all_tokens:
        got &= Token.by_password
    tokens_ended = end_tokens(ctx, got, "password_changed")
    detail = {"username": user.username, "sessions_ended": ended, "tokens_ended": tokens_ended}
    audit.record(ctx, "auth_password_change", "admin_user", user.id, detail=detail)


def update_profile(
    ctx: Context, *, display_name: str | None = None, language: str | None = None, theme: str | None = None
) -> UserView:
    """Change the caller's own display name, language ("ko", "en") and theme ("light", "dark"); "" means automatic.

    None leaves a value as it is. Raises Invalid for another word, Conflict for a principal without an account.
    """
    user = _own(ctx, lock=True)
    if language not in (None, "", *LANGUAGES):
        raise Invalid.field("language", "is not one of ko, en")
    if theme not in (None, "", *THEMES):
        raise Invalid.field("theme", "is not one of light, dark")
    if display_name is not None:
        name = accounts.display_name_or(user.username, display_name)[: accounts.DISPLAY_NAME_MAX]
        if name != user.display_name:
            detail = {"username": user.username, "changes": {"display_name": {"old": user.display_name, "new": name}}}
            audit.record(ctx, "auth_profile_update", "admin_user", user.id, detail=detail)
            user.display_name = name
    if language is not None:
        user.language = language or None
    if theme is not None:
        user.theme = theme or None
    user.updated_at = ctx.now()
    user.version += 1
    ctx.session.flush()
    return view(user)


def own_profile(ctx: Context) -> UserView:
    """Return the caller's own account; raises Conflict for a principal without one."""
    return view(_own(ctx))


def printable(text: str) -> str:
    """Return text from outside without control characters."""
    return "".join(character for character in text if character.isprintable())


def _own(ctx: Context, *, lock: bool = False) -> User:
    statement = select(User).where(User.id == ctx.actor.user_id)
    user = ctx.session.scalar(locked(statement) if lock else statement)
    if user is None:
        raise Conflict(T("This sign-in has no account of its own"), code="no_account")
    return user


def _named(user: User) -> Actor:
    return Actor("session", user.username, user.display_name, user.role, user_id=user.id)
