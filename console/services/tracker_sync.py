"""The sync: what the gate says now becomes what people see on the board."""

from __future__ import annotations

from console.context import Context
from console.domain import remediation
from console.domain.text import T
from console.domain.tracker import REMEDIATION
from console.services import gate, run_monitor, tracker_store
from console.services.tracker_apply import SyncResult, apply


def sync(ctx: Context, *, include_warnings: bool = True, max_items: int = remediation.DEFAULT_MAX_ITEMS) -> SyncResult:
    """Take a fresh gate snapshot and bring the tracker in line with it; syncs happen one after another.

    Any number of repetitions with the same facts changes nothing more.
    """
    ctx.actor.require(*REMEDIATION.manage)
    now = ctx.now()
    run_monitor.progress(ctx, 0, 2, T("Taking a gate verdict"))
    tracker_store.lock_run(ctx, REMEDIATION)
    taken = gate.snapshot(ctx)
    run_monitor.progress(ctx, 1, 2, T("Bringing the board in line"))
    return apply(ctx, remediation.plan(taken, now=now, include_warnings=include_warnings, max_items=max_items), now)
