"""The page of the objective for recoveries: its values, what they say of now, and who changed what."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.errors import Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.forms import policies as forms
from console.services.alerts import slo
from console.services.alerts.slo import KIND, Judged
from console.services.identity import names
from console.services.policies import policies
from console.ui.errors import words_of
from console.ui.frame import leave_toast
from console.ui.labels import alerts as words
from console.ui.responses import vary
from console.web.request import abandon, access, current_actor, web_context

pages = Blueprint("alert_objective", __name__)
for _words in (words.objective_label, words.objective_value):
    pages.add_app_template_filter(_words)


@pages.get("/alerts/channels/objective")
@access(*slo.READ)
def page() -> Response:
    """Show the objective with its form, and who changed what."""
    return _shown(_form(None))


@pages.post("/alerts/channels/objective")
@access(slo.ADMIN)
def change() -> ResponseReturnValue:
    """Keep the values of the form, or show what they say of the recoveries up to now."""
    ctx, form, tries = web_context(), _form(request.form), request.form.get("action") == "simulate"
    if tries:
        form["reason"].validators = ()
    if not form.validate():
        return _shown(form, status=422)
    sent = forms.sent_of(form, KIND)
    if tries:
        return _shown(form, trial=slo.judged(ctx, sent))
    seen = number_in(request.form.get("revision", ""))
    try:
        slo.change(ctx, sent, if_match=seen, reason=form["reason"].data)
    except (Invalid, PreconditionFailed) as refusal:
        abandon()
        return _shown(form, status=refusal.status, refusal=words_of(refusal))
    leave_toast(_("The objective was changed"))
    return redirect(url_for("alert_objective.page"), 303)


def _form(sent: Any) -> Any:
    return forms.form_of(KIND, words.OBJECTIVE, policies.resolve(web_context(), KIND).values, sent)


def _shown(form: Any, *, trial: Judged | None = None, status: int = 200, refusal: str | None = None) -> Response:
    ctx, actor = web_context(), current_actor()
    view, revisions = policies.view(ctx, KIND), policies.revisions(ctx, KIND, limit=30)
    made = render_template(
        "alerts/objective.html",
        view=view,
        form=form,
        judged=slo.judged(ctx, {}),
        trial=trial,
        breaches=words.BREACHES,
        origin=words.ORIGINS[view.source],
        revisions=revisions,
        names=names.names_of(ctx, [view.updated_by, *(one.actor for one in revisions)]),
        may_change=actor.all_sites and actor.can(slo.ADMIN),
        refusal=refusal,
    )
    return vary(make_response(made, status))
