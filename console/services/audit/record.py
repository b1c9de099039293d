"""The audit trail as other services use it: record a change, note a view, sample a denial."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import func, literal_column, select

from console.core.context import Context
from console.domain.audit.entry import RESOURCE_ID_MAX, fitted, make_entry
from console.models.audit import AuditLog
from console.services.audit.append import append_failures, enqueue
from console.services.audit.verify import chain_status

__all__ = ["append_failures", "chain_status", "record", "record_denied", "viewed"]

log = structlog.get_logger("audit")

# Denials are a sample: one per action and resource in this time, and so many per minute altogether.
DENIED_AGAIN_AFTER = timedelta(minutes=10)
DENIED_MINUTE = timedelta(minutes=1)


def record(
    ctx: Context,
    action: str,
    resource_type: str,
    resource_id: object,
    *,
    status: str = "success",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Put a change on record; it joins the chain in this transaction, right before COMMIT.

    When it cannot be written the commit fails and the change with it. `action`, `resource_type` and `status` are
    short English words of the contract, others raise ValueError. Use `changes()` of the audit domain for old → new.
    """
    actor = ctx.actor
    entry = make_entry(
        actor_user_id=actor.user_id,
        actor_username=actor.username,
        action=action,
        resource_type=resource_type,
        resource_id=resource_id,
        status=status,
        detail=detail,
    )
    enqueue(ctx, entry)


def viewed(ctx: Context, action: str, resource_type: str, resource_id: object, **detail: Any) -> None:
    """Leave a log line about a read. Reads never enter the chain: looking must not change what is looked at."""
    log.info(
        "viewed",
        action=action,
        resource_type=resource_type,
        resource_id=str(resource_id)[:RESOURCE_ID_MAX],
        actor=ctx.actor.username,
        request_id=ctx.request_id,
        detail=detail,
    )


def record_denied(
    ctx: Context,
    action: str,
    resource_type: str,
    resource_id: object,
    *,
    detail: Mapping[str, Any] | None = None,
    patience: float | None = None,
) -> bool:
    """Put a refused access on record, unless its like is on record already; tells whether it was (contract, A10).

    The context must be one of its own with nothing else written in it: the refused request is rolled back, and the
    transaction is turned into a writing one only for what is kept. The rest leaves a log line, so that a flood of
    refusals cannot flood the chain: AUDIT_DENIED_MAX_PER_MINUTE of them altogether, and one in ten minutes for each
    action and resource. Two refusals at the same moment may both be kept. `patience` is that of `start_writing`.
    """
    reference = fitted(str(resource_id), RESOURCE_ID_MAX)
    if not _denial_is_news(ctx, action, reference):
        log.info(
            "denied_not_recorded",
            action=action,
            resource_type=resource_type,
            resource_id=reference,
            actor=ctx.actor.username,
            request_id=ctx.request_id,
        )
        return False
    ctx.begin_write(patience)
    record(ctx, action, resource_type, resource_id, status="denied", detail=detail)
    return True


def _denial_is_news(ctx: Context, action: str, reference: str) -> bool:
    limit, now = ctx.config["AUDIT_DENIED_MAX_PER_MINUTE"], ctx.now()
    # The constant lets the index of what did not succeed serve the question.
    denied = select(AuditLog.id).where(AuditLog.status == "denied", AuditLog.status != literal_column("'success'"))
    in_minute = denied.where(AuditLog.created_at > now - DENIED_MINUTE).limit(limit).subquery()
    if ctx.session.execute(select(func.count()).select_from(in_minute)).scalar_one() >= limit:
        return False
    alike = denied.where(
        AuditLog.action == action,
        AuditLog.resource_id == reference,
        AuditLog.created_at > now - DENIED_AGAIN_AFTER,
    )
    return ctx.session.execute(alike.limit(1)).first() is None
