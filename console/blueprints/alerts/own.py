"""The page of one's own alerts: addresses, what reaches them and when not, and names in channels."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.alerts import own_api
from console.domain.alerts.alerts import MAIL, SUCCESS, explained
from console.domain.alerts.personal import MOST_ADDRESSES
from console.domain.errors import Conflict, Invalid
from console.forms.personal_alerts import AddressCodeForm, AddressForm, choices_form
from console.forms.shared import blame
from console.services.alerts import personal, personal_choices, personal_messages, personal_names, personal_trials
from console.services.alerts.guard import Trial
from console.services.identity import sites as known_sites
from console.ui.formats import tr
from console.ui.frame import leave_toast
from console.ui.times import near_zones
from console.web.request import abandon, access, web_context

pages = Blueprint("own_alerts", __name__)


@pages.get("/account/alerts")
@access()
def page() -> Response:
    """Show the own addresses, choices, names in channels, and the latest messages."""
    return _page()


@pages.post("/account/alerts/addresses")
@access()
def add() -> ResponseReturnValue:
    """Keep a new address; a mail address gets a code."""
    form, ctx = AddressForm(request.form), web_context()
    if not form.validate():
        return _page(422, address=form)
    try:
        made, _channel = personal.add(ctx, kind=form.kind.data, address=form.address.data, name=form.name.data or "")
    except (Conflict, Invalid) as error:
        blame(form, error, "address")
        return _page(error.status, address=form)
    if made.kind == MAIL:
        _tell(personal_trials.send_code(ctx, made.id), _("A code is on its way to %(target)s", target=made.target))
    else:
        leave_toast(_("“%(name)s” was added", name=made.name))
    return _back()


@pages.post("/account/alerts/addresses/<int:address_id>/code")
@access()
def code(address_id: int) -> ResponseReturnValue:
    """Send another code."""
    try:
        done = personal_trials.send_code(web_context(), address_id)
    except Conflict as error:
        return _refused(error)
    _tell(done, _("A code is on its way to %(target)s", target=done.channel.label))
    return _back()


@pages.post("/account/alerts/addresses/<int:address_id>/confirm")
@access()
def confirm(address_id: int) -> ResponseReturnValue:
    """Confirm an address by its code."""
    form = AddressCodeForm(request.form)
    if not form.validate():
        return _page(422, code=form, waiting=address_id)
    try:
        own_api.confirm(address_id, form.code.data)
    except Invalid as error:
        blame(form, error, "code")
        return _page(error.status, code=form, waiting=address_id)
    leave_toast(_("The address is confirmed"))
    return _back()


@pages.post("/account/alerts/addresses/<int:address_id>/try")
@access()
def try_one(address_id: int) -> ResponseReturnValue:
    """Send a trial to one of the own addresses."""
    try:
        done = personal_trials.send_trial(web_context(), address_id)
    except Conflict as error:
        return _refused(error)
    _tell(done, _("The trial arrived"))
    return _back()


@pages.post("/account/alerts/addresses/<int:address_id>/pause")
@access()
def pause(address_id: int) -> ResponseReturnValue:
    """Stop an address, or take it up again."""
    paused, version = request.form.get("paused") == "1", request.form.get("version", 0, type=int)
    try:
        done = personal.pause(web_context(), address_id, paused=paused, version=version)
    except Conflict as error:
        return _refused(error)
    text = _("“%(name)s” is paused") if paused else _("“%(name)s” takes alerts again")
    leave_toast(text % {"name": done.name})
    return _back()


@pages.post("/account/alerts/addresses/<int:address_id>/remove")
@access()
def remove(address_id: int) -> ResponseReturnValue:
    """Take an address away."""
    personal.remove(web_context(), address_id)
    leave_toast(_("The address was removed"))
    return _back()


@pages.post("/account/alerts/choices")
@access()
def choices() -> ResponseReturnValue:
    """Keep what shall reach one, and when not."""
    ctx = web_context()
    form = choices_form(known_sites.names(ctx), personal_choices.own(ctx), request.form)
    if not form.validate():
        return _page(422, choices=form)
    try:
        personal_choices.change(ctx, form.wish(), version=request.form.get("version", 0, type=int))
    except (Conflict, Invalid) as error:
        blame(form, error, "event_types")
        return _page(error.status, choices=form)
    leave_toast(_("Your choices were saved"))
    return _back()


@pages.post("/account/alerts/names")
@access()
def names() -> ResponseReturnValue:
    """Keep what one is called in a channel."""
    try:
        personal_names.keep(web_context(), request.form.get("channel", ""), request.form.get("name", ""))
    except Invalid as error:
        return _refused(error)
    leave_toast(_("Your name in the channel was saved"))
    return _back()


def _back() -> ResponseReturnValue:
    return redirect(url_for("own_alerts.page"), 303)


def _refused(error: Conflict | Invalid) -> ResponseReturnValue:
    """Go back with the reason; nothing of the request stays."""
    abandon()
    text = error.detail[0]["msg"] if isinstance(error.detail, list) else error.detail
    leave_toast(tr(text), kind="error")
    return _back()


def _tell(done: Trial, text: str) -> None:
    if done.status == SUCCESS:
        leave_toast(text)
    else:
        why = tr(explained(done.error or ""))
        leave_toast(_("It did not arrive: %(reason)s", reason=why), kind="error")


def _page(status: int = 200, *, waiting: int | None = None, **forms: Any) -> Response:
    if status >= 400:
        abandon()
    ctx = web_context()
    chosen, own = personal_choices.own(ctx), personal.list_own(ctx)
    body = render_template(
        "alerts/own.html",
        addresses=own,
        full=len(own) >= MOST_ADDRESSES,
        most=MOST_ADDRESSES,
        version=chosen.version,
        choices=forms.get("choices") or choices_form(known_sites.names(ctx), chosen),
        address=forms.get("address") or AddressForm(),
        codes={one.id: _code_form(one.id, forms.get("code") if one.id == waiting else None) for one in own},
        names=personal_names.list_own(ctx),
        messages=personal_messages.latest(ctx),
        zones=near_zones(),
    )
    return make_response(body, status)


def _code_form(address_id: int, sent: AddressCodeForm | None) -> AddressCodeForm:
    form = sent or AddressCodeForm()
    # Several addresses may wait at once.
    form.code.id = f"code-{address_id}"
    form.code.label.field_id = form.code.id
    return form
