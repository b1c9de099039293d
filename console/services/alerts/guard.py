"""The guard over the channels: how each of them is, and the trials that bring one back (API contract, guard).

There is one state per channel; an event type narrows the deliveries that are counted, and labels trials.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, translate
from console.core.serialize import plain
from console.domain.alerts import guard as rules
from console.domain.alerts.alerts import FAILED, SUCCESS, Channel, Sent
from console.domain.alerts.guard import DISABLED, IN_DOUBT, QUARANTINED, ChannelState, GuardRules
from console.domain.errors import BadRequest, NotFound
from console.domain.text import T
from console.models.alerts import AlertDelivery, Outgoing
from console.models.personal_alerts import PersonalDelivery
from console.services.alerts import channels as known
from console.services.alerts import delivery, outbox, states
from console.services.alerts.claims import box_of
from console.services.audit import record as audit

READ, WRITE = outbox.READ, outbox.WRITE
AUDITED = "alert_delivery"
SINGLE, BATCH = "alert_channel_recovery_probe", "alert_guard_recovery_batch_probe"
# What stands in the row of a trial until it has ended; a worker that dies leaves it so.
UNFINISHED = "the trial did not end"
# What of a message is sent and kept nowhere.
CODE = "code"
FIRST_PAUSE_SECONDS = 0.5
THREADS = 8
LOOKBACK_DAYS, MAX_TARGETS = 30, 100


@dataclass(frozen=True)
class ChannelView:
    """How one channel is (API contract, guard); `channel` is the key that names it, `target` is masked."""

    target: str
    state: str
    state_computed: str
    consecutive_failures: int
    threshold: int
    cooldown_minutes: int
    remaining_quarantine_minutes: int
    quarantined_until: datetime | None
    last_attempt_at: datetime | None
    last_status: str | None
    last_error: str | None
    last_success_at: datetime | None
    last_failure_at: datetime | None
    delivery_count_lookback: int
    channel: str
    name: str
    kind: str
    paused: bool


@dataclass(frozen=True)
class PolicyView:
    """The rules of the guard, and what a person does about a channel."""

    enabled: bool
    failure_threshold: int
    cooldown_minutes: int
    recovery_steps: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """The channels in numbers; `returned_count` of them are in the answer."""

    status: str
    target_count: int
    healthy_count: int
    warning_count: int
    quarantined_count: int
    returned_count: int


@dataclass(frozen=True)
class Snapshot:
    """All channels at one moment, worst first (API contract, guard)."""

    generated_at: datetime
    event_type: str | None
    lookback_days: int
    policy: PolicyView
    summary: Summary
    channels: tuple[ChannelView, ...]


@dataclass(frozen=True)
class Probed:
    """What came of the trial of one channel, with its state before and after."""

    target: str
    event_type: str | None
    probe_delivery_id: int
    probe_status: str
    probe_error: str | None
    before: ChannelView
    after: ChannelView
    recommended_recovery_steps: tuple[str, ...]


def steps() -> tuple[str, ...]:
    """Return what a person does about a channel, in Korean as published."""
    return tuple(translate(DEFAULT_LOCALE, one) for one in rules.STEPS)


def snapshot(
    ctx: Context, *, event_type: str | None = None, lookback_days: int = LOOKBACK_DAYS, max_targets: int = MAX_TARGETS
) -> Snapshot:
    """Return how the configured channels are: two queries; raises PermissionDenied."""
    ctx.actor.require(*READ)
    audit.viewed(ctx, "ops_alert_channel_guard_view", AUDITED, event_type or "all")
    return look(ctx, event_type=event_type, lookback_days=lookback_days, max_targets=max_targets)


def look(
    ctx: Context, *, event_type: str | None = None, lookback_days: int = LOOKBACK_DAYS, max_targets: int = MAX_TARGETS
) -> Snapshot:
    """Return the snapshot for the console's own use."""
    now, held_to = ctx.now(), states.rules_of(ctx.config)
    channels = known.seen(ctx)
    views = _views(ctx, channels, held_to, now, event_type, lookback_days)
    views.sort(key=lambda one: rules.rank(one.state_computed, one.target))
    counts: dict[str, int] = {
        word: sum(one.state_computed == word for one in views) for word in (QUARANTINED, IN_DOUBT)
    }
    return Snapshot(
        generated_at=now,
        event_type=event_type,
        lookback_days=lookback_days,
        policy=PolicyView(held_to.enabled, held_to.threshold, held_to.cooldown_minutes, steps()),
        summary=Summary(
            status=rules.summary_status(counts, enabled=held_to.enabled),
            target_count=len(views),
            healthy_count=len(views) - sum(counts.values()),
            warning_count=counts[IN_DOUBT],
            quarantined_count=counts[QUARANTINED],
            returned_count=min(len(views), max_targets),
        ),
        channels=tuple(views[:max_targets]),
    )


def _views(
    ctx: Context,
    channels: Sequence[Channel],
    held_to: GuardRules,
    now: datetime,
    event_type: str | None,
    lookback_days: int,
) -> list[ChannelView]:
    of = states.of_channels(ctx)
    counted = _counts(ctx, now - timedelta(days=lookback_days), event_type)
    return [
        _view(one, of.get(one.key, ChannelState(one.key)), held_to, now, counted.get(one.key, 0)) for one in channels
    ]


def _counts(ctx: Context, since: datetime, event_type: str | None) -> dict[str, int]:
    of_type = [AlertDelivery.event_type == event_type] if event_type else []
    rows = ctx.session.execute(
        select(AlertDelivery.channel, func.count().label("number"))
        .where(AlertDelivery.last_attempt_at >= since, *of_type, *outbox.visible(ctx))
        .group_by(AlertDelivery.channel)
    )
    return {row.channel: row.number for row in rows}


def _view(channel: Channel, state: ChannelState, held_to: GuardRules, now: datetime, number: int) -> ChannelView:
    computed, until = state.at(now, held_to), state.quarantined_until(held_to)
    return ChannelView(
        target=channel.label,
        state=computed if held_to.enabled else DISABLED,
        state_computed=computed,
        consecutive_failures=state.consecutive_failures,
        threshold=held_to.threshold,
        cooldown_minutes=held_to.cooldown_minutes,
        remaining_quarantine_minutes=rules.remaining_minutes(until, now),
        quarantined_until=until if computed == QUARANTINED else None,
        last_attempt_at=state.last_attempt_at,
        last_status=state.last_status,
        last_error=state.last_error,
        last_success_at=state.last_success_at,
        last_failure_at=state.last_failure_at,
        delivery_count_lookback=number,
        channel=channel.key,
        name=channel.title,
        kind=channel.kind,
        paused=channel.paused,
    )


def find(ctx: Context, target: str) -> Channel:
    """Return the configured channel of that key, address, or masked address if only one has it.

    Raises BadRequest for nothing, and NotFound for what is no channel: trials go nowhere else.
    """
    if not target.strip():
        raise BadRequest("target is required")
    wanted, keys = target.strip(), {one.key for one in known.seen(ctx)}
    channels = [one for key, one in known.opened(ctx).items() if key in keys]
    exact = [one for one in channels if wanted in (one.key, one.address)]
    found = exact or [one for one in channels if one.label == wanted]
    if len(found) != 1:
        raise NotFound(T("Alert channel not found"))
    return found[0]


def recover(ctx: Context, target: str, *, event_type: str | None = None, note: str = "") -> Probed:
    """Send one trial and tell what came of it; commits, because nothing is sent inside a transaction.

    Raises PermissionDenied, GlobalScopeRequired, BadRequest and NotFound.
    """
    ctx.actor.require(*WRITE)
    ctx.actor.require_all_sites()
    channel, now, held_to = find(ctx, target), ctx.now(), states.rules_of(ctx.config)
    before = _views(ctx, (channel,), held_to, now, event_type, LOOKBACK_DAYS)[0]
    payload = {
        "event": SINGLE,
        "target": channel.label,
        "event_type_scope": event_type,
        "checked_at": now,
        "requested_by": ctx.actor.username,
        "note": note,
    }
    ctx.rollback()
    (done,) = probe(ctx, [(channel, event_type or SINGLE, payload)])
    ctx.begin_write()
    after = _views(ctx, (channel,), held_to, ctx.now(), event_type, LOOKBACK_DAYS)[0]
    detail = {"channel": channel.key, "event_type": event_type, "status": done.status, "note": note}
    audit.record(ctx, "ops_alert_channel_guard_recover", AUDITED, channel.label, status=done.status, detail=detail)
    return Probed(channel.label, event_type, done.delivery_id, done.status, done.error, before, after, steps())


@dataclass(frozen=True)
class Trial:
    """What came of one trial: its delivery, `success` or `failed`, and the error."""

    channel: Channel
    delivery_id: int
    status: str
    error: str | None


def probe(
    ctx: Context,
    wanted: Sequence[tuple[Channel, str, Mapping[str, Any]]],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Trial]:
    """Send a trial to each channel, several at a time, each with the published attempts; returns what came of them.

    Every trial is a delivery, marked as one. Its transactions are its own.
    """
    opened, sender = delivery.transactions(ctx), delivery.sender_of(ctx)
    with opened() as own:
        rows = [_row(own, channel, event_type, payload) for channel, event_type, payload in wanted]
        own.session.add_all(rows)
        own.session.flush()
        ids = [(row.id, row.message_id) for row in rows]
    most, at = max(1, ctx.config["ALERT_WEBHOOK_RETRIES"]), ctx.now()

    def tried(number: int) -> tuple[Sent, float, int]:
        channel, _event_type, payload = wanted[number]
        begin = time.monotonic()
        for attempt in range(1, most + 1):
            sent = sender.send(channel, ids[number][1], payload, at)
            if sent.ok or attempt == most:
                break
            sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        return sent, time.monotonic() - begin, attempt

    done = []
    with ThreadPoolExecutor(THREADS, thread_name_prefix="probe") as pool:
        for number, (sent, seconds, _attempts) in enumerate(pool.map(tried, range(len(wanted)))):
            channel, event_type, _payload = wanted[number]
            with opened() as own:
                _record(own, channel, event_type, ids[number][0], sent, began=at, seconds=seconds)
            done.append(Trial(channel, ids[number][0], SUCCESS if sent.ok else FAILED, sent.error))
    return done


def _row(ctx: Context, channel: Channel, event_type: str, payload: Mapping[str, Any]) -> Outgoing:
    now = ctx.now()
    values: dict[str, Any] = {
        "message_id": f"msg_{uuid4().hex}",
        "event_type": event_type[:80],
        "channel": channel.key,
        "target": channel.label[:400],
        "payload_json": plain({name: value for name, value in payload.items() if name != CODE} | {"probe": True}),
        "status": FAILED,
        "error": UNFINISHED,
        "probe": True,
        "attempt_count": 1,
        "last_attempt_at": now,
        "created_at": now,
        "updated_at": now,
    }
    if channel.user_id is not None:
        return PersonalDelivery(user_id=channel.user_id, **values)
    return AlertDelivery(**values)


def _record(
    ctx: Context, channel: Channel, event_type: str, delivery_id: int, sent: Sent, *, began: datetime, seconds: float
) -> None:
    now = ctx.now()
    before = states.noted(ctx, channel, sent, event_type=event_type, probe=True)
    if sent.ok and before:
        states.release(ctx, channel.key)
    box = box_of(channel.key)
    if box is AlertDelivery:
        delivery.add_attempt(ctx, delivery_id, 1, sent, began=began, seconds=seconds, worker=ctx.request_id)
    values = {"status": SUCCESS if sent.ok else FAILED, "error": sent.error, "last_attempt_at": now, "updated_at": now}
    ctx.session.execute(update(box).where(box.id == delivery_id).values(**values))


@dataclass(frozen=True)
class Recovered:
    """What a batch did (API contract, guard recovery); `results` has one entry per channel that was picked."""

    checked_at: datetime
    event_type: str | None
    state_filter: str
    max_targets: int
    dry_run: bool
    selected_target_count: int
    processed_count: int
    success_count: int
    warning_count: int
    failed_count: int
    skipped_count: int
    results: tuple[Mapping[str, Any], ...]


def recover_batch(ctx: Context, *, event_type: str | None, state: str, max_targets: int, dry_run: bool) -> Recovered:
    """Send a trial to every channel in this state, worst first; a dry run names them only.

    Ends the open transaction of `ctx`. The permission is the job's.
    """
    checked_at = ctx.now()
    picked = [one for one in look(ctx, max_targets=10_000).channels if one.state_computed in rules.PICKS[state]]
    chosen = picked[:max_targets]
    results = [_dry(one) for one in chosen] if dry_run else _tried(ctx, chosen, event_type, state, checked_at)
    counted = {word: sum(one["status"] == word for one in results) for word in (SUCCESS, FAILED, "skipped")}
    return Recovered(
        checked_at=checked_at,
        event_type=event_type,
        state_filter=state,
        max_targets=max_targets,
        dry_run=dry_run,
        selected_target_count=len(chosen),
        processed_count=len(results),
        success_count=counted[SUCCESS],
        warning_count=0,
        failed_count=counted[FAILED],
        skipped_count=counted["skipped"],
        results=tuple(results[:200]),
    )


def _dry(one: ChannelView) -> dict[str, Any]:
    return {
        "target": one.target,
        "status": "skipped",
        "reason": "dry_run",
        "before_state": one.state_computed,
        "after_state": one.state_computed,
        "channel": one.channel,
    }


def _tried(
    ctx: Context, chosen: Collection[ChannelView], event_type: str | None, state: str, checked_at: datetime
) -> list[dict[str, Any]]:
    by_key, before = known.opened(ctx), {one.channel: one for one in chosen}
    payload = {"event": BATCH, "event_type_scope": event_type, "state_filter": state, "checked_at": checked_at}
    wanted = [
        (by_key[one.channel], event_type or "alert_guard_recover", {**payload, "target": one.target}) for one in chosen
    ]
    ctx.session.rollback()
    done = probe(ctx, wanted) if wanted else []
    held_to, now = states.rules_of(ctx.config), ctx.now()
    after = states.of_channels(ctx, list(before))
    return [
        {
            "target": one.channel.label,
            "status": one.status,
            "error": one.error,
            "delivery_id": one.delivery_id,
            "before_state": before[one.channel.key].state_computed,
            "after_state": after[one.channel.key].at(now, held_to),
            "before_consecutive_failures": before[one.channel.key].consecutive_failures,
            "after_consecutive_failures": after[one.channel.key].consecutive_failures,
            "channel": one.channel.key,
        }
        for one in done
    ]
