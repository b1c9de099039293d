"""The monthly archive: its window, its signed text, its CSV forms and its recovery attachment (contract 10)."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from console.domain.audit.entry import canonical_json
from console.domain.errors import BadRequest
from console.domain.text import N_

FORMAT_VERSION = "v2"
UNSIGNED_FIELDS = frozenset({"archive_sha256", "signature", "signature_algorithm"})
CSV_COLUMNS = (
    "id", "created_at", "actor_username", "action", "resource_type", "resource_id", "status", "prev_hash", "entry_hash",
)  # fmt: skip
CSV_FACTS_COLUMNS = ("section", "key", "value")
NO_MONTH = N_("month must be YYYY-MM format")
_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
_CSV_META = (
    "format_version", "attachment_schema_version", "schema", "schema_version", "month", "generated_at", "entry_count",
    "entries_included", "chain_ok",
)  # fmt: skip
_CSV_ATTACHMENT = ("schema", "schema_version", "status", "included")


@dataclass(frozen=True)
class Month:
    """A UTC month; `end` is exclusive."""

    text: str
    start: datetime
    end: datetime

    def over(self, now: datetime) -> bool:
        """Return whether the month has ended by `now`."""
        return self.end <= now


def month_of(text: str) -> Month:
    """Read `YYYY-MM`; raises BadRequest with the published text for anything that is no month."""
    if not _MONTH.fullmatch(text):
        raise BadRequest(NO_MONTH)
    try:
        start = datetime(int(text[:4]), int(text[5:]), 1, tzinfo=UTC)
        end = (start + timedelta(days=31)).replace(day=1)
    except (ValueError, OverflowError):
        raise BadRequest(NO_MONTH) from None
    return Month(text, start, end)


def month_at(now: datetime) -> Month:
    """Return the UTC month that `now` lies in."""
    return month_of(now.astimezone(UTC).strftime("%Y-%m"))


def month_before(now: datetime) -> Month:
    """Return the UTC month before the one that `now` lies in."""
    return month_at(month_at(now).start - timedelta(days=1))


def signed_text(document: Mapping[str, Any], entries: Sequence[str] = ()) -> Iterator[bytes]:
    """Return the canonical JSON that is signed, in pieces: everything but the three fields added after signing.

    The member `entries` of `document` is replaced by `entries`, each of them canonical JSON ready made: fifty
    thousand of them as text cost a fraction of what they cost as objects.
    """
    yield b"{"
    for number, name in enumerate(sorted(document.keys() - UNSIGNED_FIELDS)):
        yield f"{',' if number else ''}{canonical_json(name)}:".encode()
        if name == "entries":
            yield from _array(entries, ",")
        else:
            yield canonical_json(document[name]).encode()
    yield b"}"


def answer_text(document: Mapping[str, Any], entries: Sequence[str] = ()) -> Iterator[bytes]:
    """Return the whole document as JSON in its own key order, in pieces."""
    yield b"{"
    for number, (name, value) in enumerate(document.items()):
        yield f"{', ' if number else ''}{canonical_json(name)}: ".encode()
        if name == "entries":
            yield from _array(entries, ", ")
        else:
            yield json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    yield b"}"


def file_text(document: Mapping[str, Any], entries: Sequence[str] = ()) -> Iterator[bytes]:
    """Return the whole document as it is kept in a file: indented by two, in pieces."""
    yield b"{"
    for number, (name, value) in enumerate(document.items()):
        yield f"{',' if number else ''}\n  {canonical_json(name)}: ".encode()
        if name != "entries":
            yield _indented(value, "  ").encode()
            continue
        yield b"["
        for place, entry in enumerate(entries):
            yield f"{',' if place else ''}\n    {_indented(json.loads(entry), '    ')}".encode()
        yield b"\n  ]" if entries else b"]"
    yield b"\n}\n"


def _indented(value: Any, margin: str) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2).replace("\n", "\n" + margin)


def _array(items: Iterable[str], comma: str) -> Iterator[bytes]:
    yield b"["
    for number, item in enumerate(items):
        yield (comma + item if number else item).encode()
    yield b"]"


def sealed(document: Mapping[str, Any], key: str, entries: Sequence[str] = ()) -> dict[str, Any]:
    """Return the document with digest and signature added; an empty key leaves it `unsigned` (contract 10.7)."""
    digest = sha256()
    mac = hmac.new(key.encode(), digestmod="sha256") if key else None
    for piece in signed_text(document, entries):
        digest.update(piece)
        if mac:
            mac.update(piece)
    return {
        **document,
        "archive_sha256": digest.hexdigest(),
        "signature": mac.hexdigest() if mac else None,
        "signature_algorithm": "hmac-sha256" if mac else "unsigned",
    }


def content_signature(content: bytes, key: str) -> str:
    """Sign the bytes of a file as they are sent; empty without a key."""
    return hmac.digest(key.encode(), content, "sha256").hex() if key else ""


def stable_digest(document: Mapping[str, Any], entries: Sequence[str] = ()) -> str:
    """Return a digest that two archives of the same rows share: the moment of making and its consequences left out."""
    facts = {name: value for name, value in document.items() if name not in {"generated_at", "signing_key_id"}}
    digest = sha256()
    for piece in signed_text(facts, entries):
        digest.update(piece)
    return digest.hexdigest()


def facts_block(document: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """Return the rows that open a v2 CSV: facts about the archive and its attachments."""
    facts = {**document["meta"], **document, "chain_ok": document["chain"]["chain_ok"]}
    facts.update({name: document["meta"][name] for name in ("schema", "schema_version")})
    rows: list[tuple[str, str, Any]] = [("meta", name, facts[name]) for name in _CSV_META]
    for name, attachment in document["attachments"].items():
        rows += [(f"attachment.{name}", key, attachment[key]) for key in _CSV_ATTACHMENT]
    return rows


def drill_attachment(
    *, required: bool, month: Month, in_month: Mapping[str, Any] | None, before_end: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Describe the recovery rehearsal of a month (contract 10.6); the run objects come ready made or are None."""
    if in_month is not None:
        status, message = "ok", "DR rehearsal result attached for the month"
    elif required:
        status, message = "warning", "No DR rehearsal run finished in the month"
    else:
        status, message = "info", "DR rehearsal is disabled by policy"
    return {
        "attachment_key": "dr_rehearsal",
        "schema": "audit_archive_attachment_dr_rehearsal",
        "schema_version": FORMAT_VERSION,
        "resource_type": "ops_dr",
        "required": required,
        "month": month.text,
        "included": in_month is not None,
        "status": status,
        "message": message,
        "latest_in_month": in_month,
        "latest_before_window_end": before_end,
    }
