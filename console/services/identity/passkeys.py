"""Passkeys of people: made and taken away under the own account, asked for at each sign-in beside the password."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from console.adapters import passkeys as library
from console.adapters.passkeys import Answer
from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.identity import passkeys as rules
from console.domain.identity.passkeys import Place
from console.domain.text import T
from console.models.identity import Passkey, PasskeyChallenge, User
from console.services.audit import record as audit
from console.services.identity import second_factor
from console.services.identity.grants import locked

# Why an answer proves nothing: not signed as it should be, by no passkey of this person, by a copied device.
WRONG, UNKNOWN, COUNTER = "passkey_wrong", "passkey_unknown", "passkey_counter"
_CHALLENGE_BYTES = 32


@dataclass(frozen=True)
class PasskeyView:
    """A passkey as its owner sees it."""

    id: int
    name: str
    host: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Taken:
    """An answer whose challenge was ours, for this person and purpose, and is used up now; nothing else is proven."""

    answer: Answer
    name: str


def list_own(ctx: Context) -> list[PasskeyView]:
    """Return the caller's passkeys, the oldest first."""
    rows = ctx.session.scalars(select(Passkey).where(Passkey.user_id == ctx.actor.user_id).order_by(Passkey.id))
    return [view_of(PasskeyView, row) for row in rows]


def own(ctx: Context, passkey_id: int) -> PasskeyView:
    """Return one of the caller's passkeys; raises NotFound for any other."""
    return view_of(PasskeyView, _own(ctx, passkey_id))


def begin(ctx: Context, place: Place, *, name: str, password: str) -> str:
    """Return the question with which the caller's browser makes a passkey, as JSON.

    Raises Invalid for a wrong password (a browser left open is not enough), Conflict when there are enough of them.
    """
    user = second_factor.own_account(ctx)
    second_factor.check_password(ctx, user, password)
    known = _known(ctx, user.id)
    _check_number(len(known))
    if user.passkey_handle is None:
        user.passkey_handle = secrets.token_hex(32)
    return library.creation_question(
        place,
        product=second_factor.ISSUER,
        handle=user.passkey_handle,
        username=user.username,
        challenge=_challenge(ctx, user.id, rules.ADD, name=name),
        known=[library.Known(row.credential_id, row.transports) for row in known],
    )


def add(ctx: Context, place: Place, taken: Taken | None) -> tuple[str, ...]:
    """Keep the passkey that the caller's browser made; return recovery codes if it is the first second factor.

    Then sessions and tokens that the password alone got end. Raises Invalid for an answer that proves nothing, Conflict
    for a passkey that exists and when there are enough of them.
    """
    user = second_factor.own_account(ctx)
    made = library.made(taken.answer, place, challenge=taken.answer.challenge) if taken is not None else None
    if taken is None or made is None:
        raise Invalid(T("The passkey could not be taken over. Please begin again."), code=WRONG)
    _check_number(len(_known(ctx, user.id)))
    passkey = Passkey(
        user_id=user.id,
        name=taken.name,
        host=place.host,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        transports=made.transports,
        created_at=ctx.now(),
        last_used_at=None,
    )
    try:
        with ctx.session.begin_nested():
            ctx.session.add(passkey)
    except IntegrityError as error:
        raise Conflict(T("This passkey is in use already"), code="passkey_known") from error
    first = not user.has_second_factor
    user.passkeys_since = user.passkeys_since or ctx.now()
    codes = second_factor.issue_codes(ctx, user) if first else ()
    second_factor.changed(ctx, user)
    ended = second_factor.end_weaker(ctx, user) if first else {"username": user.username}
    detail = {**ended, "passkey_id": passkey.id, "name": passkey.name, "host": passkey.host}
    audit.record(ctx, "auth_passkey_add", "admin_user", user.id, detail=detail)
    return codes


def rename(ctx: Context, passkey_id: int, *, name: str) -> None:
    """Give one of the caller's passkeys another name; raises NotFound for any other."""
    second_factor.own_account(ctx)
    passkey = _own(ctx, passkey_id)
    if passkey.name == name:
        return
    changes = {"name": {"old": passkey.name, "new": name}}
    passkey.name = name
    ctx.session.flush()
    detail = {"username": ctx.actor.username, "passkey_id": passkey_id, "changes": changes}
    audit.record(ctx, "auth_passkey_rename", "admin_user", ctx.actor.user_id, detail=detail)


def remove(ctx: Context, place: Place | None, passkey_id: int, *, code: str = "", taken: Taken | None = None) -> None:
    """Take one of the caller's passkeys away, for a code or for the answer of a passkey.

    Raises Invalid when neither proves who they are, NotFound for somebody else's passkey, Conflict for the last second
    factor of somebody whose role demands one.
    """
    user, passkey, last = _removable(ctx, passkey_id)
    _prove(ctx, place, user, code, taken)
    ctx.session.delete(passkey)
    if last:
        user.passkeys_since = None
    second_factor.forget_codes(ctx, user)
    second_factor.changed(ctx, user)
    detail = {
        "username": user.username,
        "passkey_id": passkey_id,
        "name": passkey.name,
        "host": passkey.host,
        "second_factor_left": user.has_second_factor,
    }
    audit.record(ctx, "auth_passkey_remove", "admin_user", user.id, detail=detail)


def renew_codes(ctx: Context, place: Place | None, *, code: str = "", taken: Taken | None = None) -> tuple[str, ...]:
    """Give the caller new recovery codes, for a code or for the answer of a passkey; those of earlier count no longer.

    Raises Invalid when neither proves who they are, Conflict for who has no second factor.
    """
    user = second_factor.own_account(ctx)
    if not user.has_second_factor:
        raise Conflict(T("The second factor is not switched on"), code="second_factor_off")
    _prove(ctx, place, user, code, taken)
    codes = second_factor.issue_codes(ctx, user)
    audit.record(ctx, "auth_recovery_codes_renew", "admin_user", user.id, detail={"username": user.username})
    return codes


def ask_removal(ctx: Context, place: Place | None, passkey_id: int) -> tuple[PasskeyView, str | None]:
    """Return one of the caller's passkeys that may go, and what their browser may have signed for that.

    Raises NotFound and Conflict as `remove` does.
    """
    user, passkey, _last = _removable(ctx, passkey_id)
    return view_of(PasskeyView, passkey), question(ctx, place, user.id, rules.CHANGE)


def question(ctx: Context, place: Place | None, user_id: int, purpose: str) -> str | None:
    """Return what a person's browser is to have signed, as JSON; None when no passkey of theirs works here."""
    known = [row for row in _known(ctx, user_id) if place is not None and row.host == place.host]
    if place is None or not known:
        return None
    return library.request_question(
        place,
        challenge=_challenge(ctx, user_id, purpose),
        known=[library.Known(row.credential_id, row.transports) for row in known],
    )


def use(ctx: Context, place: Place | None, user_id: int, text: str, *, ip: str) -> bool:
    """Return whether an answer at a sign-in proves who somebody is; what was tried stands in the audit trail."""
    user = ctx.session.scalar(locked(select(User).where(User.id == user_id, User.is_active)))
    taken = take(ctx, user_id, text, rules.SIGN_IN)
    reason = _not_proven(ctx, place, user, taken) if user is not None and taken is not None else WRONG
    if reason:
        username = user.username if user is not None else ""
        second_factor.note_failure(ctx, user_id, username, reason=reason, ip=ip)
    return not reason


def take(ctx: Context, user_id: int | None, text: str, purpose: str) -> Taken | None:
    """Use up the challenge that an answer names; None when it is none of this person's for this purpose, or too old.

    The DELETE is the proof: of two answers at the same moment one gets the challenge.
    """
    answer = library.read(text)
    if answer is None:
        return None
    name = ctx.session.scalar(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge == answer.challenge,
            PasskeyChallenge.user_id == user_id,
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.expires_at > ctx.now(),
        )
        .returning(PasskeyChallenge.name)
    )
    return Taken(answer, name) if name is not None else None


def not_accepted(reason: str) -> Invalid:
    """Return the refusal of an answer that does not prove who somebody is."""
    return Invalid(T("The passkey was not accepted"), code=reason)


def _prove(ctx: Context, place: Place | None, user: User, code: str, taken: Taken | None) -> None:
    """Raise Invalid unless the answer of a passkey, or else the code, proves who somebody is."""
    if taken is None and not second_factor.spend(ctx, user, code):
        raise Invalid(T("The code is wrong"), code=second_factor.WRONG_CODE)
    reason = _not_proven(ctx, place, user, taken) if taken is not None else ""
    if reason:
        raise not_accepted(reason)


def _not_proven(ctx: Context, place: Place | None, user: User, taken: Taken) -> str:
    """Return why an answer does not prove that it comes from this person, empty when it does."""
    mine = (Passkey.user_id == user.id) & (Passkey.credential_id == taken.answer.credential_id)
    passkey = ctx.session.scalar(select(Passkey).where(mine))
    if passkey is None or place is None or passkey.host != place.host:
        return UNKNOWN
    count = library.signed(
        taken.answer,
        place,
        challenge=taken.answer.challenge,
        handle=user.passkey_handle or "",
        public_key=passkey.public_key,
    )
    if count is None:
        return WRONG
    # A counter that does not go on tells of a copied device. Devices that share a passkey do not count: all zeros.
    goes_on = Passkey.sign_count < count if count else Passkey.sign_count == 0
    used = update(Passkey).where(Passkey.id == passkey.id, goes_on).values(sign_count=count, last_used_at=ctx.now())
    if ctx.session.scalar(used.returning(Passkey.id)) is None:
        return COUNTER
    detail = {"username": user.username, "passkey_id": passkey.id, "name": passkey.name}
    audit.record(ctx, "auth_passkey_use", "admin_user", user.id, detail=detail)
    return ""


def _challenge(ctx: Context, user_id: int, purpose: str, *, name: str = "") -> str:
    """Return a new challenge; those that nobody came back for go."""
    now = ctx.now()
    ctx.session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
    made = PasskeyChallenge(
        challenge=secrets.token_urlsafe(_CHALLENGE_BYTES),
        user_id=user_id,
        purpose=purpose,
        name=name,
        expires_at=now + timedelta(seconds=rules.CHALLENGE_SECONDS),
    )
    ctx.session.add(made)
    ctx.session.flush()
    return made.challenge


def _known(ctx: Context, user_id: int) -> list[Passkey]:
    return list(ctx.session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id)))


def _own(ctx: Context, passkey_id: int) -> Passkey:
    mine = (Passkey.id == passkey_id) & (Passkey.user_id == ctx.actor.user_id)
    passkey = ctx.session.scalar(select(Passkey).where(mine))
    if passkey is None:
        raise NotFound(T("This passkey does not exist"))
    return passkey


def _removable(ctx: Context, passkey_id: int) -> tuple[User, Passkey, bool]:
    """Return the caller, one of their passkeys, and whether it is their last; raises Conflict when it has to stay."""
    user = second_factor.own_account(ctx)
    passkey = _own(ctx, passkey_id)
    last = len(_known(ctx, user.id)) == 1
    if last and user.second_factor_since is None:
        second_factor.check_not_required(ctx, user)
    return user, passkey, last


def _check_number(number: int) -> None:
    if number >= rules.MOST:
        raise Conflict(T("At most %(most)s passkeys for one person", most=rules.MOST), code="passkeys_full")
