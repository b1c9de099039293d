"""The list of workflow locks, for its page and for the API."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, case, select

from console.core.context import Context
from console.core.filters import exact, one_of
from console.core.listing import AnySelect, Choices, Filter, ListQuery, ListSpec
from console.core.records import columns_of
from console.domain.errors import BadRequest
from console.domain.text import N_, T
from console.domain.workflow_locks.locks import STATES
from console.models.workflow_locks import WorkflowLock
from console.services.common.lists import Slice, slice_of
from console.services.common.sql import contains
from console.services.identity import sites
from console.services.workflow_locks.locks import READ_ACCESS, STATUS_WORDS, LockView, view

BAD_STATUS = N_("Invalid workflow lock status")


def _base(ctx: Context) -> AnySelect:
    found = select(WorkflowLock)
    return found if ctx.actor.all_sites else found.where(WorkflowLock.site.in_(ctx.actor.site_scope))


def _sites(ctx: Context) -> Choices:
    return [(name, name) for name in sites.names(ctx)]


def _site(ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    for name in words:
        ctx.actor.require_site(name)
    return WorkflowLock.site.in_(words)


# What waits for somebody first.
_WAITING = case({"review": 0, "approved": 1, "draft": 2, "locked": 3}, value=WorkflowLock.status, else_=4)
LOCKS = ListSpec(
    name="workflow_locks",
    read=(READ_ACCESS,),
    base=_base,
    row=lambda row: view(row[0]),
    key=WorkflowLock.id,
    columns=columns_of(
        LockView,
        WorkflowLock,
        *("workflow_key", "site", "status", "last_comment", "updated_by", "updated_at"),
        *("requested_ticket", "created_by", "approved_by", "created_at"),
    ),
    filters=(
        Filter("status", N_("Status"), "choice", one_of(WorkflowLock.status), tuple(STATUS_WORDS.items())),
        Filter("site", N_("Site"), "choice", _site, _sites, shown=False),
    ),
    search=lambda _ctx, text: (
        contains(WorkflowLock.workflow_key.expression, text) | contains(WorkflowLock.requested_ticket.expression, text)
    ),
    order=(_WAITING, WorkflowLock.updated_at.desc()),
    count_cap=10_000,
)
_FOR_PROGRAMS = replace(
    LOCKS,
    name="workflow_locks_api",
    filters=exact(WorkflowLock, "site", "status", "workflow_key"),
    order=(WorkflowLock.created_at.desc(),),
    count_cap=None,
)


def listed(ctx: Context, query: ListQuery, *, limit: int, offset: int) -> Slice:
    """Return locks of the caller's sites, newest first; raises BadRequest for a word that is no status, SiteDenied."""
    for word in query.filters.get("status", ()):
        if word not in STATES:
            raise BadRequest(T(BAD_STATUS))
    for site in query.filters.get("site", ()):
        ctx.actor.require_site(site)
    return slice_of(ctx, _FOR_PROGRAMS, query, limit=limit, offset=offset)
