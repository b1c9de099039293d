"""The page of the autopilot's policy: change or propose, compare, decide, and who changed what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.automation.links import can, links_of
from console.domain.errors import Invalid
from console.domain.text import T
from console.forms import policies as forms
from console.forms.shared import blame
from console.services.automation import preview as autopilot
from console.services.automation import shadow
from console.services.identity import names
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.automation import AUTOPILOT as POLICY
from console.services.policies.automation import READ
from console.ui.frame import leave_toast
from console.ui.labels import automation as words
from console.ui.responses import show
from console.web.request import access, web_context

pages = Blueprint("autopilot_policy", __name__)


@pages.get("/autopilot/policy")
@access(*READ)
def page() -> Response:
    """Show the policy with its form, the open proposal with its comparison, and who changed what."""
    ctx = web_context()
    ctx.actor.require_all_sites()
    form = forms.form_of(POLICY, words.FIELDS, policies.resolve(ctx, POLICY).values, without=("paused",))
    return _page(form)


def _page(form: Any, *, simulated: autopilot.Preview | None = None, status: int = 200) -> Response:
    ctx = web_context()
    comparison = shadow.comparison(ctx)
    mine = comparison is not None and comparison.proposal.proposed_by == ctx.actor.username
    approves, proposes = can(POLICY.approve), can(POLICY.propose)
    view, revisions = policies.view(ctx, POLICY), policies.revisions(ctx, POLICY, limit=30)
    proposals = policy_proposals.listed(ctx, POLICY, limit=10)
    shown: list[str | None] = [view.updated_by, *(one.actor for one in revisions)]
    shown += [name for one in proposals for name in (one.proposed_by, one.decided_by)]
    data = {
        "view": view,
        "comparison": comparison,
        "proposals": [one for one in proposals if one.state != "open"],
        "revisions": revisions,
        "simulated": simulated,
        "outdated": comparison is not None and policy_proposals.is_outdated(comparison.proposal, view),
        "names": names.names_of(ctx, shown),
    }
    return show(
        data,
        fragment="automation/policy.policy",
        page="automation/policy.html",
        status=status,
        form=form,
        action=url_for("autopilot_policy.change"),
        around={
            "links": links_of("policy"),
            "decide_url": lambda proposal_id: url_for("autopilot_policy.decide", proposal_id=proposal_id),
        },
        may={
            "change": can(POLICY.write),
            "propose": proposes and comparison is None,
            "wait": proposes and comparison is not None,
            "approve": approves,
            "withdraw": proposes and (mine or approves),
        },
    )


@pages.post("/autopilot/policy")
@access(*POLICY.propose)
def change() -> ResponseReturnValue:
    """Propose the values of the form, save them at once, or show what a run would do with them."""
    ctx = web_context()
    ctx.actor.require_all_sites()
    action = request.form.get("action", "")
    current = policies.resolve(ctx, POLICY)
    form = forms.form_of(POLICY, words.FIELDS, current.values, request.form, without=("paused",))
    if action == "simulate":
        form["reason"].validators = ()
    if not form.validate():
        return _page(form, status=422)
    sent = forms.sent_of(form, POLICY)
    if action == "simulate":
        return _page(form, simulated=autopilot.preview(ctx, override=sent))
    reason = form["reason"].data
    try:
        if action == "save":
            policies.update_policy(ctx, POLICY, sent, reason=reason)
            leave_toast(_("The policy was changed"))
        else:
            policy_proposals.propose(ctx, POLICY, sent, reason=reason, shadow=bool(form["shadow"].data))
            leave_toast(_("The change was proposed"))
    except Invalid as error:
        blame(form, error)
        return _page(form, status=422)
    return redirect(url_for("autopilot_policy.page"), 303)


@pages.post("/autopilot/proposals/<int:proposal_id>")
@access(*POLICY.propose)
def decide(proposal_id: int) -> ResponseReturnValue:
    """Approve, reject or withdraw a proposal."""
    ctx, note = web_context(), request.form.get("note", "")
    decisions: dict[str, tuple[Callable[..., Any], str]] = {
        "approve": (policy_proposals.approve, _("The proposal is the policy now")),
        "reject": (policy_proposals.reject, _("The proposal was turned down")),
        "withdraw": (policy_proposals.withdraw, _("The proposal was taken back")),
    }
    chosen = decisions.get(request.form.get("decision", ""))
    if chosen is None:
        raise Invalid(T("There is no such decision"))
    act, said = chosen
    act(ctx, POLICY, proposal_id, note=note)
    leave_toast(said)
    return redirect(url_for("autopilot_policy.page"), 303)
