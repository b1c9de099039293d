"""Who can be given a work order: people who may work on orders of its site."""

from __future__ import annotations

from sqlalchemy import select

from console.core.context import Context
from console.domain.identity import able
from console.domain.identity.able import Worker
from console.models.identity import User
from console.services.common.query_cache import cached_query
from console.services.work_orders.rows import READ, WRITE


def of_site(ctx: Context, site: str) -> tuple[tuple[str, str], ...]:
    """Return `(username, name)` of the people who may work on orders of a site, by name."""
    ctx.actor.require(READ)
    return cached_query(ctx, ("order_workers", site), lambda: _of_site(ctx, site))


def _of_site(ctx: Context, site: str) -> tuple[tuple[str, str], ...]:
    columns = (User.username, User.display_name, User.role, User.permissions, User.site_scope, User.is_active)
    people = ctx.session.execute(select(*columns).where(User.is_active).order_by(User.display_name, User.username))
    return tuple(
        (row.username, row.display_name or row.username)
        for row in people
        if able.obstacle(Worker(row.role, row.permissions, row.site_scope), (WRITE,), site) is None
    )
