"""The board: remediation items, a new one by hand, and the sync with the gate. The rest is common to all trackers."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from console.blueprints.tracker.bulk import PAGES as BULK_PAGES
from console.blueprints.tracker.evidence_pages import PAGES as EVIDENCE_PAGES
from console.blueprints.tracker.pages import PAGES, Demands, mount
from console.blueprints.tracker.view import see_other
from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.ids import number_in
from console.domain.jobs import names as job_names
from console.domain.text import N_
from console.domain.tracker.tracker import REMEDIATION
from console.forms.shared import blame
from console.forms.tracker import NewItemForm, new_item_form
from console.services.jobs import registry, runs
from console.services.tracker import assignees
from console.services.tracker import manual as tracker_manual
from console.ui import runs as running
from console.ui.frame import frame, leave_toast
from console.ui.navigation import NavItem
from console.ui.responses import vary
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context

READ, WRITE, MANAGE = REMEDIATION.read, REMEDIATION.write, REMEDIATION.manage
pages = Blueprint("board", __name__)
NAV = NavItem(
    "work",
    30,
    "board.page",
    N_("Remediation board"),
    "layout-kanban",
    READ[0],
    any_of=READ[1:],
    count="late_board",
    phone=True,
)


mount(
    pages,
    "/board",
    Demands(READ, WRITE, MANAGE, (*WRITE, "governance:read")),
    (*PAGES, *BULK_PAGES, *EVIDENCE_PAGES),
)


# A new item ----------------------------------------------------------------------------------------------------------
@pages.route("/board/new", methods=["GET", "POST"])
@access(*WRITE)
def new() -> Response:
    """Show the form for an item added by hand, or add it."""
    ctx = web_context()
    sent: MultiDict[str, str] | None = request.form if request.method == "POST" else None
    names = [site.name for site in frame().sites]
    people = assignees.candidates(ctx)
    form = new_item_form(names, people, sent, platform=current_actor().all_sites)
    if sent is None:
        form.site.data = frame().site or form.site.data
    elif form.validate():
        try:
            return _added(ctx, form)
        except Invalid as error:
            blame(form, error)
    status = 200 if sent is None else 422
    return vary(make_response(render_template("tracker/new.html", form=form), status))


def _added(ctx: Context, form: NewItemForm) -> Response:
    wanted = form.new()
    assignees.require_able(ctx, wanted.assignee, wanted.site)
    made = tracker_manual.create(ctx, wanted)
    leave_toast(_("%(name)s was added", name=made.item_id))
    return see_other(url_for("board.item", item_id=made.id))


# The sync ------------------------------------------------------------------------------------------------------------
@pages.get("/board/sync")
@access(*MANAGE)
def sync_state() -> ResponseReturnValue:
    """Return how the running sync goes; 286 ends the asking."""
    if not wants_fragment():
        return redirect(url_for("board.page"), 303)
    ctx = web_context()
    run_id = number_in(request.args.get("run", ""))
    run = runs.of_job(ctx, run_id, job_names.SYNC) if run_id is not None else None
    status = 286 if run is None or run.state == "finished" else 200
    return vary(make_response(render_template("tracker/_sync.html", run=run, sync_url=url_for("board.sync")), status))


@pages.post("/board/sync")
@access(*MANAGE)
def sync() -> Response:
    """Ask a worker to sync the board with the gate."""
    run = running.ask(registry.get(job_names.SYNC), {})
    if not wants_fragment():
        leave_toast(_("The sync was asked for"))
        return see_other(url_for("board.page"))
    return vary(make_response(render_template("tracker/_sync.html", run=run, sync_url=url_for("board.sync"))))
