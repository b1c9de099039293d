"""Owners edit the document of a week: revisions over the built-in one, and the way back to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.core.context import Context
from console.domain.errors import Invalid, NotFound
from console.domain.programme import documents
from console.domain.programme.documents import Document
from console.domain.programme.week import PHASES
from console.domain.text import N_, T
from console.inputs.pack_documents import problems
from console.services.audit import record as audit
from console.services.policies import stored
from console.services.policies.policies import Revision
from console.services.programme.editions import PACK_KEY, Edition, edition, with_pack

MANAGE = "admins:manage"
RESOURCE = "adoption_pack"
# What names a week in files, in addresses and in the tracker; it stays as it was built in.
FIXED = ("code", "slug", "layout", "tracker", "calendar", "links")
_KEYS = ("id", "doc_id", "step_id", "mistake_key", "sample_id")


@dataclass(frozen=True)
class PackView:
    """The document of a week as it counts now; `updated_at` is aware UTC, `revision` 0 while nobody has stored one.

    `source` is `built_in` or `stored`.
    """

    code: str
    source: str
    revision: int
    updated_at: datetime
    updated_by: str
    document: Document


def packs(ctx: Context) -> tuple[PackView, ...]:
    """Return every week with its source, to those who may change it: two queries at most."""
    ctx.actor.require(MANAGE)
    found, rows = edition(ctx), {one.key: one for one in stored.all_of(ctx, PACK_KEY)}
    return tuple(_view(found, one["code"], rows) for one in found.with_pack)


def pack(ctx: Context, code: str) -> PackView:
    """Return the document of a week; raises NotFound."""
    ctx.actor.require(MANAGE)
    found, rows = edition(ctx), {one.key: one for one in stored.all_of(ctx, PACK_KEY)}
    if code not in {one["code"] for one in found.with_pack}:
        raise NotFound(N_("Not Found"))
    return _view(found, code, rows)


def _view(found: Edition, code: str, rows: Mapping[str, stored.Stored]) -> PackView:
    row = rows.get(PACK_KEY + code)
    source = "stored" if code in found.own else "built_in"
    if row is None:
        return PackView(code, source, 0, found.published_at, "system", found.packs[code])
    return PackView(code, source, row.revision, row.updated_at, row.updated_by, found.packs[code])


def checked(code: str, document: Mapping[str, Any]) -> Document:
    """Return a document that may stand for a week; raises Invalid with every place that does not fit."""
    base = documents.PACKS[code]
    moved = [name for name in FIXED if document.get(name) != base[name]]
    if moved:
        raise Invalid.field(moved[0], T("This part of a week cannot be changed"))
    if document.get("phase") not in (base["phase"], *PHASES):
        raise Invalid.field("phase", T("must be one of: %(words)s", words=", ".join(PHASES)))
    wrong = problems(document)
    if wrong:
        raise Invalid(
            [{"type": "value_error", "loc": ["body", *place.split(".")], "msg": said} for place, said in wrong[:20]]
        )
    missing = _ids(base) - _ids(document)
    if missing:
        name, key = min(missing)
        raise Invalid.field(f"lists.{name}", T("%(key)s is published and stays", key=key))
    return dict(document)


def _ids(document: Document) -> set[tuple[str, str]]:
    lists = {**document["lists"], "samples": document.get("samples", ())}
    return {(name, str(row[key])) for name, rows in lists.items() for row in rows for key in _KEYS if key in row}


def save(ctx: Context, code: str, document: Mapping[str, Any], *, if_match: int, reason: str = "") -> PackView:
    """Store a document over the built-in one, for everybody at once.

    What comes out as it was leaves no revision. Raises NotFound, Invalid, and PreconditionFailed when somebody else
    changed it after revision `if_match`.
    """
    ctx.actor.require_all_sites()
    before = pack(ctx, code)
    made = checked(code, document)
    if made == before.document and if_match == before.revision:
        return before
    moved = dict(_changes(before.document, made))
    number = stored.put(ctx, PACK_KEY + code, made, if_match=if_match, reason=reason, changes=moved)
    detail = {"revision": number, "changes": moved, "reason": reason}
    audit.record(ctx, "adoption_pack_update", RESOURCE, code, detail=detail)
    return pack(ctx, code)


def to_built_in(ctx: Context, code: str, *, if_match: int, reason: str = "") -> PackView:
    """Let the built-in document count again, as a revision of its own; the same errors as `save`."""
    ctx.actor.require_all_sites()
    before = pack(ctx, code)
    moved = dict(_changes(before.document, documents.PACKS[code]))
    number = stored.put(ctx, PACK_KEY + code, {}, if_match=if_match, reason=reason, changes=moved)
    audit.record(ctx, "adoption_pack_reset", RESOURCE, code, detail={"revision": number, "reason": reason})
    return pack(ctx, code)


def restore(ctx: Context, code: str, revision: int, *, if_match: int) -> PackView:
    """Store a week as it was at an earlier revision; raises NotFound for one that never was."""
    pack(ctx, code)
    found = stored.at_revision(ctx, PACK_KEY + code, revision)
    if found is None:
        raise NotFound(N_("Not Found"))
    reason = f"revision {revision}"
    if not found:
        return to_built_in(ctx, code, if_match=if_match, reason=reason)
    return save(ctx, code, found, if_match=if_match, reason=reason)


def revisions(ctx: Context, code: str) -> tuple[Revision, ...]:
    """Return the changes of a week's document, newest first; raises NotFound."""
    pack(ctx, code)
    return stored.revisions(ctx, PACK_KEY + code)


def filled(document: Document, values: Mapping[str, str]) -> dict[str, Any]:
    """Return a document with the texts of a form at their places; numbers and switches are read as such.

    What cannot be read stays a text, which `save` refuses with its place.
    """
    made: dict[str, Any] = deepcopy(dict(document))
    for place, before in list(leaves(document)):
        if place in values:
            part: Any = made
            *way, last = place.split(".")
            for name in way:
                part = part[int(name)] if isinstance(part, list) else part[name]
            part[int(last) if isinstance(part, list) else last] = _read(before, values[place])
    return made


def _read(before: Any, text: str) -> Any:
    text = text.replace("\r\n", "\n").strip()
    if isinstance(before, bool):
        return text == "true"
    if isinstance(before, (int, float)):
        try:
            return type(before)(text)
        except ValueError:
            return text
    return text


def preview(ctx: Context, code: str, document: Mapping[str, Any]) -> Edition:
    """Return the programme as it would be with a document, stored nowhere; raises as `save` does."""
    pack(ctx, code)
    return with_pack(edition(ctx), checked(code, document), ctx.now())


def leaves(part: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Return every value of a document with its place, such as `lists.scheduled_events.0.title.ko`."""
    if isinstance(part, Mapping):
        for name, value in part.items():
            yield from leaves(value, f"{place}.{name}" if place else str(name))
    elif isinstance(part, (list, tuple)):
        for number, value in enumerate(part):
            yield from leaves(value, f"{place}.{number}")
    else:
        yield place, part


def _changes(old: Document, new: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    before, after = dict(leaves(old)), dict(leaves(new))
    for place in dict.fromkeys((*before, *after)):
        if before.get(place) != after.get(place):
            yield place, {"old": before.get(place), "new": after.get(place)}
