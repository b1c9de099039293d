"""The evidence of a tracker's items as pages: panel, upload, download, removal. Mounted with the tracker's pages."""

from __future__ import annotations

from flask import Response, make_response, redirect, request
from flask.typing import ResponseReturnValue

from console.blueprints.tracker.evidence_view import panel_of
from console.blueprints.tracker.pages import Page
from console.blueprints.tracker.urls import TrackerUrls
from console.core.context import Context
from console.services.evidence import evidence
from console.services.tracker import items as tracker_items
from console.ui.responses import fragment_of, vary
from console.ui.uploads import removed, send, send_thumbnail, take_files
from console.web.negotiation import wants_fragment
from console.web.request import web_context


def _panel(ctx: Context, place: TrackerUrls, item_id: int) -> Response:
    item = tracker_items.get(ctx, item_id, place.programme)
    return vary(make_response(fragment_of("kit/evidence.panel", panel_of(ctx, place, item))))


def panel(place: TrackerUrls, item_id: int) -> ResponseReturnValue:
    """Return the panel of an item again; without script the item's own page does it."""
    if not wants_fragment():
        return redirect(place.url("item", item_id=item_id), 303)
    return _panel(web_context(), place, item_id)


def attach(place: TrackerUrls, item_id: int) -> ResponseReturnValue:
    """Add files to an item."""
    programme = place.programme
    return take_files(
        lambda ctx, upload: evidence.is_there(ctx, programme, item_id, upload),
        lambda ctx, upload, note: evidence.attach(ctx, programme, item_id, upload, note, on_page=True),
        lambda ctx: _panel(ctx, place, item_id),
        place.url("item", item_id=item_id),
    )


def file(place: TrackerUrls, evidence_id: int) -> Response:
    """Download a file."""
    return send(evidence.fetch(web_context(), place.programme, evidence_id))


def thumbnail(place: TrackerUrls, evidence_id: int) -> Response:
    """Show the small copy of a photo."""
    return send_thumbnail(evidence.thumbnail(web_context(), place.programme, evidence_id))


def remove(place: TrackerUrls, evidence_id: int) -> ResponseReturnValue:
    """Remove a file; the reason stays on record."""
    reason = request.form.get("reason", "")
    ctx = web_context()
    gone = evidence.remove(ctx, place.programme, evidence_id, reason)
    item_id = gone.tracker_item_id
    page = place.url("item", item_id=item_id)
    return removed(gone.file_name, lambda: _panel(ctx, place, item_id), page, **{"tracker-changed": {}})


PAGES = (
    Page("/items/<int:item_id>/evidence", "evidence", panel, "read"),
    Page("/items/<int:item_id>/evidence", "attach", attach, "own", "POST", writes=False),
    Page("/evidence/<int:evidence_id>", "evidence_file", file, "read", writes=False),
    Page("/evidence/<int:evidence_id>/thumbnail", "evidence_thumbnail", thumbnail, "read"),
    Page("/evidence/<int:evidence_id>/remove", "evidence_remove", remove, "own", "POST", writes=False),
)
