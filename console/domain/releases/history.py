"""What a release changed against the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from console.domain.text import T, Text


@dataclass(frozen=True)
class Seen:
    """What was seen of a release: the checklist's version and signature, and the ids of the findings."""

    version: str
    signature: str
    findings: tuple[str, ...]


def changes(now: Seen, before: Seen | None) -> tuple[Text, ...]:
    """Return sentences: the checklist, findings that are new, findings that are gone; none when nothing changed."""
    if before is None:
        return (T("First record"),)
    return tuple(_changes(now, before))


def _changes(now: Seen, before: Seen) -> Iterator[Text]:
    if now.version != before.version:
        yield T("Checklist %(before)s → %(now)s", before=before.version or "–", now=now.version or "–")
    elif now.signature != before.signature:
        yield T("Content of the checklist changed")
    new = len(set(now.findings) - set(before.findings))
    gone = len(set(before.findings) - set(now.findings))
    if new:
        yield T("New findings: %(count)s", count=new)
    if gone:
        yield T("Findings gone: %(count)s", count=gone)
