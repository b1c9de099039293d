"""The steps with a passkey that several doors share: under which address, what a browser is asked, what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import request

from console.blueprints.identity import sign_in as steps
from console.domain.errors import Conflict
from console.domain.identity import passkeys as rules
from console.domain.identity.passkeys import Place
from console.domain.text import T
from console.services.identity import passkeys
from console.services.identity.passkeys import PasskeyView, Taken
from console.services.identity.sessions import Verdict
from console.web.credentials import address, own_transaction
from console.web.request import app_config, current_actor, web_context


def place() -> Place | None:
    """Return where passkeys are made and used: PUBLIC_URL, without it the address that was asked for."""
    return rules.place_of(app_config()["PUBLIC_URL"] or request.host_url)


def question_at_the_door(verdict: Verdict) -> str | None:
    """Return what the browser of somebody whose password was right is to have signed; None without a passkey."""
    if verdict.user_id is None or not verdict.has_passkey:
        return None
    with own_transaction(write=True) as ctx:
        return passkeys.question(ctx, place(), verdict.user_id, rules.SIGN_IN)


def check(verdict: Verdict, answer: str) -> bool:
    """Return whether an answer at the door proves who it is; the challenge is used up whatever becomes of it.

    Raises WaitPlease when this account or address failed too often.
    """
    where = place()
    return steps.check_factor(verdict, lambda ctx, user_id: passkeys.use(ctx, where, user_id, answer, ip=address()))


def begin(name: str, password: str) -> str:
    """Return the question with which the caller's browser makes a passkey; guessing the password is throttled.

    Raises WaitPlease, Invalid for a wrong password, Conflict when there are enough or this address knows none.
    """
    where = _place_here()
    with steps.throttled():
        return passkeys.begin(web_context(), where, name=name, password=password)


def add(answer: str) -> tuple[str, ...]:
    """Keep the passkey that the caller's browser made; return recovery codes if it is the first second factor.

    Raises Invalid for an answer that proves nothing, Conflict for a passkey that exists.
    """
    where = _place_here()
    taken = _taken(answer, rules.ADD)
    return passkeys.add(web_context(), where, taken)


def ask_removal(passkey_id: int) -> tuple[PasskeyView, str | None]:
    """Return one of the caller's passkeys that may go, and what their browser may have signed for that.

    It is asked in a transaction of its own: also after a wrong answer, when the request itself leaves nothing behind.
    Raises NotFound, Conflict for the last one of an owner.
    """
    with own_transaction(current_actor(), write=True) as ctx:
        return passkeys.ask_removal(ctx, place(), passkey_id)


def ask_change() -> str | None:
    """Return what the caller's browser may have signed before a change of what proves who they are."""
    actor = current_actor()
    with own_transaction(actor, write=True) as ctx:
        return passkeys.question(ctx, place(), actor.user_id, rules.CHANGE) if actor.user_id is not None else None


def remove(passkey_id: int, *, code: str, answer: str) -> None:
    """Take one of the caller's passkeys away, for a code or for the answer of a passkey; guessing is throttled.

    Raises WaitPlease, Invalid when neither proves who they are, NotFound, Conflict for the last one of an owner.
    """
    with _proving(answer) as taken:
        passkeys.remove(web_context(), place(), passkey_id, code=code, taken=taken)


def renew_codes(*, code: str, answer: str) -> tuple[str, ...]:
    """Give the caller new recovery codes, for a code or for the answer of a passkey; guessing is throttled.

    Raises WaitPlease, Invalid when neither proves who they are, Conflict for who has no second factor.
    """
    with _proving(answer) as taken:
        return passkeys.renew_codes(web_context(), place(), code=code, taken=taken)


@contextmanager
def _proving(answer: str) -> Iterator[Taken | None]:
    with steps.throttled():
        taken = _taken(answer, rules.CHANGE) if answer else None
        if answer and taken is None:
            raise passkeys.not_accepted(passkeys.WRONG)
        yield taken


def _taken(answer: str, purpose: str) -> Taken | None:
    """Use a challenge up for good: a request that is refused afterwards does not give it back."""
    actor = current_actor()
    with own_transaction(actor, write=True) as ctx:
        return passkeys.take(ctx, actor.user_id, answer, purpose)


def _place_here() -> Place:
    found = place()
    if found is None:
        raise Conflict(T("Passkeys need an address with a name and https"), code="passkeys_not_here")
    return found
