"""The pages of workflow locks: list, draft, and each lock with its steps and its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.domain.errors import BadRequest, Conflict, DomainError, Invalid, NotFound
from console.domain.text import N_, T
from console.domain.workflow_locks import locks as rules
from console.domain.workflow_locks.locks import APPROVE, CREATE, LOCK, OFFERED, REJECT, STEPS, SUBMIT, UNLOCK, UPDATE
from console.forms.shared import blame, handed
from console.forms.workflow_locks import STEPS as STEPS_KEY
from console.forms.workflow_locks import LockForm, changing, sites_of, steps_of
from console.inputs.workflow_locks import DraftIn, LockIn, StepIn
from console.services.identity import sites
from console.services.identity.names import names_of
from console.services.workflow_locks import locks
from console.services.workflow_locks.lists import LOCKS
from console.services.workflow_locks.locks import READ_ACCESS, LockView
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.web.request import access, current_actor, web_context

pages = Blueprint("workflow_locks", __name__)
NAV = NavItem("administration", 35, "workflow_locks.page", N_("Workflow locks"), "lock", permission=READ_ACCESS)


@dataclass(frozen=True)
class Offer:
    """A step that a page offers: its button, what will happen, and what it asks for."""

    action: str
    label: str
    text: str
    kind: str = ""
    comment: bool = True
    reason: bool = False
    ticket: bool = False


ON_RECORD = {"comment": False, "reason": True, "ticket": True}
_OFFERS = (
    Offer(SUBMIT, N_("Hand in for review"), N_("The draft can be changed again only when it is sent back."), "primary"),
    Offer(APPROVE, N_("Approve"), N_("It becomes the agreed way of working."), "primary"),
    Offer(REJECT, N_("Send back"), N_("It becomes a draft again; say what is missing."), "danger"),
    Offer(
        LOCK,
        N_("Lock"),
        N_("Nobody changes it from now on, until somebody opens it with a reason and a ticket."),
        "primary",
        **ON_RECORD,
    ),
    Offer(UNLOCK, N_("Open the lock"), N_("It stays approved; reason and ticket go on record."), "danger", **ON_RECORD),
)
OFFERS = {offer.action: offer for offer in _OFFERS}
EVENTS = {
    CREATE: N_("Draft begun"),
    UPDATE: N_("Draft changed"),
    SUBMIT: N_("Handed in for review"),
    APPROVE: N_("Approved"),
    REJECT: N_("Sent back"),
    LOCK: N_("Locked"),
    UNLOCK: N_("Lock opened"),
}


@pages.app_template_filter()
def without_steps(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands in a content beside its steps."""
    return {name: value for name, value in content.items() if name != STEPS_KEY or not steps_of(content)}


@pages.get("/workflow-locks")
@access(READ_ACCESS)
def page() -> Response:
    """Show the locks, what waits for somebody first."""
    around = {"may_draft": rules.may(locks.caller_of(current_actor()), CREATE)}
    return list_page(
        LOCKS, fragment="workflow_locks.lock_list", page="workflow_locks/page.html", carried=("site",), around=around
    )


@pages.get("/workflow-locks/csv")
@access(READ_ACCESS, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the locks of the list as CSV."""
    return list_download(LOCKS, "workflow-locks.csv")


@pages.get("/workflow-locks/new")
@access(READ_ACCESS)
def new() -> ResponseReturnValue:
    """Ask for a new draft; who may not make one is led to the list."""
    if not rules.may(locks.caller_of(current_actor()), CREATE):
        return redirect(url_for("workflow_locks.page"), 303)
    return _new(LockForm(site=request.args.get("site", "")))


@pages.post("/workflow-locks/new")
@access(READ_ACCESS)
def create() -> ResponseReturnValue:
    """Begin a draft."""
    ctx, form = web_context(), LockForm(request.form)
    values = {name: form[name].data or None for name in ("site", "workflow_key", "requested_ticket")}
    body = handed(form, LockIn, {**values, "content": form.content()}) if form.validate() else None
    if body is None:
        return _new(form, 422)
    made = locks.create(
        ctx, site=body.site, workflow_key=body.workflow_key, content=body.content, ticket=body.requested_ticket
    )
    leave_toast(_("The draft “%(name)s” was begun", name=made.workflow_key))
    return redirect(url_for("workflow_locks.detail", lock_id=made.id), 303)


@pages.get("/workflow-locks/<int:lock_id>")
@access(READ_ACCESS)
def detail(lock_id: int) -> Response:
    """Show one lock with what may be done and what happened."""
    return _detail(locks.get(web_context(), lock_id))


@pages.post("/workflow-locks/<int:lock_id>/draft")
@access(READ_ACCESS)
def save(lock_id: int) -> ResponseReturnValue:
    """Keep a change of a draft; whoever was slower is told so and keeps what was written."""
    ctx, form = web_context(), changing(request.form)
    before = locks.get(ctx, lock_id)
    values = {"comment": form.comment.data or "", "requested_ticket": form.requested_ticket.data or None}
    body = handed(form, DraftIn, {**values, "content": form.content(before.content)}) if form.validate() else None
    if body is None:
        return _detail(before, form, 422)
    try:
        version = int(form.version.data or 0) or None
        locks.change(
            ctx, lock_id, content=body.content, ticket=body.requested_ticket, comment=body.comment, version=version
        )
    except (Conflict, ValueError) as error:
        refusal = error if isinstance(error, DomainError) else Invalid.field("version", N_("is no version"))
        blame(form, refusal)
        return _detail(locks.get(ctx, lock_id), form, refusal.status)
    leave_toast(_("The draft was saved"))
    return redirect(url_for("workflow_locks.detail", lock_id=lock_id), 303)


@pages.post("/workflow-locks/<int:lock_id>/<step>")
@access(READ_ACCESS)
def take(lock_id: int, step: str) -> ResponseReturnValue:
    """Take a step on the way of a lock; a refusal is told beside what was written."""
    if step not in OFFERS:
        raise NotFound(T("There is no such action"))
    ctx, form = web_context(), request.form
    sent = {name: form.get(name, "") for name in ("comment", "reason", "requested_ticket")}
    body = StepIn.model_validate(sent)
    try:
        locks.take(ctx, lock_id, step, comment=body.comment, reason=body.reason, ticket=body.requested_ticket or None)
    except (BadRequest, Conflict) as error:
        return _detail(locks.get(ctx, lock_id), status=error.status, refused={"error": error, **sent})
    leave_toast(_(EVENTS[step]))
    return redirect(url_for("workflow_locks.detail", lock_id=lock_id), 303)


def _new(form: LockForm, status: int = 200) -> Response:
    offered = sites_of(form, sites.names(web_context()))
    return make_response(render_template("workflow_locks/new.html", form=offered), status)


def _detail(
    lock: LockView, form: LockForm | None = None, status: int = 200, refused: Mapping[str, Any] | None = None
) -> Response:
    ctx, caller = web_context(), locks.caller_of(current_actor())
    events = locks.history(ctx, lock.id)
    people = {event.actor for event in events} | {lock.created_by, lock.updated_by}
    names = names_of(ctx, sorted(people))
    if form is None:
        form = changing(
            steps="\n".join(steps_of(lock.content)), requested_ticket=lock.requested_ticket, version=str(lock.version)
        )
    own = lock.submitted_by == ctx.actor.username
    mine = [name for name in OFFERED[lock.status] if rules.may(caller, name) and not (name == APPROVE and own)]
    values = {
        "lock": lock,
        "form": form,
        "names": names,
        "steps": steps_of(lock.content),
        "events": [_told(event, names) for event in events],
        "offers": [OFFERS[name] for name in mine if name in OFFERS],
        "may_edit": UPDATE in mine,
        "waits_for": sorted(STEPS[OFFERED[lock.status][0]].roles),
        "refused": refused,
    }
    return make_response(render_template("workflow_locks/detail.html", **values), status)


def _told(event: locks.LockEvent, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": event.at,
        "actor": names.get(event.actor, event.actor),
        "text": EVENTS[event.action],
        "note": event.comment,
    }
