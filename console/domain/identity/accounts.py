"""User names, display names, passwords and browser sessions: the rules, without any storage."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.entered import entered
from console.domain.identity.iam import RESERVED_USERNAMES
from console.domain.text import N_

USERNAME_MIN, USERNAME_MAX = 3, 80
DISPLAY_NAME_MAX = 120
PASSWORD_MAX = 128
ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

# The handful that every guessing list starts with; length does the rest of the work.
COMMON_PASSWORDS = frozenset(
    {
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "1234567890",
        "12345678910",
        "123456789012",
        "0123456789",
        "qwertyuiop",
        "qwerty12345",
        "qwerty123456",
        "1q2w3e4r5t",
        "1q2w3e4r5t6y",
        "administrator",
        "changeme123",
        "letmein1234",
        "facility123",
        "welcome1234",
    }
)


class BadUsername(ValueError):
    """The user name cannot be used; the message says why."""


class WeakPassword(ValueError):
    """The password is refused; `reason` is a stable word: short, long, characters, username, common, same."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SessionPolicy:
    """How long a browser session lasts."""

    idle: timedelta
    absolute: timedelta


def check_username(text: str) -> str:
    """Return the user name as it is stored; raises BadUsername for a length, a character or a word that may not be."""
    try:
        name = entered(text)
    except ValueError as error:
        raise BadUsername(str(error)) from error
    if not USERNAME_MIN <= len(name) <= USERNAME_MAX:
        raise BadUsername(N_("username has 3 to 80 characters"))
    if not name.isprintable():
        raise BadUsername(N_("username must not contain control characters"))
    if name.casefold() in RESERVED_USERNAMES:
        raise BadUsername(N_("username is reserved"))
    return name


def display_name_or(username: str, text: str) -> str:
    """Return the display name trimmed, or the user name when it is blank (contract 7)."""
    return entered(text) or username


def normalise_password(text: str) -> str:
    """Return the one form in which a password is hashed: Hangul typed on different systems must match."""
    return unicodedata.normalize("NFKC", text)


def check_password(text: str, *, username: str, minimum: int) -> str:
    """Return the password in its normal form; raises WeakPassword.

    Length and a few well-known words are checked, no rules of composition: those make people write passwords down.
    """
    password = normalise_password(text)
    if len(password) < minimum:
        raise WeakPassword("short")
    if len(password) > PASSWORD_MAX:
        raise WeakPassword("long")
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise WeakPassword("characters")
    folded = password.casefold()
    if username and folded in {username.casefold(), username.casefold()[::-1]}:
        raise WeakPassword("username")
    if folded in COMMON_PASSWORDS or len(set(folded)) <= 2:
        raise WeakPassword("common")
    return password


def session_is_live(
    *,
    created_at: datetime,
    last_seen_at: datetime,
    expires_at: datetime,
    revoked_at: datetime | None,
    policy: SessionPolicy,
    now: datetime,
) -> bool:
    """Return whether a browser session still counts at `now`: not ended, not idle too long, not too old.

    The stored end is capped by today's policy, so that a shorter setting takes effect at once.
    """
    if revoked_at is not None:
        return False
    return now < min(expires_at, created_at + policy.absolute) and now < last_seen_at + policy.idle
