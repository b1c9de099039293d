"""Who can be given an item: people who may really work on it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from console.core.context import Context
from console.domain.identity.iam import added_permissions, effective_permissions
from console.domain.identity.scope import ALL_SITES
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.models.identity import User
from console.services.common.query_cache import cached_query


@dataclass(frozen=True)
class Candidate:
    """A person to choose from."""

    username: str
    name: str


def candidates(ctx: Context, site: str | None = None, programme: TrackerKind = REMEDIATION) -> tuple[Candidate, ...]:
    """Return the active users who hold the write permission and see `site` (None: the platform), by name."""
    ctx.actor.require(*programme.read)
    return cached_query(ctx, ("candidates", site, programme.write), lambda: _candidates(ctx, site, programme))


def _candidates(ctx: Context, site: str | None, programme: TrackerKind) -> tuple[Candidate, ...]:
    wanted = select(User.username, User.display_name, User.role, User.permissions, User.site_scope)
    people = ctx.session.execute(wanted.where(User.is_active).order_by(User.display_name, User.username))
    return tuple(
        Candidate(row.username, row.display_name or row.username)
        for row in people
        if _may_work(row.role, row.permissions, programme)
        and (site is None or row.site_scope == ALL_SITES or site in row.site_scope)
    )


def _may_work(role: str, own: tuple[str, ...], programme: TrackerKind) -> bool:
    held = set(effective_permissions(role, own)) | added_permissions(role)
    return "*" in held or bool(held & set(programme.write))
