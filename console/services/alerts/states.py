"""The one state of each channel, which dispatch, guard and probes share: moved by attempts, read by whoever sends."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Table, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from console.core.config import Config
from console.core.context import Context
from console.core.records import view_of
from console.domain.alerts.alerts import FAILED, QUEUED, SUCCESS, WARNING, Channel, Sent
from console.domain.alerts.guard import ChannelState, GuardRules
from console.models.alerts import AlertChannelState, AlertIncident
from console.services.alerts.claims import box_of

_STATES = cast("Table", AlertChannelState.__table__)
_INCIDENTS = cast("Table", AlertIncident.__table__)


def rules_of(config: Config) -> GuardRules:
    """Return the rules of the guard as the settings have them."""
    return GuardRules(
        config["ALERT_CHANNEL_GUARD_ENABLED"],
        config["ALERT_CHANNEL_GUARD_FAIL_THRESHOLD"],
        timedelta(minutes=config["ALERT_CHANNEL_GUARD_COOLDOWN_MINUTES"]),
    )


def of_channels(ctx: Context, keys: Collection[str] | None = None) -> dict[str, ChannelState]:
    """Return the state of each channel that was ever tried (of `keys`) by its key: one query."""
    wanted = select(AlertChannelState)
    if keys is not None:
        wanted = wanted.where(AlertChannelState.channel.in_(keys))
    rows = ctx.session.scalars(wanted.execution_options(populate_existing=True))
    return {row.channel: view_of(ChannelState, row) for row in rows}


def noted(ctx: Context, channel: Channel, sent: Sent, *, event_type: str, probe: bool = False) -> int:
    """Take one attempt into the state of its channel and into its incidents; returns how many failed before it.

    The row of the state is locked until the end of the transaction: attempts that end at once count one after another.
    """
    now = ctx.now()
    row = _locked(ctx, channel, now)
    before = row.consecutive_failures
    row.target, row.last_attempt_at, row.last_error = channel.label[:400], now, sent.error
    if sent.ok:
        row.consecutive_failures, row.last_status, row.last_success_at = 0, SUCCESS, now
        if channel.user_id is None:
            _recovered(ctx, channel, now, None if probe else ("", event_type))
    else:
        row.consecutive_failures, row.last_status, row.last_failure_at = before + 1, FAILED, now
        # How often somebody's mailbox was full is no figure of the channels.
        if not probe and channel.user_id is None:
            _failed(ctx, channel, now, ("", event_type))
    ctx.session.flush()
    return before


def _locked(ctx: Context, channel: Channel, now: datetime) -> AlertChannelState:
    found = ctx.session.get(AlertChannelState, channel.key, with_for_update=True, populate_existing=True)
    if found is None:
        values = {"channel": channel.key, "target": channel.label[:400], "last_attempt_at": now, "last_status": QUEUED}
        _add(ctx, _STATES, values)
        found = ctx.session.get_one(AlertChannelState, channel.key, with_for_update=True, populate_existing=True)
    return found


def _recovered(ctx: Context, channel: Channel, now: datetime, scopes: Sequence[str] | None) -> None:
    still = [AlertIncident.channel == channel.key, AlertIncident.ended_at.is_(None)]
    # A trial that arrives proves the channel itself, whatever it is used for.
    if scopes is not None:
        still.append(AlertIncident.event_type.in_(scopes))
    ctx.session.execute(
        update(AlertIncident).where(*still).values(ended_at=now), execution_options={"synchronize_session": False}
    )


def _failed(ctx: Context, channel: Channel, now: datetime, scopes: Sequence[str]) -> None:
    known = set(
        ctx.session.scalars(
            update(AlertIncident)
            .where(
                AlertIncident.channel == channel.key,
                AlertIncident.ended_at.is_(None),
                AlertIncident.event_type.in_(scopes),
            )
            .values(failure_count=AlertIncident.failure_count + 1)
            .returning(AlertIncident.event_type),
            execution_options={"synchronize_session": False},
        )
    )
    new = [
        {"channel": channel.key, "target": channel.label[:400], "event_type": scope, "started_at": now}
        for scope in dict.fromkeys(scopes)
        if scope not in known
    ]
    if new:
        _add(ctx, _INCIDENTS, new)


def hold(ctx: Context, channel: str, until: datetime, error: str) -> None:
    """Put off whatever is due of a channel that is left alone until then; no attempt is counted."""
    now, box = ctx.now(), box_of(channel)
    ctx.session.execute(
        update(box)
        .where(
            box.channel == channel,
            box.next_attempt_at <= now,
            or_(box.lease_until.is_(None), box.lease_until <= now),
        )
        .values(status=WARNING, error=error, next_attempt_at=until, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def release(ctx: Context, channel: str) -> None:
    """Make what was held back of a channel due at once: it takes messages again."""
    now, box = ctx.now(), box_of(channel)
    ctx.session.execute(
        update(box)
        .where(box.channel == channel, box.status == WARNING, box.next_attempt_at > now)
        .values(next_attempt_at=now, updated_at=now),
        execution_options={"synchronize_session": False},
    )


def _add(ctx: Context, table: Table, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    ctx.session.execute(dialect.insert(table).values(values).on_conflict_do_nothing())
