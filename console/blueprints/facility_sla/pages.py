"""The page of SLA policies: what counts, what is proposed, what a replay of it gives, and who decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError

from console.core.context import Context
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.facility_sla.policy import PRIORITIES, SITE, SlaPolicy, as_values
from console.domain.ids import number_in
from console.domain.jobs import names as job_names
from console.domain.text import N_, T, Text
from console.inputs.facility_sla import SlaPolicyIn
from console.services.facility_sla import look, policies, proposals, replays
from console.services.facility_sla.policies import MANAGE
from console.services.facility_sla.replays import DAYS, KEPT, NEWLY
from console.services.facility_sla.whatif import Wish
from console.services.identity import sites
from console.services.jobs import registry
from console.services.jobs.runs import Run
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.errors import words_of
from console.ui.formats import signed
from console.ui.frame import leave_toast
from console.ui.labels import facility_sla as words
from console.ui.navigation import NavItem
from console.ui.responses import csv_download, fragment_of, show, vary, wants_bom
from console.web.negotiation import wants_fragment
from console.web.request import abandon, access, web_context

pages = Blueprint("facility_sla", __name__)
NAV = NavItem("facility", 40, "facility_sla.page", N_("SLA policies"), "clock", permission=MANAGE)
SIDES = ("all", NEWLY, KEPT)
ORDERS_SHOWN = 50

for _words in (words.sla_difference, words.sla_values, words.sla_action, words.replay_days, signed):
    pages.add_app_template_filter(_words)


@pages.get("/sla")
@access(MANAGE)
def page() -> Response:
    """Show the proposal that waits, its replay, and what counts."""
    return _shown(number_in(request.args.get("proposal", "")))


def _shown(proposal_id: int | None, *, refusal: DomainError | None = None) -> Response:
    data = look.page_data(web_context(), proposal_id)
    side = request.args.get("side", "all")
    if side not in SIDES:
        raise Invalid(T("“%(word)s” is not a choice of “%(key)s”", word=side[:40], key="side"))
    made = show(
        data,
        fragment="facility_sla.sla",
        page="facility_sla/page.html",
        panel=_panel(data.run, data.proposal.id if data.proposal else None, replayed=data.replay is not None),
        side=side,
        shown=ORDERS_SHOWN,
        refusal=words_of(refusal) if refusal else None,
    )
    if refusal is not None:
        made.status_code = refusal.status
    return made


@pages.get("/sla/replay")
@access(MANAGE)
def panel() -> ResponseReturnValue:
    """Return the button that starts a replay with its progress; 286 ends the asking."""
    if not wants_fragment():
        return redirect(url_for("facility_sla.page"), 303)
    found = look.current_run(web_context())
    status = 200 if found is not None and found.state != "finished" else 286
    return vary(Response(_panel_text(found, number_in(request.args.get("proposal", ""))), status))


@pages.post("/sla/proposals/<int:proposal_id>/replay")
@access(MANAGE)
def replay(proposal_id: int) -> ResponseReturnValue:
    """Ask a worker for a replay of a proposal."""
    days = number_in(request.form.get("days", "90")) or 90
    proposals.get(web_context(), proposal_id)
    made = runs.ask(registry.get(job_names.SLA_REPLAY), {"proposal_id": proposal_id, "days": days})
    if not wants_fragment():
        return redirect(url_for("facility_sla.page", proposal=proposal_id), 303)
    return vary(Response(_panel_text(made, proposal_id)))


def _panel(found: Run | None, proposal_id: int | None, *, replayed: bool | None = None) -> dict[str, Any]:
    """Return the panel for a proposal. `replayed` is whether the page around shows its replay, None without a page."""
    if found is not None and found.state == "finished" and found.options.get("proposal_id") != proposal_id:
        found = None  # of another proposal
    proven = found is not None and bool(found.detail.get("proven"))
    return {
        "run": found and runs.panel_of(found, _summary(found, replayed)),
        "result_url": url_for("facility_sla.page", proposal=proposal_id) if proven and replayed is None else None,
        "replayed": bool(replayed),
        "job": registry.get(job_names.SLA_REPLAY),
        "start_url": url_for("facility_sla.replay", proposal_id=proposal_id) if proposal_id else None,
        "panel_url": url_for("facility_sla.panel", proposal=proposal_id),
        "run_url": url_if("jobs.run", run_id=found.id) if found else None,
        "days": DAYS,
    }


def _panel_text(found: Run | None, proposal_id: int | None) -> str:
    values = _panel(found, proposal_id)
    return fragment_of("facility_sla.start", values.pop("run"), **values)


def _summary(found: Run, replayed: bool | None) -> Text | None:
    if not found.executed or "proven" not in found.detail:
        return None
    if found.detail["proven"]:
        return None if replayed else T("The replay is ready.")
    return T("The replay does not give what was recorded, so it is no ground for an approval")


@pages.get("/sla/proposals/<int:proposal_id>/orders.csv")
@access(MANAGE, rate="auth-heavy")
def changed_csv(proposal_id: int) -> Response:
    """Return the orders that change sides in the newest replay of a proposal as CSV."""
    found = replays.changed_orders(web_context(), proposal_id)
    name = f"sla-replay-{proposal_id}-orders.csv"
    return csv_download(replays.CHANGED_COLUMNS, lambda _ctx: iter(found), name, bom=wants_bom())


@pages.post("/sla/proposals/<int:proposal_id>/approve")
@access(MANAGE)
def approve(proposal_id: int) -> ResponseReturnValue:
    """Approve a proposal of somebody else."""
    note = request.form.get("note", "")
    return _do(proposal_id, lambda ctx: look.approve(ctx, proposal_id, note=note), _("The proposal is the policy now"))


@pages.post("/sla/proposals/<int:proposal_id>/reject")
@access(MANAGE)
def reject(proposal_id: int) -> ResponseReturnValue:
    """Turn a proposal down."""
    note = request.form.get("note", "")
    return _do(
        proposal_id, lambda ctx: proposals.reject(ctx, proposal_id, note=note), _("The proposal was turned down")
    )


def _do(proposal_id: int, act: Callable[[Context], Any], said: str) -> ResponseReturnValue:
    try:
        act(web_context())
    except (Conflict, Invalid) as refusal:
        abandon()
        return _shown(proposal_id, refusal=refusal)
    leave_toast(said)
    return redirect(url_for("facility_sla.page"), 303)


@pages.get("/sla/propose")
@access(MANAGE)
def propose_form() -> str:
    """Show the form of a proposal, with the values that count now."""
    site = request.args.get("site", "").strip() or None
    return _form(site, as_values(look.policy_of(web_context(), site)), "")


@pages.post("/sla/propose")
@access(MANAGE)
def propose() -> ResponseReturnValue:
    """Propose a policy, or make it count at once where that is allowed."""
    site, note = request.form.get("site", "").strip() or None, request.form.get("note", "").strip()
    sent = {name: request.form.get(name, "") for name in as_values(SlaPolicyIn().policy())}
    try:
        policy = _policy(sent)
        ctx = web_context()
        counts = policies.view(ctx, site)
        own = site is None or counts.source == SITE
        if own and as_values(counts.policy) == as_values(policy):
            raise Invalid(T("Nothing differs from the policy in force"))
        if request.form.get("now"):
            policies.put(ctx, policy, site=site, reason=note)
            leave_toast(_("The policy was changed"))
        else:
            made = proposals.propose(ctx, policy, Wish(site=site), note=note)
            leave_toast(_("Proposal #%(id)s waits for somebody else", id=made.id))
    except (Conflict, Invalid) as refusal:
        abandon()
        page_made = _form(site, sent, note, words_of(refusal))
        return vary(make_response(page_made, refusal.status))
    return redirect(url_for("facility_sla.page"), 303)


def _policy(sent: dict[str, str]) -> SlaPolicy:
    """Return the policy of a form; raises Invalid with the first number that cannot be."""
    targets = {word: _whole(sent[f"ack_target_minutes_{word}"] or "0") for word in PRIORITIES}
    body = {
        "default_due_hours": {word: _whole(sent[f"due_hours_{word}"]) for word in PRIORITIES},
        "escalation_grace_minutes": _whole(sent["escalation_grace_minutes"] or "0"),
        "pause_on_hold": bool(sent["pause_on_hold"]),
        "ack_target_minutes": {word: minutes or None for word, minutes in targets.items()},
    }
    try:
        return SlaPolicyIn.model_validate(body).policy()
    except ValidationError as error:
        raise Invalid(
            T("Hours are whole numbers from 1 to 720, the grace is 0 to 1,440 minutes, an answer 1 to 43,200 minutes")
        ) from error


def _whole(text: str) -> int | str:
    """Return the number of a field, or what stands in it instead."""
    number = number_in(text.strip())
    return text if number is None else number


def _form(site: str | None, values: dict[str, Any], note: str, refusal: str | None = None) -> str:
    ctx = web_context()
    known = [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    everywhere = [("", _("All sites without a policy of their own"))] if ctx.actor.all_sites else []
    choices = [*everywhere, *zip(known, known, strict=True)]
    return render_template(
        "facility_sla/propose.html",
        site=site or "",
        sites=choices,
        values=values,
        note=note,
        priorities=PRIORITIES,
        refusal=refusal,
        direct=not ctx.config["SLA_POLICY_REQUIRES_PROPOSAL"],
    )
