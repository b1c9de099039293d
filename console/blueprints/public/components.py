"""The gallery: every component with its documentation, in both languages and themes."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.blueprints.public import gallery, gallery_tracker
from console.core import listing
from console.forms.public import SampleForm
from console.services.tracker.rows import ItemView
from console.ui.frame import frame
from console.ui.responses import menu_of, toast, vary
from console.web.negotiation import wants_fragment
from console.web.request import access

pages = Blueprint("components", __name__)


@pages.get("/components")
@access()
def page() -> ResponseReturnValue:
    """Show all components; `lang` and `theme` override the reader's own for this page only."""
    now = frame().now
    query = listing.parse(gallery.SPEC, request.args)
    data = gallery.sample_list(now, query)
    if (asked := menu_of(data, request.path)) is not None:
        return asked
    if wants_fragment():
        return vary(Response(render_template("public/_component_list.html", data=data)))
    return _whole(data)


@pages.get("/components/drawer")
@access()
def drawer() -> ResponseReturnValue:
    """Show the drawer of the sample item that `item` names, beside the gallery."""
    items = gallery_tracker.sample_items(frame().now)
    chosen = next((item for item in items if str(item.id) == request.args.get("item")), items[0])
    if wants_fragment():
        values = {"item": chosen, "events": gallery.sample_events(frame().now)}
        return vary(Response(render_template("public/_component_drawer.html", **values)))
    return _whole(gallery.sample_list(frame().now, listing.ListQuery()), chosen)


def _whole(data: listing.ListResult, item: ItemView | None = None) -> str:
    """Draw the gallery, with a drawer for `item`."""
    now = frame().now
    wrong = SampleForm(prefix="wrong-", data={"hours": 900, "site": "a"})
    wrong.validate()
    return render_template(
        "public/components.html",
        data=data,
        nothing=gallery.sample_list(now, listing.ListQuery(), empty="nothing"),
        no_match=gallery.sample_list(now, listing.ListQuery(search="x"), empty="no-match"),
        form=SampleForm(),
        wrong=wrong,
        events=gallery.sample_events(now),
        queued=gallery.sample_run(now, "running"),
        done=gallery.sample_run(now, "finished"),
        docs=gallery.documentation,
        items=gallery_tracker.sample_items(now),
        readiness=gallery_tracker.sample_readiness(now),
        evidence=gallery_tracker.sample_evidence(now, url_for("components.page")),
        item=item,
        now=now,
    )


@pages.post("/components")
@access()
def act() -> ResponseReturnValue:
    """Answer the sample buttons: with a toast, or with the page again without script; nothing is changed."""
    if wants_fragment():
        return toast(Response("", 200, {"HX-Reswap": "none"}), request.form.get("say", "OK")[:80])
    return redirect(url_for("components.page"), 303)
