"""Inputs of workflow locks (API contract, workflow locks)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from console.core.serialize import to_json
from console.inputs.base import AnyObject, BodyModel, PathModel, QueryModel, RowId, SiteFilter, SiteName

CONTENT_LIMIT = 64 * 1024
COMMENT_LIMIT = 2000
NAME_LIMIT = TICKET_LIMIT = 120


def _bounded(content: dict[str, Any]) -> dict[str, Any]:
    if len(to_json(content)) > CONTENT_LIMIT:
        raise ValueError(f"must be at most {CONTENT_LIMIT} characters as JSON")
    return content


Content = Annotated[AnyObject, AfterValidator(_bounded)]
Comment = Annotated[str, Field(max_length=COMMENT_LIMIT)]
Ticket = Annotated[str, Field(max_length=TICKET_LIMIT)]


class LockPath(PathModel):
    """A workflow lock by id."""

    lock_id: RowId


class LocksQuery(QueryModel):
    """Which locks, newest first."""

    site: SiteFilter = None
    status: str | None = Field(None, max_length=40)
    workflow_key: str | None = Field(None, max_length=NAME_LIMIT)
    limit: int = Field(50, ge=1, le=200)
    offset: int = Field(0, ge=0, le=2**31 - 1)


class LockIn(BodyModel):
    """A new draft."""

    site: SiteName
    workflow_key: str = Field(min_length=1, max_length=NAME_LIMIT)
    content: Content = Field(default_factory=dict)
    requested_ticket: Ticket | None = None


class DraftIn(BodyModel):
    """A change of a draft; null keeps what stands there, `content` replaces the whole."""

    content: Content | None = None
    requested_ticket: Ticket | None = None
    comment: Comment = ""


class StepIn(BodyModel):
    """A step on the way of a lock; each step reads what it needs of this."""

    comment: Comment = ""
    reason: Comment = ""
    requested_ticket: Ticket | None = None
