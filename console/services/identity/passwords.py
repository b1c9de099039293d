"""Hashing of passwords with Argon2id."""

from __future__ import annotations

import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import CHEAPEST

from console.core.config import Config
from console.domain.identity.accounts import ONE_TIME_ALPHABET, PASSWORD_MAX, normalise_password

# 19 MiB, two passes, one lane: the least that OWASP recommends for Argon2id. More memory per attempt would let a
# burst of sign-ins push a small machine into swapping.
STANDARD = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
AT_ONCE = 4

# Bounds what simultaneous sign-ins cost a process; the others wait for some tens of milliseconds.
_turn = threading.BoundedSemaphore(AT_ONCE)


@lru_cache(maxsize=2)
def _hasher(profile: str) -> PasswordHasher:
    return PasswordHasher.from_parameters(CHEAPEST) if profile == "cheapest" else STANDARD


@lru_cache(maxsize=2)
def _dummy(profile: str) -> str:
    return _hasher(profile).hash(secrets.token_urlsafe(16))


def make_hash(config: Config, password: str) -> str:
    """Return the hash to be stored for a password that passed the rules."""
    with _turn:
        return _hasher(config["PASSWORD_HASH_PROFILE"]).hash(normalise_password(password))


def matches(config: Config, stored: str | None, password: str) -> bool:
    """Return whether `password` belongs to the stored hash.

    Without one (unknown user, no password yet) it works as long as with one, so that names cannot be told apart by
    the time of the answer (API contract, 23-B16).
    """
    profile = config["PASSWORD_HASH_PROFILE"]
    text = normalise_password(password[: PASSWORD_MAX * 4])
    with _turn:
        try:
            accepted: bool = _hasher(profile).verify(stored or _dummy(profile), text)
        except (VerificationError, InvalidHashError):
            accepted = False
    return accepted and stored is not None


def is_outdated(config: Config, stored: str) -> bool:
    """Return whether a hash was made with other costs than those of today."""
    return _hasher(config["PASSWORD_HASH_PROFILE"]).check_needs_rehash(stored)


def one_time_password() -> str:
    """Return a password for a first sign-in: four groups of four, about 79 bits, without look-alikes."""
    groups = ("".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(4)) for _ in range(4))
    return "-".join(groups)
