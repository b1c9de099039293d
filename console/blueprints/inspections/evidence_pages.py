"""Photos and papers of an inspection as pages: panels, upload, download, removal, and what phones send afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, make_response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.core.context import Context
from console.core.i18n import translate
from console.domain.errors import Invalid
from console.services.common import idempotency
from console.services.evidence import subjects
from console.services.evidence.subjects import FileView
from console.services.inspections import evidence
from console.services.inspections.evidence import FILES
from console.services.inspections.read import ResultView, results_of
from console.services.inspections.rows import READ, WRITE, load
from console.ui.evidence import Panel, panel_of
from console.ui.reader import locale
from console.ui.responses import answer, fragment_of, vary
from console.ui.uploads import received, removed, send, send_thumbnail, sent_told, take_files
from console.web.request import access, web_context

pages = Blueprint("inspection_files", __name__)
# The panel of the whole inspection; the others have the code of their point.
WHOLE = "all"


def panels_of(ctx: Context, inspection_id: int, results: tuple[ResultView, ...]) -> tuple[Panel, ...]:
    """Return a panel of the whole inspection, which takes more, and one of each point that has files."""
    files = subjects.listed(ctx, FILES, inspection_id)
    names = {one.code: translate(locale(), one.name) for one in results}
    parts = [code for code in names if any(file.part == code for file in files)]
    whole = [file for file in files if file.part not in names]
    made = [_panel(ctx, code, names[code], [file for file in files if file.part == code]) for code in parts]
    attach_url = url_for("inspection_files.attach", inspection_id=inspection_id)
    return (*made, _panel(ctx, WHOLE, _("Of the whole inspection"), whole, attach_url))


def _panel(ctx: Context, key: str, title: str, files: Sequence[FileView], attach_url: str | None = None) -> Panel:
    may_change, name = ctx.actor.can(WRITE), pages.name
    return panel_of(ctx, FILES, files, key=key, title=title, pages=name, may_change=may_change, upload_url=attach_url)


def _again(ctx: Context, inspection_id: int, code: str) -> Response:
    results = results_of(ctx, load(ctx, inspection_id))
    panels = {panel.key: panel for panel in panels_of(ctx, inspection_id, results)}
    return vary(make_response(fragment_of("kit/evidence.panel", panels.get(code) or panels[WHOLE])))


@pages.post("/inspections/<int:inspection_id>/evidence")
@access(WRITE, rate="auth-upload", writes=False)
def attach(inspection_id: int) -> ResponseReturnValue:
    """Add files to an inspection."""
    return take_files(
        lambda ctx, upload: subjects.is_there(ctx, FILES, inspection_id, upload),
        lambda ctx, upload, note: evidence.attach(ctx, inspection_id, "", upload, note=note, on_page=True),
        lambda ctx: _again(ctx, inspection_id, WHOLE),
        _page(inspection_id),
    )


@pages.post("/inspections/rounds/photos")
@access(WRITE, rate="auth-upload", writes=False)
def photo() -> Response:
    """Take a photo that a phone kept with its round, under its own key; 409 while the round has not arrived."""
    form, sent = request.form, request.files.get("file")
    told, key = sent_told(), request.headers.get(idempotency.HEADER)
    if sent is None or not sent.filename or key is None:
        raise Invalid(_("Please choose a file"))
    ctx = web_context()
    inspection_id = evidence.of_round(ctx, form.get("round_key", ""))
    sent_key = idempotency.key_of(ctx, key, request.path)
    with received(sent, told) as upload:
        made = evidence.attach(ctx, inspection_id, form.get("point", ""), upload, sent_key=sent_key, on_page=True)
    return answer({"id": made.id, "inspection_id": inspection_id}, status=201)


@pages.get("/inspections/evidence/<int:evidence_id>")
@access(READ, writes=False)
def file(evidence_id: int) -> Response:
    """Download a file."""
    return send(subjects.fetch(web_context(), FILES, evidence_id))


@pages.get("/inspections/evidence/<int:evidence_id>/thumbnail")
@access(READ)
def thumbnail(evidence_id: int) -> Response:
    """Show the small copy of a photo."""
    return send_thumbnail(subjects.thumbnail(web_context(), FILES, evidence_id))


@pages.post("/inspections/evidence/<int:evidence_id>/remove")
@access(WRITE, writes=False)
def remove(evidence_id: int) -> ResponseReturnValue:
    """Remove a file; the reason stays on record."""
    ctx = web_context()
    gone = subjects.remove(ctx, FILES, evidence_id, request.form.get("reason", ""))
    owner = FILES.owner(gone)
    return removed(gone.file_name, lambda: _again(ctx, owner, gone.part), _page(owner))


def _page(inspection_id: int) -> str:
    return url_for("inspections.detail", inspection_id=inspection_id, _anchor="evidence")
