"""Photos among evidence: when they were taken is kept beside them, where they were taken is not kept at all.

The place goes from what comes by the pages, unless EVIDENCE_KEEP_PLACE says otherwise. What the API takes stays as it
was sent, byte for byte: its clients compare hashes.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

from console.core.config import Config
from console.domain.evidence import photos as rules
from console.domain.evidence.content import HEAD, sniff
from console.domain.evidence.evidence import MAX_BYTES
from console.services.evidence import store as evidence_store
from console.services.evidence.store import Staged


def captured_at(content: BinaryIO) -> str | None:
    """Return when a photo was taken, None for what is no photo or does not say."""
    data = _photo(content)
    return None if data is None else rules.captured_at(data)


def keeps_place(config: Config) -> bool:
    """Return whether photos that come by the pages keep the place where they were taken."""
    return bool(config["EVIDENCE_KEEP_PLACE"])


def drop_place(config: Config, received: Staged) -> bool:
    """Take the place out of a staged photo; tells whether there was one."""
    data = None if keeps_place(config) else _photo(received.content)
    if data is None or (bare := rules.without_place(data)) == data:
        return False
    evidence_store.rewrite(received, bare)
    return True


def digest_on_page(config: Config, content: BinaryIO) -> str:
    """Return the SHA-256 that a file has once the pages have taken it; the stream is left at its start."""
    data = None if keeps_place(config) else _photo(content)
    if data is None:
        return evidence_store.digest(content)
    content.seek(0)
    return hashlib.sha256(rules.without_place(data)).hexdigest()


def _photo(content: BinaryIO) -> bytes | None:
    content.seek(0)
    if sniff(content.read(HEAD)) not in rules.PHOTOS:
        return None
    content.seek(0)
    data = evidence_store.read(content, MAX_BYTES + 1)
    # What is too large is refused, not looked at.
    return data if len(data) <= MAX_BYTES else None
