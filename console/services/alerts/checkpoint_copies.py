"""Copies of audit checkpoints for receivers outside: who holds one can prove what stood in the log.

Doors sign through here, so that no checkpoint is without its copies: they are queued in the transaction that signs.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import delete, select

from console.core.context import Context
from console.domain.alerts.alerts import CHECKPOINT_SIGNED, SUCCESS
from console.domain.audit.chain import Checkpoint
from console.models.alerts import AlertDelivery
from console.services.alerts import channels, outbox
from console.services.audit import checkpoints
from console.services.audit.checkpoint_store import chain_name, file_name, line_of
from console.services.audit.checkpoints import CheckpointResult
from console.services.audit.verify import Progress

# The receiver has them by then; one every few minutes would fill the list of alerts.
KEPT_FOR = timedelta(days=7)
_MOST_FORGOTTEN = 500


def sign(ctx: Context, *, full: bool = False, progress: Progress | None = None) -> CheckpointResult:
    """Verify and sign as `checkpoints.checkpoint` does, and queue a copy for every receiver of copies."""
    return checkpoints.checkpoint(ctx, full=full, progress=progress, told=_queue)


def _queue(ctx: Context, made: Checkpoint) -> None:
    targets = channels.copy_channels(ctx.config)
    if not targets:
        return
    facts = {"chain": chain_name(ctx.session), "file": file_name(ctx, made), "line": line_of(made)}
    payload = {"event": CHECKPOINT_SIGNED, **asdict(made), **facts}
    outbox.raise_alert(ctx, CHECKPOINT_SIGNED, payload, targets=targets)
    _forget(ctx)


def _forget(ctx: Context) -> None:
    """Remove copies that arrived long ago."""
    old = (
        select(AlertDelivery.id)
        .where(
            AlertDelivery.event_type == CHECKPOINT_SIGNED,
            AlertDelivery.last_attempt_at < ctx.now() - KEPT_FOR,
            AlertDelivery.status == SUCCESS,
        )
        .order_by(AlertDelivery.last_attempt_at)
        .limit(_MOST_FORGOTTEN)
    )
    ctx.session.execute(delete(AlertDelivery).where(AlertDelivery.id.in_(old.scalar_subquery())))
