"""Owners edit the texts of a week: with a look at the page before it counts, revisions, and the way back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.errors import DomainError, Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.domain.programme.documents import Document
from console.domain.programme.layouts import LAYOUTS
from console.domain.programme.week import PHASES
from console.services.programme import editor
from console.services.programme.editor import MANAGE, PackView
from console.ui.errors import words_of
from console.ui.frame import frame, leave_toast
from console.ui.labels import packs as labels
from console.ui.portal import week_values
from console.web.request import abandon, access, web_context

pages = Blueprint("packs", __name__)
REASON_MAX = 500


@pages.get("/programme/packs")
@access(MANAGE)
def page() -> str:
    """Show every week with whose document counts."""
    return render_template("programme/packs.html", data=editor.packs(web_context()))


@pages.get("/programme/packs/<pack:week>")
@access(MANAGE)
def edit(week: str) -> Response:
    """Show the form with the document as it counts now."""
    found = editor.pack(web_context(), week)
    return _form(found, found.document)


def _form(found: PackView, document: Document, refusal: DomainError | None = None) -> Response:
    """Draw the form with `document` in it, which need not be the one that counts."""
    values = {
        "data": found,
        "document": document,
        "layout": LAYOUTS[document["layout"]],
        "labels": labels,
        "phases": [(word, _(word)) for word in dict.fromkeys((found.document["phase"], *PHASES))],
        "refusal": words_of(refusal) if refusal else None,
        "lost": isinstance(refusal, PreconditionFailed),
        "revisions": editor.revisions(web_context(), found.code),
    }
    return make_response(render_template("programme/pack.html", **values), refusal.status if refusal else 200)


def _sent(found: PackView) -> dict[str, Any]:
    """Return the document of the form; parts that stay as they are are refused by the service when they differ."""
    return editor.filled(found.document, request.form)


@pages.post("/programme/packs/<pack:week>")
@access(MANAGE)
def save(week: str) -> ResponseReturnValue:
    """Store what was written; whoever lost against somebody else is told and keeps the text."""
    ctx = web_context()
    document = _sent(editor.pack(ctx, week))
    version = number_in(request.form.get("revision", ""))
    try:
        editor.save(
            ctx, week, document, if_match=-1 if version is None else version,
            reason=request.form.get("reason", "")[:REASON_MAX],
        )  # fmt: skip
    except (PreconditionFailed, Invalid) as error:
        abandon()
        return _form(editor.pack(web_context(), week), document, error)
    leave_toast(_("%(week)s is published", week=week.upper()))
    return redirect(url_for("packs.edit", week=week), 303)


@pages.post("/programme/packs/<pack:week>/preview")
@access(MANAGE, writes=False)
def preview(week: str) -> ResponseReturnValue:
    """Show the page of the week as it would be, stored nowhere."""
    ctx = web_context()
    before = editor.pack(ctx, week)
    document = _sent(before)
    try:
        found = editor.preview(ctx, week, document)
    except Invalid as error:
        return _form(before, document, error)
    values = week_values(found, found.packs[week], ctx.now().date(), frame().locale)
    return render_template("programme/portal_week.html", **values, to=url_for, others=(), preview=True)


@pages.post("/programme/packs/<pack:week>/built-in")
@access(MANAGE)
def reset(week: str) -> ResponseReturnValue:
    """Let the built-in document count again."""
    return _turned(week, lambda ctx, version: editor.to_built_in(ctx, week, if_match=version))


@pages.post("/programme/packs/<pack:week>/revisions/<int:revision>")
@access(MANAGE)
def restore(week: str, revision: int) -> ResponseReturnValue:
    """Let an earlier revision count again."""
    return _turned(week, lambda ctx, version: editor.restore(ctx, week, revision, if_match=version))


def _turned(week: str, turn: Any) -> ResponseReturnValue:
    version = number_in(request.form.get("revision", ""))
    try:
        turn(web_context(), -1 if version is None else version)
    except (PreconditionFailed, Invalid) as error:
        abandon()
        found = editor.pack(web_context(), week)
        return _form(found, found.document, error)
    leave_toast(_("%(week)s is published", week=week.upper()))
    return redirect(url_for("packs.edit", week=week), 303)
