"""The keys of the audit chain: one that writes, and earlier ones that still verify."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from console.core.config import Config
from console.core.secret_key import kept_key
from console.domain.audit.entry import key_id

KEY_FILE = "audit_chain_key"


@dataclass(frozen=True)
class ChainKeys:
    """The writing key with its short id, and all known keys by id."""

    current_id: str
    current: bytes = field(repr=False)
    known: Mapping[str, bytes] = field(repr=False)


@lru_cache(maxsize=16)
def _from_file(folder: str) -> str:
    return kept_key(Path(folder).expanduser().resolve(), KEY_FILE)


@lru_cache(maxsize=16)
def _keys(current: str, previous: tuple[str, ...]) -> ChainKeys:
    known = {key_id(text.encode()): text.encode() for text in (*previous, current)}
    return ChainKeys(key_id(current.encode()), current.encode(), known)


def chain_keys(config: Config) -> ChainKeys:
    """Return the keys from AUDIT_CHAIN_KEY and AUDIT_CHAIN_KEY_PREVIOUS.

    Without the setting a key is made once in DATA_DIR, readable by the owner alone; several machines on one database
    must set it, because a row of an unknown key does not verify.
    """
    return _keys(config["AUDIT_CHAIN_KEY"] or _from_file(config["DATA_DIR"]), config["AUDIT_CHAIN_KEY_PREVIOUS"])


def signing_key_id(config: Config) -> str | None:
    """Return the short public name of the archive signing key, or None when archives are unsigned."""
    key = config["AUDIT_ARCHIVE_SIGNING_KEY"]
    return key_id(key.encode()) if key else None
