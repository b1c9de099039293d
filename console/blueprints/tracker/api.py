"""The remediation tracker for automation: sync, items, readiness, completion (API contract, remediation tracker)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.blueprints.tracker.pages import export
from console.blueprints.tracker.urls import BOARD
from console.core.listing import ListQuery
from console.domain.errors import Invalid
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import API
from console.domain.tracker.tracker import REMEDIATION, STATUSES, TrackerKind
from console.inputs.response_models import array, joined, shape
from console.inputs.tracker import (
    BulkIn,
    BulkRequestIn,
    CommentIn,
    CompleteIn,
    CompletionOut,
    ItemFilter,
    ItemIn,
    ItemPatchIn,
    ItemPath,
    ItemsQuery,
    ReadinessOut,
    SiteQuery,
    SiteSliceQuery,
    SliceQuery,
    SyncIn,
    UndoIn,
)
from console.services.audit import record as audit
from console.services.jobs import registry
from console.services.jobs.runs import Run
from console.services.remediation import sync as tracker_sync
from console.services.remediation.apply import SyncResult
from console.services.tracker import bulk as tracker_bulk
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import lists as tracker_lists
from console.services.tracker import manual as tracker_manual
from console.services.tracker import summary as tracker
from console.services.tracker import undo as tracker_undo
from console.services.tracker.bulk import BulkResult, Preview
from console.services.tracker.completion import CompletionEntry
from console.services.tracker.items import Changed, EventView
from console.services.tracker.rows import ItemView
from console.services.tracker.summary import OverviewView
from console.services.tracker.undo import Undone
from console.ui import runs
from console.ui.responses import answer
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import etag, if_match
from console.web.request import access, web_context

T = "/api/ops/governance/gate/remediation/tracker"
ItemOut, EventOut, CompletionEntryOut = shape(ItemView), shape(EventView), shape(CompletionEntry)
ItemList, EventList = array(ItemOut, "ItemList"), array(EventOut, "EventList")
CompletionHistory = array(CompletionEntryOut, "CompletionHistory")
ChangedItemOut = shape(ItemView, "ChangedItemOut", adjusted=bool, warnings=list[str])
OverviewOut, SyncOut = shape(OverviewView), shape(SyncResult, "SyncOut")
PreviewOut, BulkOut, UndoneOut = shape(Preview), shape(BulkResult, "BulkOut"), shape(Undone)
READ, WRITE, MANAGE = REMEDIATION.read, REMEDIATION.write, REMEDIATION.manage

api = ApiBlueprint(
    "remediation_api", __name__, abp_tags=[Tag(name="remediation", description="What has to be done about the gate")]
)


@api.post(f"{T}/sync", responses={200: SyncOut})
@access(*MANAGE)
def sync(body: SyncIn) -> Response:
    """Bring the tracker in line with a fresh gate verdict; closes only items whose rule passes.

    With `Prefer: respond-async` a worker does it and the answer is 202.
    """
    if runs.respond_async():
        return runs.accepted(runs.ask(registry.get(job_names.SYNC), body, trigger=API))
    result = tracker_sync.sync(web_context(), include_warnings=body.include_warnings, max_items=body.max_items)
    return answer(result, SyncOut)


@api.get(f"{T}/items", responses={200: ItemList})
@access(*READ)
def list_items(query: ItemsQuery) -> Response:
    """Return items, active first, then by priority, due date and id; the total is in `X-Total-Count`."""
    ctx = web_context()
    wanted = _wanted(query)
    found = tracker_lists.slice_of(ctx, REMEDIATION, wanted, limit=query.limit, offset=query.offset)
    audit.viewed(
        ctx,
        f"{REMEDIATION.audit_prefix}_items_view",
        REMEDIATION.audit_prefix,
        "global",
        include_inactive=query.include_inactive,
        status=query.status,
        limit=query.limit,
        count=len(found.items),
    )
    return answer(found.items, ItemOut, headers=slice_headers(found.total))


@api.get(f"{T}/items.csv")
@access(*READ)
def items_csv(query: ItemFilter) -> Response:
    """Stream every item that the filters match, in the order of the list; `bom=1` for Excel."""
    return export(BOARD, _wanted(query))


def _wanted(query: ItemFilter) -> ListQuery:
    if query.status is not None and query.status.strip().lower() not in STATUSES:
        raise Invalid(REMEDIATION.invalid_status)
    return ListQuery(filters=query.filters(), search=query.q.strip())


@api.post(f"{T}/items", responses={201: ItemOut})
@access(*WRITE)
def add_item(body: ItemIn) -> Response:
    """Add an item by hand; the sync never touches it."""
    made = tracker_manual.create(web_context(), body.new())
    return answer(made, ItemOut, status=201, headers=etag(made))


@api.get(f"{T}/items/<tracker_item_id>", responses={200: ItemOut})
@access(*READ)
def get_item(path: ItemPath) -> Response:
    """Return one item; its `ETag` is the version that `If-Match` takes."""
    item = tracker_items.get(web_context(), path.tracker_item_id)
    return answer(item, ItemOut, headers=etag(item))


@api.patch(f"{T}/items/<tracker_item_id>", responses={200: ChangedItemOut})
@access(*WRITE, "governance:read")
def change_item(path: ItemPath, body: ItemPatchIn) -> Response:
    """Change an item; with `If-Match` or `version` only if nobody else changed it meanwhile (412, 409).

    `X-Undo-Token` of the answer takes the change back for a while (`POST …/tracker/undo`).
    """
    changed = tracker_items.change(
        web_context(), path.tracker_item_id, body.change(), version=body.version, if_match=if_match()
    )
    return _changed(changed)


@api.post(f"{T}/items/<tracker_item_id>/claim", responses={200: ChangedItemOut})
@access(*WRITE)
def claim_item(path: ItemPath) -> Response:
    """Take an unassigned open item; 409 when somebody was faster."""
    return _changed(tracker_items.claim(web_context(), path.tracker_item_id))


@api.post(f"{T}/items/<tracker_item_id>/close", responses={200: ChangedItemOut})
@access(*WRITE)
def close_item(path: ItemPath) -> Response:
    """Take a finished item that was added by hand off the board."""
    return _changed(tracker_manual.close(web_context(), path.tracker_item_id))


@api.post(f"{T}/items/<tracker_item_id>/comments", responses={201: EventOut})
@access(*WRITE, "governance:read")
def comment_item(path: ItemPath, body: CommentIn) -> Response:
    """Add a comment to the history of an item."""
    made = tracker_items.comment(web_context(), path.tracker_item_id, body.text)
    return answer(made, EventOut, status=201)


@api.get(f"{T}/items/<tracker_item_id>/events", responses={200: EventList})
@access(*READ)
def item_events(path: ItemPath, query: SliceQuery) -> Response:
    """Return the history of an item, newest first."""
    events, total = tracker_items.events_of(web_context(), path.tracker_item_id, limit=query.limit, offset=query.offset)
    return answer(list(events), EventOut, headers=slice_headers(total))


@api.post(f"{T}/items/bulk", responses={200: BulkOut})
@access(*WRITE)
def bulk(body: BulkRequestIn) -> Response:
    """Change many items, or count what that would do (`preview`); many become a job and are answered with 202."""
    ctx = web_context()
    told = tracker_bulk.preview(ctx, body.selection(), body.change())
    if body.preview:
        return answer(told, PreviewOut)
    if told.as_job:
        return runs.accepted(bulk_job(body, trigger=API))
    return answer(tracker_bulk.apply(ctx, body.selection(), body.change()), BulkOut)


@api.post(f"{T}/undo", responses={200: UndoneOut})
@access(*WRITE, "governance:read")
def undo(body: UndoIn) -> Response:
    """Take a change back, for the items that nobody touched since; 410 when the time is over."""
    return answer(tracker_undo.undo(web_context(), body.token), UndoneOut)


@api.get(f"{T}/overview", responses={200: OverviewOut})
@access(*READ)
def overview(query: SiteQuery) -> Response:
    """Return the counts of the active items."""
    return answer(tracker.overview(web_context(), site=query.site), OverviewOut)


@api.get(f"{T}/readiness", responses={200: ReadinessOut})
@access(*READ)
def readiness(query: SiteQuery) -> Response:
    """Return whether the tracker can be closed, and what stands in the way."""
    return answer(tracker.readiness(web_context(), site=query.site), ReadinessOut)


@api.get(f"{T}/completion", responses={200: CompletionOut})
@access(*READ)
def completion() -> Response:
    """Return whether the tracker is closed, by whom, and its readiness of now."""
    return answer(tracker_completion.completion(web_context()), CompletionOut)


@api.post(f"{T}/complete", responses={200: CompletionOut})
@access(*MANAGE)
def complete(body: CompleteIn) -> Response:
    """Close the tracker; 409 with the blockers when it is not ready and `force` was not sent."""
    closed = tracker_completion.complete(web_context(), note=body.completion_note or "", force=body.force)
    return answer(closed, CompletionOut)


@api.get(f"{T}/completion/history", responses={200: CompletionHistory})
@access(*READ)
def completion_history(query: SiteSliceQuery) -> Response:
    """Return every closing and reopening, newest first."""
    entries, total = tracker_completion.history(web_context(), limit=query.limit, offset=query.offset)
    return answer(list(entries), CompletionEntryOut, headers=slice_headers(total))


def bulk_job(wanted: BulkIn, programme: TrackerKind = REMEDIATION, *, trigger: str) -> Run:
    """Ask a worker for a bulk action that is too large to wait for."""
    options = {**wanted.model_dump(mode="json", include=set(BulkIn.model_fields)), "tracker": programme.key}
    return runs.ask(registry.get(job_names.BULK), options, trigger=trigger)


def _changed(changed: Changed) -> Response:
    # What was done although it hardly helps: an assignee who cannot work on the item.
    warnings = [str(changed.item.stranded)] if changed.item.stranded else []
    made = joined(ChangedItemOut, changed.item, adjusted=changed.adjusted, warnings=warnings)
    return answer(made, headers=etag(changed))
