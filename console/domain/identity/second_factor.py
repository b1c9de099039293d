"""The second factor of a person: one-time codes by RFC 6238 (TOTP) and recovery codes, without any storage."""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from datetime import datetime

import pyotp

from console.domain.identity.iam import Role

DIGITS = 6
STEP_SECONDS = 30
# A clock that runs a little ahead or behind still works: one step to either side.
WINDOW_STEPS = 1
RECOVERY_CODES = 10
CODE_MAX = 40
_SECRET_BYTES = 20


def secret_of(seed: str, key: str) -> str:
    """Return the secret of an authenticator app (Base32, 160 bits) for a stored seed and the key outside the database.

    What is stored is worth nothing without the key: no code can be computed from a stolen database alone.
    """
    made = hmac.new(key.encode(), f"second-factor:{seed}".encode(), hashlib.sha256).digest()
    return base64.b32encode(made[:_SECRET_BYTES]).decode()


def address_of(secret: str, *, username: str, issuer: str) -> str:
    """Return the address (`otpauth://`) that an authenticator app takes over from a link or a QR code."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS).provisioning_uri(name=username, issuer_name=issuer)


def typed(code: str) -> str:
    """Return a code as it is compared: lower case, without the spaces and dashes that people put between groups."""
    text = unicodedata.normalize("NFKC", code).lower()
    return "".join(character for character in text if character.isalnum())


def is_app_code(code: str) -> bool:
    """Return whether a typed code has the form of a code from an app; every other one is taken for a recovery code."""
    return len(code) == DIGITS and code.isascii() and code.isdigit()


def matching_step(secret: str, code: str, *, now: datetime, last_step: int) -> int | None:
    """Return the step of time to which a code belongs, None when it is wrong or was used already.

    A step is the number of the 30 seconds since 1970 (UTC). Steps up to `last_step` are spent: each code counts once.
    """
    if not is_app_code(code):
        return None
    app, here = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    steps = range(here - WINDOW_STEPS, here + WINDOW_STEPS + 1)
    right = [step for step in steps if hmac.compare_digest(app.generate_otp(step), code)]
    return next((step for step in right if step > last_step), None)


def must_set_up(role: str, *, has_second_factor: bool, owners_need_it: bool) -> bool:
    """Return whether somebody first has to switch on a second factor before they go on."""
    return owners_need_it and role == Role.OWNER and not has_second_factor
