"""One's own passkeys: make one, name it, take it away."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.identity import passkey_steps
from console.blueprints.identity import sign_in as steps
from console.domain.errors import Invalid
from console.forms.identity import CodeForm, NewPasskeyForm, PasskeyNameForm
from console.forms.shared import blame, handed
from console.inputs.identity import PasskeyIn
from console.services.identity import passkeys
from console.ui.frame import leave_toast
from console.web.request import access, web_context

pages = Blueprint("passkeys", __name__)
UNKEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@pages.get("/account/passkeys/new")
@access()
def new() -> Response:
    """Ask for the name of a new passkey, and for the password once more."""
    return _new_page(NewPasskeyForm())


@pages.post("/account/passkeys/new")
@access()
def begin() -> Response:
    """Show the button with which the browser makes the passkey."""
    form = NewPasskeyForm(request.form)
    body = handed(form, PasskeyIn, {"name": form.name.data}) if form.validate() else None
    if body is None:
        return _new_page(form, 422)
    try:
        question = passkey_steps.begin(body.name, form.password.data)
    except steps.REFUSALS as error:
        return _new_page(form, steps.refused(form, error, "password"))
    made = render_template("identity/passkey_make.html", name=body.name, question=question)
    return make_response(made, 200, UNKEPT)


@pages.post("/account/passkeys")
@access()
def add() -> ResponseReturnValue:
    """Keep the passkey that the browser made; the first second factor comes with recovery codes, shown this once."""
    try:
        codes = passkey_steps.add(request.form.get("answer", ""))
    except Invalid as error:
        form = NewPasskeyForm()
        blame(form, error)
        return _new_page(form, 422)
    if codes:
        return make_response(render_template("identity/recovery_codes.html", codes=codes, renewed=False), 200, UNKEPT)
    leave_toast(_("The passkey was added"))
    return redirect(url_for("second_factor.page"), 303)


@pages.get("/account/passkeys/<int:passkey_id>")
@access()
def page(passkey_id: int) -> Response:
    """Show one of the own passkeys."""
    own = passkeys.own(web_context(), passkey_id)
    return _own_page(passkey_id, PasskeyNameForm(name=own.name))


@pages.post("/account/passkeys/<int:passkey_id>")
@access()
def rename(passkey_id: int) -> ResponseReturnValue:
    """Give one of the own passkeys another name."""
    form = PasskeyNameForm(request.form)
    body = handed(form, PasskeyIn, {"name": form.name.data}) if form.validate() else None
    if body is None:
        return _own_page(passkey_id, form, 422)
    passkeys.rename(web_context(), passkey_id, name=body.name)
    leave_toast(_("The passkey was renamed"))
    return redirect(url_for("second_factor.page"), 303)


@pages.post("/account/passkeys/<int:passkey_id>/remove")
@access()
def remove(passkey_id: int) -> ResponseReturnValue:
    """Take one of the own passkeys away; asks first for a code, or for a passkey."""
    form, answer = CodeForm(request.form), request.form.get("answer", "")
    if "code" not in request.form:
        return _removal_page(passkey_id, CodeForm())
    if not answer and not form.validate():
        return _removal_page(passkey_id, form, 422)
    try:
        passkey_steps.remove(passkey_id, code=form.code.data or "", answer=answer)
    except steps.REFUSALS as error:
        return _removal_page(passkey_id, form, steps.refused(form, error, "" if answer else "code"))
    leave_toast(_("The passkey was removed"))
    return redirect(url_for("second_factor.page"), 303)


def _new_page(form: NewPasskeyForm, status: int = 200) -> Response:
    works = passkey_steps.place() is not None
    return make_response(render_template("identity/passkey_new.html", form=form, works=works), status)


def _own_page(passkey_id: int, form: PasskeyNameForm, status: int = 200) -> Response:
    own = passkeys.own(web_context(), passkey_id)
    return make_response(render_template("identity/passkey.html", own=own, form=form), status)


def _removal_page(passkey_id: int, form: CodeForm, status: int = 200) -> Response:
    own, question = passkey_steps.ask_removal(passkey_id)
    body = render_template(
        "identity/prove.html",
        heading=_("Remove the passkey “%(name)s”?", name=own.name),
        lead=_("It no longer opens this console; on the device it can be deleted by hand."),
        action=url_for("passkeys.remove", passkey_id=passkey_id),
        label=_("Remove"),
        danger=True,
        form=form,
        question=question,
    )
    return make_response(body, status, UNKEPT)
