"""The audit log as people and automation read it: filtered, newest first (contract 10.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, false, func, literal_column, not_, or_, select

from console.core.context import Context
from console.core.database import dump_json
from console.core.records import Fact, view_of
from console.domain.audit.chain import Anchor, ChainVerifier
from console.domain.audit.entry import detail_object
from console.domain.errors import NotFound
from console.domain.identity.iam import ADMIN
from console.domain.text import N_, T
from console.models.audit import AuditLog
from console.services.audit.append import LOGS
from console.services.audit.keys import chain_keys
from console.services.audit.reader import batches

READ = ("admins:manage", "audit:read")
COUNT_CAP = 10_000


@dataclass(frozen=True)
class LogEntry:
    """One entry; the first nine fields are those of the API contract. `created_at` is aware UTC."""

    id: int
    actor_user_id: int | None
    actor_username: Annotated[str, Fact(N_("Actor"))]
    action: Annotated[str, Fact(N_("What"))]
    resource_type: Annotated[str, Fact(N_("Kind"), shown=False)]
    resource_id: Annotated[str, Fact(N_("On what"))]
    status: Annotated[str, Fact(N_("Result"))]
    detail: Annotated[dict[str, Any], Fact(N_("Detail"), shown=False, answer=dict[str, Any])]
    created_at: Annotated[datetime, Fact(N_("When"), sort=LOGS.c.seq)]
    seq: Annotated[int, Fact(N_("Sequence"), numeric=True, shown=False)]
    request_id: Annotated[str | None, Fact(N_("Request"), shown=False)]

    def __hash__(self) -> int:
        return hash((self.seq, self.created_at))


SHOWN = [LOGS.c["detail_json" if name == "detail" else name] for name in LogEntry.__dataclass_fields__]


def visible(ctx: Context) -> Iterator[ColumnElement[bool]]:
    """Return the conditions under which the caller may see an entry; raises PermissionDenied without any right.

    With `admins:manage`, or for all sites, that is every entry (API contract, site scope). Others see the entries of
    their sites, and of those without a site the ones by or about themselves. An entry belongs to the site that its
    detail names, or that it is about.
    """
    actor = ctx.actor
    actor.require(*READ)
    if actor.can(ADMIN) or actor.all_sites:
        return
    # Inside a text of the detail these quotes are escaped: only a name and its value look like this.
    named = [_holds(ctx, f'"site": {dump_json(site)}') for site in actor.site_scope]
    about = LOGS.c.resource_type.endswith("_site", autoescape=True) & LOGS.c.resource_id.in_(actor.site_scope)
    own: ColumnElement[bool] = false()
    if actor.user_id is not None:
        account = (LOGS.c.resource_type == "admin_user") & (LOGS.c.resource_id == str(actor.user_id))
        of_a_site = or_(_holds(ctx, '"site": "'), LOGS.c.resource_type.endswith("_site", autoescape=True))
        own = or_(LOGS.c.actor_user_id == actor.user_id, account) & not_(of_a_site)
    yield or_(about, own, *named)


def check_whole(ctx: Context) -> None:
    """Raise PermissionDenied unless the caller may read the whole log: its months, archives and the chain."""
    ctx.actor.require(*READ)
    if not ctx.actor.can(ADMIN):
        ctx.actor.require_all_sites()


def _holds(ctx: Context, text: str) -> ColumnElement[bool]:
    find = func.instr if ctx.session.get_bind().dialect.name == "sqlite" else func.strpos
    return find(LOGS.c.detail_json, text) > 0


def unsuccessful(*statuses: str) -> Iterator[ColumnElement[bool]]:
    """Return the condition that lets the index of what did not succeed serve a filter by these statuses.

    The index leaves out "success" by a constant; a bound word alone does not tell the database that it fits.
    """
    if "success" not in statuses:
        yield LOGS.c.status != literal_column("'success'")


def entry_of(row: Any) -> LogEntry:
    """Return a stored row as it is shown; an unreadable detail is shown as text."""
    return view_of(LogEntry, row, detail=detail_object(row.detail_json))


@dataclass(frozen=True)
class LogDetail:
    """One entry with its proofs, and the entries of the same request; `intact` tells whether its own proofs fit."""

    entry: LogEntry
    created_text: str
    prev_hash: str | None
    entry_hash: str | None
    keyed_hash: str | None
    key_id: str | None
    intact: bool
    siblings: tuple[LogEntry, ...]


def get(ctx: Context, entry_id: int) -> LogDetail:
    """Return one entry with hashes; raises NotFound, and PermissionDenied without `admins:manage` or `audit:read`."""
    seen = list(visible(ctx))
    row = ctx.session.scalar(select(AuditLog).where(AuditLog.id == entry_id, *seen)) if 0 < entry_id < 2**63 else None
    if row is None:
        raise NotFound(T("There is no such entry"))
    siblings: tuple[LogEntry, ...] = ()
    if row.request_id:
        same = select(*SHOWN).where(LOGS.c.request_id == row.request_id, LOGS.c.id != row.id, *seen)
        siblings = tuple(entry_of(other) for other in ctx.session.execute(same.order_by(LOGS.c.seq).limit(20)))
    return view_of(LogDetail, row, entry=entry_of(row), intact=_intact(ctx, row), siblings=siblings)


def _intact(ctx: Context, row: AuditLog) -> bool:
    """Return whether one row is what was written, taking its own word about its predecessor."""
    verifier = ChainVerifier(Anchor(row.seq - 1, row.prev_hash or ""), chain_keys(ctx.config).known)
    for rows in batches(ctx.session, row.seq, row.seq):
        verifier.feed(rows)
    return verifier.issue_count == 0
