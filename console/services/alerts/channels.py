"""The channels: those of the settings, which are built in, and those that people make, change, pause and take up again.

The address of one that people made is written once and sealed; nobody reads it again but the sender.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError

from console.adapters import sealed_text, webhooks
from console.adapters.webhooks import Resolve
from console.core.config import Config
from console.core.context import Context
from console.core.records import view_of
from console.core.secret_key import secret_key
from console.domain.alerts.alerts import MAIL, SLACK, TEAMS, WEBHOOK, Channel, channel, masked
from console.domain.alerts.routing import LEVELS, Wants
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.text import T
from console.models.alerts import AlertChannel
from console.services.alerts import states
from console.services.audit import record as audit
from console.services.common.query_cache import cached_query
from console.services.identity import sites as known_sites

READ = ("admins:manage", "alerts:read")
ADMIN = "admins:manage"
KINDS = (WEBHOOK, SLACK, TEAMS, MAIL)
# What the keys of channels that people made begin with.
_MADE = "made-"
_SEPARATORS = re.compile(r"[,;\n]")
_SOURCES = (
    ("ALERT_WEBHOOK_URLS", WEBHOOK),
    ("ALERT_WEBHOOK_URL", WEBHOOK),
    ("ALERT_SLACK_URLS", SLACK),
    ("ALERT_TEAMS_URLS", TEAMS),
    ("ALERT_MAIL_TO", MAIL),
)
_COPY_SOURCES = (("AUDIT_CHECKPOINT_COPY_URLS", WEBHOOK), ("AUDIT_CHECKPOINT_COPY_MAIL_TO", MAIL))


@dataclass(frozen=True)
class ChannelView:
    """A channel that people made; `target` is its masked address, empty lists are no limit."""

    key: str
    name: str
    kind: str
    target: str
    event_types: tuple[str, ...]
    least_level: str
    sites: tuple[str, ...]
    paused: bool
    paused_reason: str
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True)
class Wish:
    """What a channel shall be; without `address` the stored one stays."""

    name: str
    kind: str
    address: str = ""
    event_types: Sequence[str] = ()
    least_level: str = "info"
    sites: Sequence[str] = ()


def built_in(config: Config) -> tuple[Channel, ...]:
    """Return the channels of the settings in their order, each once."""
    return _configured(config, _SOURCES)


def copy_channels(config: Config) -> tuple[Channel, ...]:
    """Return the channels that get a copy of every audit checkpoint, and no alert."""
    return _configured(config, _COPY_SOURCES)


def _configured(config: Config, sources: Iterable[tuple[str, str]]) -> tuple[Channel, ...]:
    found: dict[str, Channel] = {}
    for name, kind in sources:
        for part in _SEPARATORS.split(config[name]):
            if part.strip():
                one = channel(kind, part.strip())
                found.setdefault(one.key, one)
    return tuple(found.values())


def listed(ctx: Context) -> tuple[Channel, ...]:
    """Return all channels of alerts, those of the settings first; what people made comes without its address."""
    made = cached_query(ctx, "alert_channels", lambda: tuple(_closed(row) for row in ctx.session.scalars(_ALL)))
    return (*built_in(ctx.config), *made)


_ALL = select(AlertChannel).order_by(AlertChannel.id)


def _closed(row: AlertChannel) -> Channel:
    wants = Wants(frozenset(row.event_types), row.least_level, frozenset(row.sites))
    return Channel(row.key, row.kind, "", row.name, row.target, row.paused, wants)


def made_count() -> ColumnElement[int]:
    """Return the column that counts the channels that people made, whoever sees them."""
    return select(func.count()).select_from(AlertChannel).scalar_subquery()


def is_made(key: str) -> bool:
    """Return whether a key is that of a channel that people made; these are never deleted."""
    return key.startswith(_MADE)


def seen(ctx: Context) -> tuple[Channel, ...]:
    """Return the channels that the caller may see: those of other sites are nobody else's."""
    ctx.actor.require(*READ)
    return tuple(one for one in listed(ctx) if _sees(ctx, one.wants.sites))


def concerns(ctx: Context, channel: Channel) -> bool:
    """Return whether a channel is one of the caller's sites."""
    return _sees(ctx, channel.wants.sites)


def _sees(ctx: Context, sites: Collection[str]) -> bool:
    return ctx.actor.all_sites or not sites or any(site in ctx.actor.site_scope for site in sites)


def known(ctx: Context) -> dict[str, Channel]:
    """Return every channel by its key, also those of checkpoint copies, without the sealed addresses."""
    return {one.key: one for one in (*listed(ctx), *copy_channels(ctx.config))}


def opened(ctx: Context) -> dict[str, Channel]:
    """Return every channel by its key with its address, for whoever sends."""
    found = {one.key: one for one in (*built_in(ctx.config), *copy_channels(ctx.config))}
    for row in ctx.session.scalars(_ALL):
        found[row.key] = replace(_closed(row), address=address_of(ctx, row.address, row.key))
    return found


def sealed(ctx: Context, address: str, about: str) -> str:
    """Return an address as it is stored."""
    return sealed_text.seal(secret_key(ctx.config), address, about)


def address_of(ctx: Context, sealed: str, about: str) -> str:
    """Return a sealed address; empty for one that this installation's key does not open."""
    try:
        return sealed_text.unseal(secret_key(ctx.config), sealed, about)
    except sealed_text.UnsealError:
        return ""


def view(row: AlertChannel) -> ChannelView:
    """Return what may be shown of a channel."""
    return view_of(ChannelView, row, event_types=tuple(row.event_types), sites=tuple(row.sites))


def all_made(ctx: Context) -> tuple[ChannelView, ...]:
    """Return the channels that people made and that the caller may see, by name."""
    ctx.actor.require(*READ)
    rows = ctx.session.scalars(select(AlertChannel).order_by(AlertChannel.name, AlertChannel.id))
    return tuple(view(row) for row in rows if _sees(ctx, row.sites))


def get(ctx: Context, key: str) -> ChannelView:
    """Return one channel that people made; raises NotFound, also for those of other sites."""
    ctx.actor.require(*READ)
    return view(_load(ctx, key))


def create(ctx: Context, wish: Wish, *, look_up: Resolve = webhooks.resolve) -> ChannelView:
    """Make a channel; its address is never shown again.

    Raises PermissionDenied, GlobalScopeRequired, Invalid for a value that cannot be, Conflict for a name that exists.
    """
    _may_change(ctx)
    address = checked(ctx, wish.kind, wish.address, look_up)
    now, key = ctx.now(), f"{_MADE}{uuid4().hex[:12]}"
    row = AlertChannel(
        key=key,
        kind=wish.kind,
        address=sealed(ctx, address, key),
        target=masked(address)[:400],
        created_by=ctx.actor.username,
        created_at=now,
        updated_at=now,
        **_values(ctx, wish),
    )
    _store(ctx, row)
    audit.record(ctx, "alert_channel_create", "alert_channel", key, detail=_told(row))
    return view(row)


def change(ctx: Context, key: str, wish: Wish, *, version: int, look_up: Resolve = webhooks.resolve) -> ChannelView:
    """Change a channel; without an address the stored one stays, and its kind with it.

    Raises as `create` does, NotFound, and Conflict when `version` is not the current one.
    """
    _may_change(ctx)
    row = _load(ctx, key, lock=True)
    _same_version(row, version)
    before = _told(row)
    if wish.address.strip():
        address = checked(ctx, wish.kind, wish.address, look_up)
        row.kind, row.target = wish.kind, masked(address)[:400]
        row.address = sealed(ctx, address, key)
    for name, value in _values(ctx, wish).items():
        setattr(row, name, value)
    _moved(ctx, row)
    _store(ctx, row)
    detail = {"before": before, "after": _told(row), "address_changed": bool(wish.address.strip())}
    audit.record(ctx, "alert_channel_update", "alert_channel", key, detail=detail)
    return view(row)


def pause(ctx: Context, key: str, *, paused: bool, reason: str, version: int) -> ChannelView:
    """Stop a channel, with a reason, or take it up again; what is due meanwhile waits.

    Raises PermissionDenied, NotFound, Invalid without a reason, Conflict when `version` is not the current one.
    """
    _may_change(ctx)
    row = _load(ctx, key, lock=True)
    _same_version(row, version)
    if paused and not reason.strip():
        raise Invalid.field("reason", T("Pausing a channel needs a reason"))
    row.paused, row.paused_reason = paused, reason.strip() if paused else ""
    _moved(ctx, row)
    ctx.session.flush()
    if not paused:
        states.release(ctx, key)
    action = "alert_channel_pause" if paused else "alert_channel_resume"
    audit.record(ctx, action, "alert_channel", key, detail={"name": row.name, "reason": reason.strip()})
    return view(row)


def checked(ctx: Context, kind: str, address: str, look_up: Resolve) -> str:
    """Return an address that messages may go to; raises Invalid. It is checked again whenever one is sent."""
    address = address.strip()
    if kind not in KINDS:
        raise Invalid.field("kind", T("There is no such kind of channel"))
    problem = webhooks.problem_of(ctx.config, kind, address, look_up)
    if problem is not None:
        raise Invalid.field("address", problem)
    return address


def _values(ctx: Context, wish: Wish) -> dict[str, Any]:
    if wish.least_level not in LEVELS:
        raise Invalid.field("least_level", T("There is no such level"))
    name = " ".join(wish.name.split())
    if not name:
        raise Invalid.field("name", T("A channel needs a name"))
    return {
        "name": name,
        "event_types": sorted(set(wish.event_types)),
        "least_level": wish.least_level,
        "sites": sorted({known_sites.canonical(ctx, site) for site in wish.sites}),
    }


def _may_change(ctx: Context) -> None:
    ctx.actor.require(ADMIN)
    ctx.actor.require_all_sites()


def _load(ctx: Context, key: str, *, lock: bool = False) -> AlertChannel:
    wanted = select(AlertChannel).where(AlertChannel.key == key).execution_options(populate_existing=True)
    row = ctx.session.scalar(wanted.with_for_update() if lock else wanted)
    if row is None or not _sees(ctx, row.sites):
        raise NotFound(T("Alert channel not found"))
    return row


def _same_version(row: AlertChannel, version: int) -> None:
    if version != row.version:
        raise Conflict(T("Somebody else changed the channel meanwhile"), code="version_conflict")


def _moved(ctx: Context, row: AlertChannel) -> None:
    row.updated_at, row.version = ctx.now(), row.version + 1


def _store(ctx: Context, row: AlertChannel) -> None:
    try:
        with ctx.session.begin_nested():
            ctx.session.add(row)
    except IntegrityError as error:
        raise Conflict(T("A channel with this name exists already"), code="channel_exists") from error


def _told(row: AlertChannel) -> dict[str, Any]:
    names = ("name", "kind", "target", "event_types", "least_level", "sites", "paused")
    return {name: getattr(row, name) for name in names}
