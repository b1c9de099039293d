"""The second factor of people: switched on by themselves, asked for at each sign-in, taken away by the command line."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from console.core.context import Context
from console.core.secret_key import secret_key
from console.domain.errors import Conflict, Invalid
from console.domain.identity import iam
from console.domain.identity import second_factor as rules
from console.domain.identity.accounts import normalise_password
from console.domain.text import T
from console.models.identity import Passkey, PasskeyChallenge, RecoveryCode, Token, User, WebSession
from console.services.audit import record as audit
from console.services.identity import passwords
from console.services.identity.callers import hashes_of
from console.services.identity.grants import locked
from console.services.identity.sessions import WRONG_PASSWORD
from console.services.identity.users import end_sessions, end_tokens, load

WRONG_CODE = "second_factor_wrong"
ISSUER = "KA Facility OS"


@dataclass(frozen=True)
class SecondFactorView:
    """How the caller's second factor stands; secret and address are there only until the app is switched on.

    `since` is about the app; passkeys are listed by `services.identity.passkeys`.
    """

    since: datetime | None
    passkeys_since: datetime | None
    codes_left: int
    secret: str | None
    address: str | None
    is_required: bool


def own(ctx: Context) -> SecondFactorView | None:
    """Return the caller's second factor; None for who has no password, beside which it would stand."""
    user = ctx.session.scalar(select(User).where(User.id == ctx.actor.user_id))
    if user is None or user.password_hash is None:
        return None
    waiting = user.second_factor_seed is not None and user.second_factor_since is None
    secret = _secret(ctx, user) if waiting else None
    address = rules.address_of(secret, username=user.username, issuer=ISSUER) if secret else None
    left = select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    return SecondFactorView(
        since=user.second_factor_since,
        passkeys_since=user.passkeys_since,
        codes_left=ctx.session.scalar(left) or 0,
        secret=secret,
        address=address,
        is_required=is_required(ctx, user) and user.passkeys_since is None,
    )


def begin(ctx: Context, *, password: str) -> None:
    """Make a new secret for the caller, which counts once a code of it was confirmed.

    Raises Invalid for a wrong password (a browser left open is not enough), Conflict when it is switched on already.
    """
    user = own_account(ctx)
    if user.second_factor_since is not None:
        raise Conflict(T("The second factor is switched on already"), code="second_factor_on")
    check_password(ctx, user, password)
    user.second_factor_seed = secrets.token_hex(32)
    user.second_factor_last_step = 0
    ctx.session.flush()


def confirm(ctx: Context, *, code: str) -> tuple[str, ...]:
    """Switch the caller's second factor on and return the recovery codes, which are shown this once.

    The other sessions and the tokens that the password alone got end. Raises Invalid for a wrong code, Conflict when
    nothing waits to be confirmed.
    """
    user = own_account(ctx)
    if user.second_factor_seed is None or user.second_factor_since is not None:
        raise Conflict(T("There is no second factor to confirm"), code="second_factor_not_begun")
    step = rules.matching_step(
        _secret(ctx, user), rules.typed(code), now=ctx.now(), last_step=user.second_factor_last_step
    )
    if step is None:
        raise Invalid(T("The code is wrong"), code=WRONG_CODE)
    user.second_factor_since, user.second_factor_last_step = ctx.now(), step
    codes = issue_codes(ctx, user)
    changed(ctx, user)
    audit.record(ctx, "auth_second_factor_on", "admin_user", user.id, detail=end_weaker(ctx, user))
    return codes


def issue_codes(ctx: Context, user: User) -> tuple[str, ...]:
    """Give a person new recovery codes; those of earlier no longer count."""
    codes = tuple(passwords.one_time_password() for _ in range(rules.RECOVERY_CODES))
    ctx.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    ctx.session.add_all(RecoveryCode(user_id=user.id, code_hash=_hashes(ctx, code)[0]) for code in codes)
    return codes


def end_weaker(ctx: Context, user: User) -> dict[str, Any]:
    """End what the password alone opened, apart from what the caller uses; return what the trail tells of it."""
    others = (WebSession.user_id == user.id) & (WebSession.id != (ctx.actor.session_id or 0))
    ended = end_sessions(ctx, others, "second_factor_on")
    got = (Token.user_id == user.id) & Token.by_password & (Token.id != (ctx.actor.token_id or 0))
    tokens_ended = end_tokens(ctx, got, "second_factor_on")
    return {"username": user.username, "sessions_ended": ended, "tokens_ended": tokens_ended}


def switch_off(ctx: Context, *, code: str) -> None:
    """Switch the caller's app off; takes a code of it or a recovery code. Passkeys, where there are any, stay.

    Raises Invalid for a wrong code, Conflict when it is not on, or the role demands it and there is no passkey.
    """
    user = own_account(ctx)
    if user.second_factor_since is None:
        raise Conflict(T("The second factor is not switched on"), code="second_factor_off")
    if user.passkeys_since is None:
        check_not_required(ctx, user)
    if not spend(ctx, user, code):
        raise Invalid(T("The code is wrong"), code=WRONG_CODE)
    _forget_app(ctx, user)
    audit.record(ctx, "auth_second_factor_off", "admin_user", user.id, detail={"username": user.username})


def use(ctx: Context, user_id: int, code: str, *, ip: str) -> bool:
    """Spend a code at a sign-in and return whether it was right; what was tried stands in the audit trail."""
    user = ctx.session.scalar(locked(select(User).where(User.id == user_id, User.is_active)))
    if user is not None and user.has_second_factor and spend(ctx, user, code):
        return True
    note_failure(ctx, user_id, user.username if user is not None else "", reason=WRONG_CODE, ip=ip)
    return False


def note_failure(ctx: Context, user_id: int | None, username: str, *, reason: str, ip: str) -> None:
    """Put on record that a code or a passkey did not prove who somebody is, and why."""
    detail = {"username": username, "reason": reason, "ip": ip}
    audit.record(ctx, "auth_second_factor_failed", "admin_user", user_id, status="denied", detail=detail)


def reset(ctx: Context, user_id: int) -> bool:
    """Take somebody's app and passkeys away, for whoever runs the machine; return whether there was a second factor.

    Raises PermissionDenied without `admins:manage`, NotFound for an unknown user.
    """
    ctx.actor.require(iam.ADMIN)
    user = load(ctx, user_id, lock=True)
    had = user.has_second_factor
    ctx.session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.user_id == user.id))
    gone = ctx.session.scalars(delete(Passkey).where(Passkey.user_id == user.id).returning(Passkey.name)).all()
    user.passkeys_since = None
    _forget_app(ctx, user)
    detail = {"username": user.username, "was_on": had, "passkeys": sorted(gone)}
    audit.record(ctx, "admin_user_second_factor_reset", "admin_user", user.id, detail=detail)
    return had


def spend(ctx: Context, user: User, code: str) -> bool:
    """Use a code up: the condition stands in the UPDATE, so two sign-ins at the same moment cannot share one."""
    text = rules.typed(code)
    if rules.is_app_code(text):
        if user.second_factor_since is None:
            return False
        step = rules.matching_step(_secret(ctx, user), text, now=ctx.now(), last_step=user.second_factor_last_step)
        if step is None:
            return False
        unspent = (User.id == user.id) & (User.second_factor_last_step < step)
        spent = update(User).where(unspent).values(second_factor_last_step=step)
        return ctx.session.scalar(spent.returning(User.id)) is not None
    found = ctx.session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash.in_(_hashes(ctx, code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=ctx.now())
        .returning(RecoveryCode.id)
    )
    if found is None:
        return False
    left = select(func.count()).where(RecoveryCode.user_id == user.id, RecoveryCode.used_at.is_(None))
    detail = {"username": user.username, "codes_left": ctx.session.scalar(left) or 0}
    audit.record(ctx, "auth_recovery_code_used", "admin_user", user.id, status="warning", detail=detail)
    return True


def forget_codes(ctx: Context, user: User) -> None:
    """Take the recovery codes of a person away once they have nothing left for which these could stand in."""
    if not user.has_second_factor:
        ctx.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))


def check_not_required(ctx: Context, user: User) -> None:
    """Raise Conflict when the role demands a second factor: the last one cannot be taken away then."""
    if is_required(ctx, user):
        raise Conflict(T("Owners need the second factor here"), code="second_factor_required")


def is_required(ctx: Context, user: User) -> bool:
    """Return whether the role of this person demands a second factor."""
    needed: bool = ctx.config["OWNER_SECOND_FACTOR_REQUIRED"]
    return rules.must_set_up(user.role, has_second_factor=False, owners_need_it=needed)


def changed(ctx: Context, user: User) -> None:
    """Note that the account has changed: whoever is between password and second factor begins again."""
    user.updated_at = ctx.now()
    user.version += 1
    ctx.session.flush()


def own_account(ctx: Context) -> User:
    """Return the caller's account, locked; raises Conflict for who has none, or no password."""
    user = ctx.session.scalar(locked(select(User).where(User.id == ctx.actor.user_id)))
    if user is None or user.password_hash is None:
        raise Conflict(T("This sign-in has no account of its own"), code="no_account")
    return user


def check_password(ctx: Context, user: User, password: str) -> None:
    """Raise Invalid for a wrong password: a browser left open is not enough."""
    if not passwords.matches(ctx.config, user.password_hash, normalise_password(password)):
        raise Invalid(T("The password is wrong"), code=WRONG_PASSWORD)


def _forget_app(ctx: Context, user: User) -> None:
    user.second_factor_seed = user.second_factor_since = None
    user.second_factor_last_step = 0
    forget_codes(ctx, user)
    changed(ctx, user)


def _hashes(ctx: Context, code: str) -> tuple[str, ...]:
    return hashes_of(ctx.config, b"recovery:" + rules.typed(code).encode())


def _secret(ctx: Context, user: User) -> str:
    return rules.secret_of(user.second_factor_seed or "", secret_key(ctx.config))
