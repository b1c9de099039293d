"""The list of archives: what was kept, and what a look at each of them finds now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Select, or_, select

from console.core.context import Context
from console.core.filters import day_filters
from console.core.listing import Filter, ListQuery, ListSpec
from console.core.records import INTERNAL, Fact, columns_of
from console.domain.archives.archives import ArchiveKind
from console.domain.text import N_
from console.models.archives import StoredFile
from console.services.archives import files
from console.services.common import lists
from console.services.common.sql import contains

FORMATS = (("pdf", "PDF"), ("json", "JSON"), ("csv", "CSV"))


@dataclass(frozen=True)
class ArchiveRow:
    """One archive. `state` is what a look at its file found; it is read where the archive is shown."""

    id: Annotated[int, INTERNAL]
    kind: Annotated[str, INTERNAL]
    label: Annotated[str, Fact(N_("Period"), sort=True)]
    name: Annotated[str, Fact(N_("File"), sort=True, shown=False)]
    created_at: Annotated[datetime, Fact(N_("Kept since"), sort=True)]
    size: Annotated[int, Fact(N_("Size"), numeric=True, sort=True)]
    run_id: Annotated[int | None, Fact(N_("Run"))]
    sha256: Annotated[str, Fact("SHA-256", shown=False)]
    filed: Annotated[bool, INTERNAL]
    checked_at: Annotated[datetime | None, Fact(N_("Last read"), sort=True, shown=False)]
    problem: Annotated[str | None, INTERNAL]
    state: Annotated[str, Fact(N_("State of the file"))] = ""


_FIELDS = [getattr(StoredFile, name) for name in ArchiveRow.__dataclass_fields__ if name != "state"]


def _format(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return or_(*(StoredFile.name.like(f"%.{word}") for word in words))


def spec(name: str, kind: ArchiveKind, read: tuple[str, ...]) -> ListSpec:
    """Return the declaration of the list of one kind of archive, for those who hold one of the permissions `read`."""

    def base(_ctx: Context) -> Select[*tuple[Any, ...]]:
        return select(*_FIELDS).where(StoredFile.kind == kind.key)

    return ListSpec(
        name=name,
        read=read,
        base=base,
        row=lambda row: ArchiveRow(*row),
        key=StoredFile.id,
        columns=columns_of(
            ArchiveRow, StoredFile, *("label", "name", "state", "size", "created_at", "run_id", "checked_at", "sha256")
        ),
        filters=(
            Filter("format", N_("Format"), "choice", _format, FORMATS),
            *day_filters(StoredFile.created_at),
        ),
        search=lambda _ctx, text: contains(StoredFile.name.expression, text),
        order=(StoredFile.created_at.desc(),),
        count_cap=10_000,
    )


def verified(ctx: Context, rows: Iterable[ArchiveRow]) -> tuple[ArchiveRow, ...]:
    """Read the file of each row again and return the rows with what became of it."""
    return tuple(
        replace(row, state=files.state_of(ctx, row.kind, row.name, row.sha256, filed=row.filed)) for row in rows
    )


def stream(ctx: Context, declared: ListSpec, query: ListQuery) -> Iterator[ArchiveRow]:
    """Return all rows of a query, each with what became of its file, for exports."""
    for row in lists.stream(ctx, declared, query):
        yield from verified(ctx, [row])
