"""The steps of a password sign-in that all doors share: throttle, compare, note, open the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import structlog
from flask import Response, current_app, request, session
from wtforms import Form

from console.core.context import Context
from console.domain.errors import Invalid, TooManyRequests
from console.domain.identity.accounts import normalise_password
from console.domain.text import T
from console.forms.shared import blame
from console.services.identity import passkeys, second_factor, sessions
from console.services.identity.sessions import OpenedSession, Verdict
from console.ui.frame import THEME_COOKIE
from console.ui.reader import LANGUAGE_COOKIE
from console.web.afterwards import STORE_ERRORS
from console.web.credentials import SESSION_KEY, address, own_transaction, session_cookie
from console.web.ratelimit import limiter
from console.web.request import abandon, app_clock, app_config, current_actor, web_context
from console.web.security import PASSWORD_PAGE
from console.web.throttle import SignInThrottle

NOT_PROVEN = (second_factor.WRONG_CODE, passkeys.WRONG, passkeys.UNKNOWN, passkeys.COUNTER)
GUESSED_WRONG = (sessions.WRONG_PASSWORD, *NOT_PROVEN)
WAITING_KEY = "code_awaited"
WAITING_SECONDS = 300
YEAR = 365 * 24 * 3600
log = structlog.get_logger(__name__)


def check_password(username: str, password: str) -> Verdict:
    """Return whether user name and password belong together; a failure is noted in a transaction of its own.

    Raises TooManyRequests when this account or address failed too often; the text says how long to wait.
    """
    throttle = SignInThrottle(limiter(), app_config())
    wait = throttle.attempt(username, address())
    if wait is not None:
        raise wait_please(wait)
    with own_transaction(write=False) as ctx:
        verdict = sessions.check(ctx, username, normalise_password(password))
    if verdict.user_id is None:
        throttle.failed(username, address())
        _note(verdict)
    elif not verdict.second_factor:
        # With a second factor the sign-in has not succeeded yet: a known password must not clear the way for guesses.
        throttle.succeeded(verdict.username, address())
    return verdict


def check_code(verdict: Verdict, code: str) -> bool:
    """Return whether a code of the second factor is right, and spend it; both stays whatever becomes of the request.

    Raises WaitPlease when this account or address failed too often.
    """
    return check_factor(verdict, lambda ctx, user_id: second_factor.use(ctx, user_id, code, ip=address()))


def check_factor(verdict: Verdict, proves: Callable[[Context, int], bool]) -> bool:
    """Return whether `proves` finds the second factor of somebody whose password was right; throttled like that."""
    throttle = SignInThrottle(limiter(), app_config())
    wait = throttle.attempt(verdict.username, address())
    if wait is not None:
        raise wait_please(wait)
    with own_transaction(write=True) as ctx:
        right = verdict.user_id is not None and proves(ctx, verdict.user_id)
    if right:
        throttle.succeeded(verdict.username, address())
    else:
        throttle.failed(verdict.username, address())
    return right


def await_code(verdict: Verdict) -> None:
    """Remember in the signed cookie, for some minutes, whose password was right and whose code is missing."""
    session[WAITING_KEY] = [verdict.user_id, verdict.version, int(app_clock().now().timestamp())]


def awaited() -> Verdict | None:
    """Return whose code is awaited; None when nobody's is, or the account has changed, or it took too long."""
    user_id, version, since = session.get(WAITING_KEY) or (None, 0, 0)
    if user_id is None or app_clock().now().timestamp() - since > WAITING_SECONDS:
        return None
    with own_transaction(write=False) as ctx:
        return sessions.recall(ctx, user_id, version)


def enter(verdict: Verdict, password: str | None) -> OpenedSession:
    """Open a browser session for somebody whose password was right; whatever the cookie held before is gone.

    The new random text and the new CSRF token make a cookie that somebody planted worthless (session fixation).
    """
    opened = sessions.open_session(
        web_context(),
        verdict,
        password,
        ip=address(),
        user_agent=request.headers.get("User-Agent", ""),
        previous=session_cookie(),
    )
    session.clear()
    session[SESSION_KEY] = opened.cookie
    session.permanent = True
    return opened


def password_page(target: str) -> str:
    """Return the address of the page where the first password is chosen, which leads on to `target`."""
    return f"{PASSWORD_PAGE}?{urlencode({'next': target})}" if target != "/" else PASSWORD_PAGE


def keep_preferences(response: Response, *, language: str | None, theme: str | None, forget: bool = False) -> None:
    """Bring a person's own language and theme to the browser they use.

    None leaves the browser's choice as it is, or takes it away with `forget`.
    """
    secure = current_app.config["SESSION_COOKIE_SECURE"]
    for cookie, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(cookie, value, max_age=YEAR, samesite="Lax", secure=secure)
        elif forget:
            response.delete_cookie(cookie, samesite="Lax", secure=secure)


def change_own_password(current: str, new: str, *, end_all_tokens: bool = False) -> None:
    """Change the caller's password; guessing the current one is throttled like a sign-in.

    Raises WaitPlease, Invalid for a wrong or weak password, Conflict for a caller without an account.
    """
    with throttled():
        sessions.change_password(web_context(), current=current, new=new, end_all_tokens=end_all_tokens)


def begin_second_factor(password: str) -> None:
    """Make a secret for the caller; guessing the password is throttled like a sign-in.

    Raises WaitPlease, Invalid for a wrong password, Conflict when the second factor is on.
    """
    with throttled():
        second_factor.begin(web_context(), password=password)


def confirm_second_factor(code: str) -> tuple[str, ...]:
    """Switch the caller's second factor on and return the recovery codes; guessing is throttled like a sign-in.

    Raises WaitPlease, Invalid for a wrong code, Conflict when there is nothing to confirm.
    """
    with throttled():
        return second_factor.confirm(web_context(), code=code)


def switch_second_factor_off(code: str) -> None:
    """Switch the caller's second factor off; guessing is throttled like a sign-in.

    Raises WaitPlease, Invalid for a wrong code, Conflict when it is off or demanded.
    """
    with throttled():
        second_factor.switch_off(web_context(), code=code)


@contextmanager
def throttled() -> Iterator[None]:
    """Throttle what somebody who is signed in proves once more, by password, code or passkey, like a sign-in."""
    throttle, username = SignInThrottle(limiter(), app_config()), current_actor().username
    wait = throttle.attempt(username, address())
    if wait is not None:
        raise wait_please(wait)
    try:
        yield
    except Invalid as error:
        if error.code in NOT_PROVEN:
            # The request is refused and undone; what was tried stays.
            abandon()
            with own_transaction(current_actor(), write=True) as ctx:
                second_factor.note_failure(ctx, ctx.actor.user_id, username, reason=error.code, ip=address())
        if error.code in GUESSED_WRONG:
            throttle.failed(username, address())
            raise
        throttle.succeeded(username, address())
        raise
    throttle.succeeded(username, address())


def _note(verdict: Verdict) -> None:
    try:
        with own_transaction(write=False) as ctx:
            sessions.note_failure(ctx, verdict, ip=address())
    except STORE_ERRORS as error:
        # The answer is the same for everybody; only its trace is missing.
        log.warning("sign_in_failure_not_recorded", error=type(error).__name__)


class WaitPlease(TooManyRequests):
    """Too many failed attempts."""

    code = "sign_in_throttled"


REFUSALS = (WaitPlease, Invalid)


def refused(form: Form, error: WaitPlease | Invalid, field: str) -> int:
    """Put one of `REFUSALS` to `field`, or above the form where it is asked to wait; return the status of the page."""
    blame(form, error, "" if isinstance(error, WaitPlease) else field)
    return error.status


def wait_please(seconds: int) -> WaitPlease:
    """Return the refusal of somebody who must wait, in minutes when it is more than one."""
    if seconds <= 90:
        text = T("Too many attempts. Try again in %(seconds)s seconds.", seconds=seconds)
    else:
        text = T("Too many attempts. Try again in %(minutes)s minutes.", minutes=-(-seconds // 60))
    return WaitPlease(text, retry_after=seconds)
