"""The gallery: every component with its documentation, in both languages and themes."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import gallery, listing
from console.errors import wants_fragment
from console.forms.gallery import SampleForm
from console.frame import frame
from console.responses import toast, vary
from console.web import access

pages = Blueprint("components", __name__)


@pages.get("/components")
@access()
def page() -> ResponseReturnValue:
    """Show all components; `lang` and `theme` override the reader's own for this page only."""
    now = frame().now
    query = listing.parse(gallery.SPEC, request.args)
    data = gallery.sample_list(now, query)
    if wants_fragment():
        return vary(Response(render_template("components/_list.html", data=data)))
    wrong = SampleForm(prefix="wrong-", data={"hours": 900, "site": "a"})
    wrong.validate()
    return render_template(
        "components/page.html",
        data=data,
        nothing=gallery.sample_list(now, listing.ListQuery(), empty="nothing"),
        no_match=gallery.sample_list(now, listing.ListQuery(search="x"), empty="no-match"),
        form=SampleForm(),
        wrong=wrong,
        events=gallery.sample_events(now),
        queued=gallery.sample_run(now, "running"),
        done=gallery.sample_run(now, "finished"),
        docs=gallery.documentation,
        now=now,
    )


@pages.post("/components")
@access()
def act() -> ResponseReturnValue:
    """Answer the sample buttons: with a toast, or with the page again without script; nothing is changed."""
    if wants_fragment():
        return toast(Response("", 200, {"HX-Reswap": "none"}), request.form.get("say", "OK")[:80])
    return redirect(url_for("components.page"), 303)
