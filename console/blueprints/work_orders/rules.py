"""Completion rules: the page on which a site sets them, and the same for automation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.domain.errors import Invalid, PreconditionFailed
from console.domain.ids import number_in
from console.domain.work_orders.completion import DEMANDS, ENFORCED, THRESHOLDS, fields
from console.domain.work_orders.words import TRADES
from console.inputs.policies import REASON_MAX, PolicyOut
from console.inputs.work_order_rules import RulesIn, RulesQuery
from console.services.identity import names
from console.services.policies.kinds import PolicyView, envelope
from console.services.work_orders import rules
from console.services.work_orders.lists import TRADE_LABELS
from console.services.work_orders.rules import MANAGE
from console.ui.errors import words_of
from console.ui.frame import frame, leave_toast
from console.ui.labels.work_orders import DEMAND, THRESHOLD, rule_change
from console.ui.responses import answer, vary
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import abandon, access, web_context

pages = Blueprint("work_order_rules", __name__)
api = ApiBlueprint(
    "work_order_rules_api", __name__, abp_tags=[Tag(name="work orders", description="What has to be done")]
)
PATH = "/api/admin/policies/work-order-completion"
pages.add_app_template_filter(rule_change)


@api.get(PATH, responses={200: PolicyOut})
@access(MANAGE)
def get_rules(query: RulesQuery) -> Response:
    """Return the completion rules that count at a site, or those of all sites without their own."""
    return _policy(rules.view(web_context(), query.site))


@api.put(PATH, responses={200: PolicyOut})
@access(MANAGE)
def put_rules(query: RulesQuery, body: RulesIn) -> Response:
    """Change any part of the rules; with `If-Match` only the revision that it names (412)."""
    return _policy(
        rules.change(web_context(), body.model_dump(exclude_unset=True), site=query.site, if_match=if_match())
    )


def _policy(view: PolicyView) -> Response:
    return answer(envelope(view), PolicyOut, headers={"ETag": view.etag})


@pages.get("/work-orders/rules")
@access(MANAGE)
def page() -> Response:
    """Show what a site demands before an order is completed, with who changed what."""
    return _shown(_site())


@pages.post("/work-orders/rules")
@access(MANAGE)
def change() -> ResponseReturnValue:
    """Change the rules of a site; a refusal keeps what was chosen."""
    site, reason = _site(), request.form.get("reason", "").strip()[:REASON_MAX]
    sent: dict[str, Any] = {name: request.form.get(name, "") for name in fields()}
    if site is not None:
        sent[ENFORCED] = request.form.get(ENFORCED) == "1"
    seen = number_in(request.form.get("revision", ""))
    try:
        rules.change(web_context(), sent, site=site, if_match=seen, reason=reason)
    except (Invalid, PreconditionFailed) as refusal:
        abandon()
        made = _shown(site, refusal=words_of(refusal), values=sent)
        made.status_code = refusal.status
        return made
    leave_toast(_("The completion rules were changed"))
    return redirect(url_for("work_order_rules.page", site=site), 303)


def _site() -> str | None:
    """Return the site that is meant: that of the form or of the frame, or the only one that the caller may see."""
    sent = request.form.get("of_site", "").strip() if request.method == "POST" else frame().site
    if sent:
        return sent
    ctx = web_context()
    return None if ctx.actor.all_sites else next(iter(ctx.actor.site_scope), None)


def _shown(site: str | None, *, refusal: str | None = None, values: dict[str, Any] | None = None) -> Response:
    ctx = web_context()
    view = rules.view(ctx, site)
    found = rules.revisions(ctx, site)
    text = render_template(
        "work_orders/rules.html",
        view=view,
        values={**view.values, **(values or {})},
        site=site,
        sites=rules.by_site(ctx),
        everywhere=ctx.actor.all_sites,
        demands=[(name, _(DEMAND[key])) for name, key in DEMANDS.items()],
        trades=[(word, _(TRADE_LABELS[word])) for word in TRADES],
        thresholds=[(word, _(THRESHOLD[word])) for word in THRESHOLDS],
        revisions=found,
        names=names.names_of(ctx, [one.actor for one in found]),
        refusal=refusal,
    )
    return vary(make_response(text))
