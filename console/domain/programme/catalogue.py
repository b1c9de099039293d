"""The weeks that have a tracker, made from their documents: routes, pages and permissions follow from it."""

from __future__ import annotations

from collections.abc import Iterator

from console.domain.programme.documents import PACKS, Document
from console.domain.programme.layouts import LAYOUTS, Tracked
from console.domain.programme.week import Entry, EntryType, Week


def week_of(document: Document) -> Week:
    """Return the week of a document with the entries of its lists, in the order of their layout.

    Raises ValueError with the name of the document when it lacks what a week needs.
    """
    try:
        return _week_of(document)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{document.get('code')}.json: {type(error).__name__} {error}") from error


def _week_of(document: Document) -> Week:
    lists = document["lists"]
    kinds = (one for one in LAYOUTS[document["layout"]].lists if one.tracked)
    return Week(
        code=document["code"],
        focus=document["focus"]["en"],
        phase=document["phase"],
        owner=document["owner"],
        goal=document["success_metric"]["en"],
        types=tuple(_type(kind.tracked, lists[kind.field]) for kind in kinds if kind.tracked),
    )


def _type(tracked: Tracked, rows: list[Document]) -> EntryType:
    entries = tuple(
        Entry(
            key=row["id"],
            name=row[tracked.name]["en"],
            owner=row[tracked.owner],
            day=row.get("day") if "end_time" in row else None,
            start=row.get("start_time", ""),
            end=row.get("end_time", ""),
            evidence=False if row.get("evidence_required") is False else None,
            korean=row[tracked.name]["ko"],
        )
        for row in rows
    )
    return EntryType(tracked.word, tracked.label, entries, tracked.evidence)


def texts_of(document: Document) -> Iterator[tuple[str, str]]:
    """Return the texts of a document that pages look up by their English, as `(English, Korean)`."""
    yield from ((document[name]["en"], document[name]["ko"]) for name in ("focus", "success_metric"))
    if document["tracker"]:
        yield from ((one.entry.name, one.entry.korean) for one in week_of(document).entries)


# Insertion order is the order of the pages.
WEEKS: dict[str, Week] = {code: week_of(one) for code, one in PACKS.items() if one["tracker"]}


def reads() -> tuple[str, ...]:
    """Return the permissions that show a week, one for each."""
    return tuple(permission for week in WEEKS.values() for permission in week.programme.read)
