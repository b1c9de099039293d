"""Who can be given a work order: people who may work on orders of its site."""

from __future__ import annotations

from collections.abc import Mapping

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
    return tuple(
        (username, name)
        for username, name, worker in cached_query(ctx, "order_workers", lambda: _people(ctx))
        if able.obstacle(worker, (WRITE,), site) is None
    )


def of_sites(ctx: Context, sites: Mapping[str, int]) -> tuple[tuple[str, str, int], ...]:
    """Return `(username, name, number)` of the people who may work at some of these sites, those for most first.

    `sites` says how many orders are at each; the number is how many of them the person may work on.
    """
    found: dict[str, tuple[str, int]] = {}
    for site, number in sites.items():
        for username, name in of_site(ctx, site):
            found[username] = (name, found.get(username, (name, 0))[1] + number)
    ranked = sorted(found.items(), key=lambda one: (-one[1][1], one[1][0]))
    return tuple((username, name, number) for username, (name, number) in ranked)


def _people(ctx: Context) -> tuple[tuple[str, str, Worker], ...]:
    columns = (User.username, User.display_name, User.role, User.permissions, User.site_scope, User.is_active)
    people = ctx.session.execute(select(*columns).where(User.is_active).order_by(User.display_name, User.username))
    return tuple(
        (row.username, row.display_name or row.username, Worker(row.role, row.permissions, row.site_scope))
        for row in people
    )
