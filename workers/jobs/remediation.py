"""Jobs of the remediation tracker: the sync with the gate, and bulk actions on very many items."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from console.core.context import Context
from console.domain.errors import NotFound
from console.domain.jobs import names as job_names
from console.domain.programme.trackers import programme
from console.domain.text import N_
from console.inputs.tracker import BulkJobIn, SyncIn
from console.services.jobs.registry import job
from console.services.remediation import sync as tracker_sync
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker.bulk import BulkResult


@job(
    job_names.SYNC,
    title=N_("Sync the board with the gate"),
    sentence=N_("Takes a fresh gate verdict, opens and refreshes items, and resolves those whose rule passes."),
    options=SyncIn,
    permission="governance:manage",
)
def remediation_sync(ctx: Context, options: SyncIn) -> dict[str, Any]:
    """Sync the tracker; returns the published counts without the items."""
    result = tracker_sync.sync(ctx, include_warnings=options.include_warnings, max_items=options.max_items)
    detail = asdict(replace(result, items=()))
    del detail["items"]
    return detail


@job(
    job_names.BULK,
    title=N_("Change many items of the board"),
    sentence=N_("Carries out a bulk action that was too large to wait for."),
    options=BulkJobIn,
    permission="governance:write",
)
def remediation_bulk(ctx: Context, options: BulkJobIn) -> BulkResult:
    """Carry out a bulk action; all of it or nothing."""
    tracker = programme(options.tracker)
    if tracker is None:
        raise NotFound("Not Found")
    return tracker_bulk.apply(ctx, options.selection(), options.change(), tracker)
