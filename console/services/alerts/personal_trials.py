"""Messages that a person asks for themselves: the code that proves an address, and a trial."""

from __future__ import annotations

from console.core.context import Context
from console.domain.alerts.alerts import ADDRESS_CODE, ADDRESS_TRIAL, Channel
from console.services.alerts import guard, personal
from console.services.alerts.guard import CODE, Trial


def send_code(ctx: Context, address_id: int) -> Trial:
    """Send a new code to one of the caller's addresses; commits, because nothing is sent inside a transaction.

    Raises NotFound, and Conflict as `personal.new_code` does.
    """
    channel, code = personal.new_code(ctx, address_id)
    ctx.commit()
    return _sent(ctx, channel, ADDRESS_CODE, {CODE: code})


def send_trial(ctx: Context, address_id: int) -> Trial:
    """Send a trial to one of the caller's addresses; commits like `send_code`. Raises NotFound, Conflict."""
    personal.account(ctx)
    channel = personal.own_channel(ctx, address_id)
    ctx.rollback()
    return _sent(ctx, channel, ADDRESS_TRIAL, {})


def _sent(ctx: Context, channel: Channel, event: str, more: dict[str, str]) -> Trial:
    payload = {"event": event, "requested_by": ctx.actor.username, "checked_at": ctx.now(), **more}
    (done,) = guard.probe(ctx, [(channel, event, payload)])
    ctx.begin_write()
    return done
