"""What people are called in channels that can name somebody, kept by themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select

from console.core.context import Context
from console.domain.alerts.alerts import NAMING, Channel
from console.domain.errors import Invalid, NotFound
from console.domain.text import T
from console.models.identity import User
from console.models.personal_alerts import PersonalName
from console.services.alerts import channels
from console.services.alerts.personal import account
from console.services.audit import record as audit

NAME_MOST = 120


@dataclass(frozen=True)
class NameView:
    """A channel in which people can be named, and what the caller is called there (empty: not named)."""

    channel: str
    title: str
    kind: str
    name: str


def list_own(ctx: Context) -> tuple[NameView, ...]:
    """Return the channels that concern the caller's sites and can name people: two queries at most."""
    rows = ctx.session.execute(
        select(PersonalName.channel, PersonalName.name).where(PersonalName.user_id == ctx.actor.user_id)
    )
    known = {row.channel: row.name for row in rows}
    return tuple(NameView(one.key, one.title, one.kind, known.get(one.key, "")) for one in _offered(ctx))


def keep(ctx: Context, channel: str, name: str) -> None:
    """Keep what the caller is called in a channel; an empty name is taken away.

    Raises Conflict for who has no account, NotFound for a channel that is none of theirs or names nobody, Invalid.
    """
    user = account(ctx, lock=True)
    if channel not in {one.key for one in _offered(ctx)}:
        raise NotFound(T("Alert channel not found"))
    name = name.strip()
    if len(name) > NAME_MOST or not name.isprintable():
        raise Invalid.field("name", T("A name is one line of at most %(most)s characters", most=NAME_MOST))
    mine = (PersonalName.user_id == user.id, PersonalName.channel == channel)
    row = ctx.session.scalar(select(PersonalName).where(*mine))
    if (row.name if row is not None else "") == name:
        return
    if not name:
        ctx.session.execute(delete(PersonalName).where(*mine))
    elif row is None:
        ctx.session.add(PersonalName(user_id=user.id, channel=channel, name=name, updated_at=ctx.now()))
    else:
        row.name, row.updated_at = name, ctx.now()
    ctx.session.flush()
    detail = {"channel": channel, "named": bool(name)}
    audit.record(ctx, "personal_name_update", "admin_user", user.id, detail=detail)


def in_channels(ctx: Context, keys: Iterable[str] | None = None) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return who is called what in each channel (of `keys`), by user name: one query."""
    wanted = select(PersonalName.channel, User.username, PersonalName.name).join(User, User.id == PersonalName.user_id)
    if keys is not None:
        wanted = wanted.where(PersonalName.channel.in_(list(keys)))
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in ctx.session.execute(wanted.where(User.is_active).order_by(PersonalName.id)):
        found[row.channel].append((row.username, row.name))
    return {key: tuple(pairs) for key, pairs in found.items()}


def _offered(ctx: Context) -> list[Channel]:
    return [one for one in channels.listed(ctx) if one.kind in NAMING and channels.concerns(ctx, one)]
