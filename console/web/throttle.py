"""Failed sign-ins: how many are borne per account, per address, and per both together."""

from __future__ import annotations

import hashlib

from console.adapters.limiter import Limiter
from console.core.config import Config

HOUR = 3600


class SignInThrottle:
    """Slows guessing down without letting a stranger lock somebody out.

    The strict limit is per account *and* address, so an attacker elsewhere does not shut the owner of an account
    out; the looser ones per address and per account stop lists of names and distributed guessing.
    """

    def __init__(self, limiter: Limiter, config: Config) -> None:
        self._limiter = limiter
        self._window: int = config["SIGN_IN_WINDOW_SEC"]
        self._pair: int = config["SIGN_IN_MAX_FAILURES"]
        self._address: int = config["SIGN_IN_MAX_FAILURES_ADDRESS"]
        self._account: int = config["SIGN_IN_MAX_FAILURES_ACCOUNT"]

    def attempt(self, username: str, address: str) -> int | None:
        """Count an attempt before the password is looked at; returns the seconds to wait when it may not be made."""
        account = _digest(username)
        wide = (
            self._limiter.peek(f"sign-in:address:{address}", self._address, self._window),
            self._limiter.peek(f"sign-in:account:{account}", self._account, HOUR),
        )
        for budget in wide:
            if not budget.allowed:
                return budget.reset
        # Taken in advance: a burst of parallel attempts must not slip through before the first one has failed.
        pair = self._limiter.hit(f"sign-in:pair:{account}:{address}", self._pair, self._window)
        return None if pair.allowed else pair.reset

    def failed(self, username: str, address: str) -> None:
        """Note that the attempt failed."""
        self._limiter.hit(f"sign-in:address:{address}", self._address, self._window)
        self._limiter.hit(f"sign-in:account:{_digest(username)}", self._account, HOUR)

    def succeeded(self, username: str, address: str) -> None:
        """Note that the right person came: earlier typing errors from this address are forgotten."""
        self._limiter.forget(f"sign-in:pair:{_digest(username)}:{address}", self._window)


def _digest(username: str) -> str:
    # As the accounts are told apart: failures of `OWNER` are none of `owner`.
    return hashlib.sha256(username.encode()).hexdigest()[:24]
