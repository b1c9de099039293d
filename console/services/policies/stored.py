"""Documents that people store over a built-in one: rows and revisions of policies, read and written as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from console.core.context import Context
from console.core.records import view_of
from console.domain.errors import PreconditionFailed
from console.domain.text import T
from console.models.policies import Policy, PolicyRevision
from console.services.policies.policies import Revision, locked, write


@dataclass(frozen=True)
class Stored:
    """A stored document; an empty one means that the built-in one counts again. `updated_at` is aware UTC."""

    key: str
    document: Mapping[str, Any]
    revision: int
    updated_at: datetime
    updated_by: str


def all_of(ctx: Context, prefix: str) -> tuple[Stored, ...]:
    """Return every document whose key begins with `prefix`, in one query; permissions are the caller's business."""
    wanted = select(Policy).where(Policy.policy_key.startswith(prefix, autoescape=True)).order_by(Policy.policy_key)
    rows = ctx.session.scalars(wanted.execution_options(populate_existing=True))
    return tuple(
        Stored(row.policy_key, row.policy_json, row.version, row.updated_at, row.updated_by)
        for row in rows
        if row.version
    )


def put(
    ctx: Context, key: str, document: Mapping[str, Any], *, if_match: int, reason: str, changes: Mapping[str, Any]
) -> int:
    """Store a document as the next revision and return its number; an empty one gives way to the built-in one.

    Raises PreconditionFailed when it is no longer at revision `if_match` (0: never stored).
    """
    row = locked(ctx, key)
    if row.version != if_match:
        said = {"message": T("Somebody else changed the document meanwhile"), "current_revision": row.version}
        raise PreconditionFailed(said, code="revision_mismatch")
    source = "update" if document else "built_in"
    write(ctx, row, document, changes, reason=reason, source=source, proposal_id=None)
    return if_match + 1


def revisions(ctx: Context, key: str, *, limit: int = 50) -> tuple[Revision, ...]:
    """Return the changes of a document, newest first."""
    newest = select(PolicyRevision).where(PolicyRevision.policy_key == key).order_by(PolicyRevision.revision.desc())
    return tuple(view_of(Revision, row) for row in ctx.session.scalars(newest.limit(limit)))


def at_revision(ctx: Context, key: str, revision: int) -> Mapping[str, Any] | None:
    """Return a document as it was at a revision, None when there is no such revision."""
    wanted = select(PolicyRevision.policy_json).where(PolicyRevision.policy_key == key)
    found: Mapping[str, Any] | None = ctx.session.scalar(wanted.where(PolicyRevision.revision == revision))
    return found
