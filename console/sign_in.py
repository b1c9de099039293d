"""The steps of a password sign-in that both doors share: throttle, compare, note."""

from __future__ import annotations

import structlog

from console.credentials import STORE_ERRORS, address, own_transaction
from console.domain.accounts import normalise_password
from console.domain.errors import TooManyRequests
from console.domain.text import T
from console.ratelimit import limiter
from console.services import sessions
from console.services.sessions import Verdict
from console.throttle import SignInThrottle
from console.web import app_config

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
    else:
        throttle.succeeded(verdict.username, address())
    return verdict


def _note(verdict: Verdict) -> None:
    try:
        with own_transaction(write=False) as ctx:
            sessions.note_failure(ctx, verdict, ip=address())
    except STORE_ERRORS as error:
        # The answer is the same for everybody; only its trace is missing.
        log.warning("sign_in_failure_not_recorded", error=type(error).__name__)


def wait_please(seconds: int) -> TooManyRequests:
    """Return the refusal of somebody who must wait, in minutes when it is more than one."""
    if seconds <= 90:
        text = T("Too many attempts. Try again in %(seconds)s seconds.", seconds=seconds)
    else:
        text = T("Too many attempts. Try again in %(minutes)s minutes.", minutes=-(-seconds // 60))
    return TooManyRequests(text, code="sign_in_throttled")
