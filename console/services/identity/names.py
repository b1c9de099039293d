"""How the people behind user names are called, for pages that name them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from console.core.context import Context
from console.models.identity import User


def names_of(ctx: Context, usernames: Iterable[str | None]) -> dict[str, str]:
    """Return the names of users by user name; who is no user is not in it. One query, none for nobody."""
    wanted = sorted({name for name in usernames if name})
    if not wanted:
        return {}
    rows = ctx.session.execute(select(User.username, User.display_name).where(User.username.in_(wanted)))
    return {row.username: row.display_name or row.username for row in rows}


def name_of(ctx: Context, username: str | None) -> str:
    """Return how one person is called; a name that is no user's stays as it is."""
    return names_of(ctx, (username,)).get(username or "", username or "")
