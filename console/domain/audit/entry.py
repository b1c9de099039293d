"""What an audit entry says and how it is hashed (API contract, entry hash).

Three proofs stand on each other: the published hash links every row to the one before it, a keyed hash shows that
the product wrote the row (nobody with the database alone can make one), and signed checkpoints fix how many rows
there were.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any

ACTION_MAX = RESOURCE_TYPE_MAX = ACTOR_MAX = 80
RESOURCE_ID_MAX = 120
STATUS_MAX = 20
KEY_ID_LENGTH = 16
_DIGEST_SUFFIX = 24


@dataclass(frozen=True)
class Entry:
    """The hashed fields of one row, except its time and its predecessor.

    `detail_json` is the stored text itself, not the object.
    """

    actor_user_id: int | None
    actor_username: str
    action: str
    resource_type: str
    resource_id: str
    status: str
    detail_json: str


def canonical_json(value: Any) -> str:
    """Write `value` with sorted keys, no spaces and raw non-ASCII; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def instant_text(instant: datetime) -> str:
    """Write an aware instant as it is hashed: UTC, `+00:00`, six digits of fraction unless it is zero.

    Raises ValueError for a naive instant: its meaning would depend on the driver.
    """
    if instant.tzinfo is None:
        raise ValueError("an audit instant needs a zone")
    return instant.astimezone(UTC).isoformat()


def entry_text(
    prev_hash: str,
    actor_user_id: int | None,
    actor_username: str,
    action: str,
    resource_type: str,
    resource_id: str,
    status: str,
    detail_json: str,
    created_text: str,
    encode: Any = encode_basestring,
) -> str:
    """Return the canonical JSON object of one entry, written directly: a million rows are verified with this."""
    actor = "null" if actor_user_id is None else str(actor_user_id)
    return (
        f'{{"action":{encode(action)},"actor_user_id":{actor},"actor_username":{encode(actor_username)}'
        f',"created_at":{encode(created_text)},"detail_json":{encode(detail_json)},"prev_hash":{encode(prev_hash)}'
        f',"resource_id":{encode(resource_id)},"resource_type":{encode(resource_type)},"status":{encode(status)}}}'
    )


def entry_hash(entry: Entry, *, prev_hash: str, created_text: str) -> str:
    """Return the published hash of an entry: SHA-256 in hex over its canonical JSON (contract 9.2)."""
    text = entry_text(
        prev_hash,
        entry.actor_user_id,
        entry.actor_username,
        entry.action,
        entry.resource_type,
        entry.resource_id,
        entry.status,
        entry.detail_json,
        created_text,
    )
    return sha256(text.encode()).hexdigest()


def row_message(seq: int, stored_hash: str, request_id: str) -> bytes:
    """Return what the keyed hash of a row covers: its place, its published hash and the request that wrote it."""
    return f"audit-row:v1:{seq}:{stored_hash}:{request_id}".encode()


def keyed_hash(key: bytes, seq: int, stored_hash: str, request_id: str) -> str:
    """Return the second hash of a row, which cannot be made without the key (HMAC-SHA256 in hex)."""
    return hmac.digest(key, row_message(seq, stored_hash, request_id), "sha256").hex()


def key_id(key: bytes) -> str:
    """Return the short public name of a key; it tells keys apart and reveals nothing of them."""
    return sha256(b"audit-key-id:v1:" + key).hexdigest()[:KEY_ID_LENGTH]


def signature(key: bytes, kind: str, fields: Mapping[str, Any]) -> str:
    """Sign a small record (`kind` keeps a checkpoint from passing as a rebaseline); HMAC-SHA256 in hex."""
    return hmac.digest(key, f"audit-{kind}:v1:{canonical_json(fields)}".encode(), "sha256").hex()


def checkpoint_signature(
    key: bytes, *, seq: int, head_hash: str, count: int, signed_at: str, previous: str | None = None
) -> str:
    """Sign how long the chain was at an instant and which hash its last row had.

    `previous` is the signature of the checkpoint before, empty for the first; None for those made before they named
    each other.
    """
    facts: dict[str, Any] = {"count": count, "head_hash": head_hash, "seq": seq, "signed_at": signed_at}
    return signature(key, "checkpoint", facts if previous is None else {**facts, "previous": previous})


def month_facts(
    *,
    month: str,
    chain: Mapping[str, Any],
    total_count: int,
    included: Sequence[tuple[int, str | None]],
    entries_included: bool,
    rebaselined_ranges: Sequence[Any],
) -> dict[str, Any]:
    """Return what the seal of a month covers: how many entries, from which to which, and what excuses a gap.

    `included` are place and stored hash of the first and the last entry that an archive holds; empty for none.
    """
    return {
        "month": month,
        "total_count": total_count,
        "initial_prev_hash": chain["initial_prev_hash"],
        "last_entry_hash": chain["last_entry_hash"],
        "first_seq": chain["first_seq"],
        "last_seq": chain["last_seq"],
        "entries_included": entries_included,
        "included": [list(item) for item in included],
        "rebaselined_sha256": sha256(canonical_json(rebaselined_ranges).encode()).hexdigest(),
    }


def same(left: str | None, right: str | None) -> bool:
    """Compare two signatures without telling by the time taken where they differ."""
    return hmac.compare_digest((left or "").encode(), (right or "").encode())


def clean(text: str) -> str:
    """Replace what no database and no hash can take: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fitted(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters; a longer one ends in a digest of the whole, so it stays unique."""
    text = clean(text)
    if len(text) <= limit:
        return text
    digest = sha256(text.encode()).hexdigest()[:_DIGEST_SUFFIX]
    return f"{text[: limit - _DIGEST_SUFFIX - 1]}#{digest}"


def detail_text(detail: Mapping[str, Any] | None) -> str:
    """Write the detail as it is stored: keys in given order, other values as plain text (contract 9.1).

    NaN and infinities, which are no JSON, are written as their names.
    """
    try:
        text = json.dumps(dict(detail or {}), ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(dict(detail or {})), ensure_ascii=False, default=str)
    return clean(text)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not float("-inf") < value < float("inf"):
        return str(value)
    return value


def detail_object(text: str) -> dict[str, Any]:
    """Read a stored detail: unreadable text becomes `{"raw": text}`, a non-object `{"value": ...}` (contract 10.1)."""
    try:
        value = json.loads(text, parse_constant=str)
        # Halves of surrogate pairs can be written as escapes; no answer could carry them.
        value = json.loads(clean(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return {"raw": text}
    return value if isinstance(value, dict) else {"value": value}


def make_entry(
    *,
    actor_user_id: int | None,
    actor_username: str,
    action: str,
    resource_type: str,
    resource_id: object,
    status: str,
    detail: Mapping[str, Any] | None,
) -> Entry:
    """Make the entry of a change; raises ValueError for an action, type or status that is no short word.

    A resource id that does not fit its column keeps its whole text in the detail as `resource_id_full` (contract, A4).
    """
    for name, word, limit in (
        ("action", action, ACTION_MAX),
        ("resource_type", resource_type, RESOURCE_TYPE_MAX),
        ("status", status, STATUS_MAX),
    ):
        if not 0 < len(word) <= limit or not word.isascii() or not word.isprintable():
            raise ValueError(f"audit {name} {word!r} is not a word of 1 to {limit} characters")
    whole = clean(str(resource_id))
    reference = fitted(whole, RESOURCE_ID_MAX)
    if reference != whole:
        detail = {**(detail or {}), "resource_id_full": whole}
    return Entry(
        actor_user_id=actor_user_id,
        actor_username=fitted(actor_username.strip() or "unknown", ACTOR_MAX),
        action=action,
        resource_type=resource_type,
        resource_id=reference,
        status=status,
        detail_json=detail_text(detail),
    )


def monotone(now: datetime, last: datetime | None) -> datetime:
    """Return the time of a new row: never before the last one, also when the clock was set back."""
    return now if last is None or now >= last else last
