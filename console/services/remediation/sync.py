"""The sync: what the gate says now becomes what people see on the board."""

from __future__ import annotations

from console.core.context import Context
from console.domain.remediation import plan as remediation
from console.domain.text import T
from console.domain.tracker.tracker import REMEDIATION
from console.services.gate import gate
from console.services.jobs import progress
from console.services.remediation import checks, site_rules
from console.services.remediation.apply import SyncResult, apply
from console.services.tracker import store as tracker_store


def sync(ctx: Context, *, include_warnings: bool = True, max_items: int = remediation.DEFAULT_MAX_ITEMS) -> SyncResult:
    """Take a fresh gate snapshot and bring the tracker in line with it; syncs happen one after another.

    Any number of repetitions with the same facts changes nothing more.
    """
    ctx.actor.require(*REMEDIATION.manage)
    now = ctx.now()
    progress.progress(ctx, 0, 2, T("Taking a gate verdict"))
    tracker_store.lock_run(ctx, REMEDIATION)
    judged = gate.judge(ctx)
    progress.progress(ctx, 1, 2, T("Bringing the board in line"))
    plan = remediation.plan(judged.verdict, now=now, include_warnings=include_warnings, max_items=max_items)
    # The items of checks and of sites first: the answer lists what is on the board afterwards.
    checks.keep_up(ctx, judged.book, plan)
    site_rules.keep_up(ctx, include_warnings=include_warnings)
    return apply(ctx, plan, now)
