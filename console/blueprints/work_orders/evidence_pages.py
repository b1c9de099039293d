"""The files of a work order as pages: the panels before and after the work, upload, download, removal."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.core.context import Context
from console.domain.work_orders.words import AFTER, PHASES
from console.services.evidence import subjects
from console.services.work_orders.evidence import FILES
from console.services.work_orders.rows import READ, WRITE
from console.ui.evidence import Panel, panel_of
from console.ui.responses import fragment_of, vary
from console.ui.uploads import removed, send, send_thumbnail, take_files
from console.web.request import access, web_context

pages = Blueprint("work_order_files", __name__)


def panels_of(ctx: Context, order_id: int) -> tuple[Panel, ...]:
    """Return the panels of an order: what was seen before the work, and what after it."""
    files = subjects.listed(ctx, FILES, order_id)
    titles = (_("Before the work"), _("After the work"))
    return tuple(
        panel_of(
            ctx,
            FILES,
            [file for file in files if file.part == phase],
            key=phase,
            title=title,
            pages=pages.name,
            may_change=ctx.actor.can(WRITE),
            upload_url=url_for("work_order_files.attach", order_id=order_id, phase=phase),
        )
        for phase, title in zip(PHASES, titles, strict=True)
    )


def _panel(ctx: Context, order_id: int, phase: str) -> Response:
    panel = panels_of(ctx, order_id)[PHASES.index(phase)]
    return vary(make_response(fragment_of("kit/evidence.panel", panel)))


@pages.post("/work-orders/<int:order_id>/evidence")
@access(WRITE, rate="auth-upload", writes=False)
def attach(order_id: int) -> ResponseReturnValue:
    """Add files to an order."""
    phase = request.args.get("phase", AFTER)
    return take_files(
        lambda ctx, upload: subjects.is_there(ctx, FILES, order_id, upload),
        lambda ctx, upload, note: subjects.attach(ctx, FILES, order_id, upload, part=phase, note=note, on_page=True),
        lambda ctx: _panel(ctx, order_id, phase),
        _page(order_id),
    )


@pages.get("/work-orders/evidence/<int:evidence_id>")
@access(READ, writes=False)
def file(evidence_id: int) -> Response:
    """Download a file."""
    return send(subjects.fetch(web_context(), FILES, evidence_id))


@pages.get("/work-orders/evidence/<int:evidence_id>/thumbnail")
@access(READ)
def thumbnail(evidence_id: int) -> Response:
    """Show the small copy of a photo."""
    return send_thumbnail(subjects.thumbnail(web_context(), FILES, evidence_id))


@pages.post("/work-orders/evidence/<int:evidence_id>/remove")
@access(WRITE, writes=False)
def remove(evidence_id: int) -> ResponseReturnValue:
    """Remove a file; the reason stays on record."""
    ctx = web_context()
    gone = subjects.remove(ctx, FILES, evidence_id, request.form.get("reason", ""))
    owner = FILES.owner(gone)
    panel = partial(_panel, ctx, owner, gone.part)
    return removed(gone.file_name, panel, _page(owner), **{"tracker-changed": {}})


def _page(order_id: int) -> str:
    return url_for("work_orders.order", order_id=order_id, _anchor="evidence")
