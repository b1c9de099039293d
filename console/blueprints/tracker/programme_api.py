"""The weekly trackers for automation (API contract, execution trackers): one set of routes for every week."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import ListQuery
from console.domain.errors import BadRequest
from console.domain.tracker.tracker import STATUSES
from console.inputs.programme import (
    BootstrapIn,
    BootstrapOut,
    ChangedWeekItemOut,
    NotReadyOut,
    WeekCompleteIn,
    WeekCompletionOut,
    WeekItemList,
    WeekItemOut,
    WeekItemPatchIn,
    WeekItemPath,
    WeekItemsQuery,
    WeekPath,
    WeekReadinessOut,
    WeekSiteQuery,
)
from console.inputs.response_models import joined, shape
from console.inputs.tracker import UndoIn
from console.services.programme import weeks as programme
from console.services.tracker import completion as tracker_completion
from console.services.tracker import items as tracker_items
from console.services.tracker import summary as tracker
from console.services.tracker import undo as tracker_undo
from console.services.tracker.completion import NotReady
from console.services.tracker.undo import Undone
from console.ui.responses import answer
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import etag, if_match
from console.web.request import access, web_context

T = "/api/adoption/<week:week>/tracker"
UndoneOut, WeekOverviewOut = shape(Undone), shape(programme.WeekOverview)
READ, WRITE = "adoption_{week}:read", "adoption_{week}:write"

api = ApiBlueprint(
    "programme_api", __name__, abp_tags=[Tag(name="programme", description="The weeks of the programme at the sites")]
)


@api.post(f"{T}/bootstrap", responses={200: BootstrapOut})
@access(WRITE)
def bootstrap(path: WeekPath, body: BootstrapIn) -> Response:
    """Begin the week at a site: add what it lacks of the catalogue; work that is there stays as it is."""
    week = programme.week_of(path.week)
    made = programme.bootstrap(web_context(), week, body.site, starts_on=body.monday())
    return answer(made, BootstrapOut)


@api.get(f"{T}/items", responses={200: WeekItemList})
@access(READ)
def list_items(path: WeekPath, query: WeekItemsQuery) -> Response:
    """Return items, changed last first; the total is in `X-Total-Count`."""
    week = programme.week_of(path.week)
    if query.status is not None and query.status.strip() and query.status.strip().lower() not in STATUSES:
        raise BadRequest(week.programme.invalid_status)
    wanted = ListQuery(filters=query.filters())
    found = programme.items(web_context(), week, wanted, limit=query.limit, offset=query.offset)
    return answer(found.items, WeekItemOut, headers=slice_headers(found.total))


@api.get(f"{T}/overview", responses={200: WeekOverviewOut})
@access(READ)
def overview(path: WeekPath, query: WeekSiteQuery) -> Response:
    """Return the counts of the week at a site; zeros where it was not begun."""
    return answer(programme.overview(web_context(), programme.week_of(path.week), query.site), WeekOverviewOut)


@api.get(f"{T}/readiness", responses={200: WeekReadinessOut})
@access(READ)
def readiness(path: WeekPath, query: WeekSiteQuery) -> Response:
    """Return whether the week can be closed at a site, and what stands in the way."""
    week, site = programme.week_of(path.week), programme.site_name(query.site)
    return answer(tracker.readiness(web_context(), week.programme, site), WeekReadinessOut)


@api.get(f"{T}/completion", responses={200: WeekCompletionOut})
@access(READ)
def completion(path: WeekPath, query: WeekSiteQuery) -> Response:
    """Return whether the week is closed at a site, by whom, and its readiness of now."""
    week, site = programme.week_of(path.week), programme.site_name(query.site)
    return answer(tracker_completion.completion(web_context(), week.programme, site), WeekCompletionOut)


@api.post(f"{T}/complete", responses={200: WeekCompletionOut, 409: NotReadyOut})
@access(WRITE)
def complete(path: WeekPath, body: WeekCompleteIn) -> Response:
    """Close the week at a site; 409 with the blockers when it is not ready and `force` was not sent."""
    week, site = programme.week_of(path.week), programme.site_name(body.site)
    note = body.completion_note or ""
    try:
        closed = tracker_completion.complete(
            web_context(), note=note, force=body.force, programme=week.programme, site=site
        )
    except NotReady as refused:
        detail = {**refused.detail, "readiness": refused.readiness} if isinstance(refused.detail, dict) else {}
        return answer({"detail": detail, "code": refused.code}, NotReadyOut, status=refused.status)
    return answer(closed, WeekCompletionOut)


@api.get(f"{T}/items/<tracker_item_id>", responses={200: WeekItemOut})
@access(READ)
def get_item(path: WeekItemPath) -> Response:
    """Return one item; its `ETag` is the version that `If-Match` takes."""
    item = tracker_items.get(web_context(), path.tracker_item_id, programme.week_of(path.week).programme)
    return answer(item, WeekItemOut, headers=etag(item))


@api.post(f"{T}/undo", responses={200: UndoneOut})
@access(WRITE)
def undo(path: WeekPath, body: UndoIn) -> Response:
    """Take a change back, for the items that nobody touched since; 410 when the time is over."""
    return answer(tracker_undo.undo(web_context(), body.token, programme.week_of(path.week).programme), UndoneOut)


@api.patch(f"{T}/items/<tracker_item_id>", responses={200: ChangedWeekItemOut})
@access(WRITE)
def change_item(path: WeekItemPath, body: WeekItemPatchIn) -> Response:
    """Change an item; with `If-Match` or `version` only if nobody else changed it meanwhile (412, 409).

    `X-Undo-Token` of the answer takes the change back for a while (`POST …/tracker/undo`).
    """
    wanted = body.change()
    if wanted is None:
        raise BadRequest("No update fields provided")
    changed = tracker_items.change(
        web_context(),
        path.tracker_item_id,
        wanted,
        programme.week_of(path.week).programme,
        version=body.version,
        if_match=if_match(),
    )
    more = {"adjusted": changed.adjusted, "completion_reopened": changed.reopened_completion}
    made = joined(ChangedWeekItemOut, changed.item, **more)
    return answer(made, headers=etag(changed))
