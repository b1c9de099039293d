"""Short secrets in the database: encrypted and signed with the key of the installation, which is not in it.

A sealed text is AES-256-GCM in base64 behind a mark; what it belongs to is signed with it, so that none can be moved to
another row.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MARK = "s1:"
_NONCE = 12


class UnsealError(ValueError):
    """It was sealed with another key, for something else, or was changed."""


def seal(key: str, text: str, about: str) -> str:
    """Return a text that only the holder of `key` can read, and only as one about `about`."""
    nonce = os.urandom(_NONCE)
    made = nonce + _cipher(key).encrypt(nonce, text.encode(), about.encode())
    return MARK + urlsafe_b64encode(made).decode()


def unseal(key: str, sealed: str, about: str) -> str:
    """Return the text of `seal`; raises UnsealError."""
    from cryptography.exceptions import InvalidTag

    try:
        made = urlsafe_b64decode(sealed.removeprefix(MARK))
        return _cipher(key).decrypt(made[:_NONCE], made[_NONCE:], about.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise UnsealError("cannot be read with this key") from error


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESGCM:
    # Loaded with the first sealed text: most processes never open one.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, None, b"ka-facility-os sealed text").derive(key.encode()))
