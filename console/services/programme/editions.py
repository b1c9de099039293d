"""The programme as it is published now: the built-in documents, and over them what owners have stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from console.core.context import Context
from console.domain.programme import documents
from console.domain.programme.catalogue import week_of
from console.domain.programme.documents import Document
from console.domain.programme.week import FRIDAY, WEEK_DAYS, Week
from console.inputs.pack_documents import problems
from console.services.common.query_cache import cached_query
from console.services.policies import stored

PUBLIC = "/api/public/adoption-plan"
PACK_KEY = "adoption_pack:"


@dataclass(frozen=True, eq=False)
class Edition:
    """Every document of the programme at one moment; the same object until one of them changes.

    `changed` says when the document of a week was changed last (aware UTC); without an entry nobody ever changed it.
    `own` are the weeks whose document is not the built-in one.
    """

    packs: Mapping[str, Document]
    plan: Document
    post_mvp: Document
    changed: Mapping[str, datetime]
    own: frozenset[str] = frozenset()

    @property
    def monday(self) -> date:
        """Return the first day of the calendar."""
        return date.fromisoformat(self.plan["start_date"])

    @property
    def published_at(self) -> datetime:
        """Return when the built-in content was published (aware UTC)."""
        return datetime.combine(date.fromisoformat(self.plan["published_on"]), time(), UTC)

    @property
    def weeks(self) -> tuple[Document, ...]:
        """Return the documents of all weeks in the order of the calendar."""
        return tuple(self.packs[code] for code in sorted(self.packs))

    @property
    def with_pack(self) -> tuple[Document, ...]:
        """Return the weeks that publish lists of their own."""
        return tuple(one for one in self.weeks if one["layout"])

    @property
    def end(self) -> date:
        """Return the Friday of the last week."""
        return self.days(max(self.packs))[1]

    def days(self, code: str) -> tuple[date, date]:
        """Return Monday and Friday of a week."""
        monday = self.monday + timedelta(days=WEEK_DAYS * (number(code) - 1))
        return monday, monday + timedelta(days=FRIDAY)

    def stamp(self, code: str | None = None) -> datetime:
        """Return when a week, or any of them, was changed last (aware UTC)."""
        if code is not None:
            return self.changed.get(code, self.published_at)
        return max(self.changed.values(), default=self.published_at)


def number(code: str) -> int:
    """Return the number of a week, 1 for the first of the calendar."""
    return int(code.removeprefix("w"))


def edition(ctx: Context) -> Edition:
    """Return the programme as everybody may read it; one question to the database at most."""
    # Documents are compared by what they are: a week that was added is another programme.
    key = ("programme_edition", tuple((code, id(one)) for code, one in documents.PACKS.items()))
    found: tuple[Edition] = cached_query(ctx, key, lambda: (_read(ctx),))
    return found[0]


def _read(ctx: Context) -> Edition:
    packs, changed = dict(documents.PACKS), {}
    for one in stored.all_of(ctx, PACK_KEY):
        code = one.key.removeprefix(PACK_KEY)
        # Built in again, taken out of the programme, or written for an older form of it: the built-in one counts.
        if one.document and code in packs and not problems(one.document):
            packs[code] = one.document
        if code in packs:
            changed[code] = one.updated_at
    own = frozenset(code for code in changed if packs[code] is not documents.PACKS[code])
    return Edition(packs, documents.PLAN, documents.POST_MVP, changed, own)


def with_pack(found: Edition, document: Document, now: datetime) -> Edition:
    """Return an edition in which one week is another document, changed at `now` (aware UTC)."""
    code = document["code"]
    return replace(
        found, packs={**found.packs, code: document}, changed={**found.changed, code: now}, own=found.own | {code}
    )


def week_now(ctx: Context, week: Week) -> Week:
    """Return a week with the entries of its document as it counts now; a week without one stays as it is."""
    found = edition(ctx)
    return week_of(found.packs[week.code]) if week.code in found.own else week
