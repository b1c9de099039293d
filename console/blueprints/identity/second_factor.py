"""One's own second factor: how it stands, and the app: begin, confirm, switch off."""

from __future__ import annotations

import segno
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.identity import passkey_steps
from console.blueprints.identity import sign_in as steps
from console.domain.identity.passkeys import MOST
from console.domain.identity.second_factor import must_set_up
from console.forms.identity import CodeForm, ConfirmPasswordForm
from console.services.identity import passkeys, second_factor
from console.ui.frame import leave_toast
from console.web.request import access, app_config, current_actor, web_context

pages = Blueprint("second_factor", __name__)
QUIET_ZONE = 4
UNKEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@pages.get("/account/second-factor")
@access()
def page() -> Response:
    """Show how the own second factor stands, with the next step."""
    return _page()


@pages.post("/account/second-factor/begin")
@access()
def begin() -> ResponseReturnValue:
    """Make a secret for the authenticator app; asks for the password once more."""
    form = ConfirmPasswordForm(request.form)
    if not form.validate():
        return _page(422, password=form)
    try:
        steps.begin_second_factor(form.password.data)
    except steps.REFUSALS as error:
        return _page(steps.refused(form, error, "password"), password=form)
    return redirect(url_for("second_factor.page"), 303)


@pages.post("/account/second-factor/confirm")
@access()
def confirm() -> ResponseReturnValue:
    """Switch the second factor on with a first code, and show the recovery codes this once."""
    form = CodeForm(request.form)
    if not form.validate():
        return _page(422, code=form)
    try:
        codes = steps.confirm_second_factor(form.code.data)
    except steps.REFUSALS as error:
        return _page(steps.refused(form, error, "code"), code=form)
    return make_response(render_template("identity/recovery_codes.html", codes=codes, renewed=False), 200, UNKEPT)


@pages.post("/account/second-factor/off")
@access()
def switch_off() -> ResponseReturnValue:
    """Switch the second factor off; asks for a code."""
    form = CodeForm(request.form)
    if not form.validate():
        return _page(422, code=form)
    try:
        steps.switch_second_factor_off(form.code.data)
    except steps.REFUSALS as error:
        return _page(steps.refused(form, error, "code"), code=form)
    leave_toast(_("The second factor is switched off"))
    return redirect(url_for("second_factor.page"), 303)


@pages.post("/account/second-factor/codes")
@access()
def renew_codes() -> ResponseReturnValue:
    """Show new recovery codes, this once; asks first for a code, or for a passkey."""
    form, answer = CodeForm(request.form), request.form.get("answer", "")
    if "code" not in request.form:
        return _codes_page(CodeForm())
    if not answer and not form.validate():
        return _codes_page(form, 422)
    try:
        codes = passkey_steps.renew_codes(code=form.code.data or "", answer=answer)
    except steps.REFUSALS as error:
        return _codes_page(form, steps.refused(form, error, "" if answer else "code"))
    return make_response(render_template("identity/recovery_codes.html", codes=codes, renewed=True), 200, UNKEPT)


def _codes_page(form: CodeForm, status: int = 200) -> Response:
    body = render_template(
        "identity/prove.html",
        heading=_("New recovery codes"),
        lead=_("The codes that you have no longer count then."),
        action=url_for("second_factor.renew_codes"),
        label=_("Show new codes"),
        danger=False,
        form=form,
        question=passkey_steps.ask_change(),
    )
    return make_response(body, status, UNKEPT)


def _page(status: int = 200, *, password: ConfirmPasswordForm | None = None, code: CodeForm | None = None) -> Response:
    own, actor = second_factor.own(web_context()), current_actor()
    known = passkeys.list_own(web_context()) if own is not None else []
    first = must_set_up(
        actor.role,
        has_second_factor=actor.has_second_factor,
        owners_need_it=app_config()["OWNER_SECOND_FACTOR_REQUIRED"],
    )
    body = render_template(
        "identity/second_factor.html",
        own=own,
        password=password or ConfirmPasswordForm(),
        code=code or CodeForm(),
        picture=_picture(own.address) if own and own.address else None,
        first=first,
        passkeys=known,
        full=len(known) >= MOST,
    )
    return make_response(body, status, UNKEPT)


def _picture(address: str) -> tuple[int, str]:
    """Return the width of the QR code of an address in modules, with its quiet zone, and the path that draws it."""
    rows = list(segno.make(address, error="m").matrix_iter(border=QUIET_ZONE))
    dark = (f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, module in enumerate(row) if module)
    return len(rows), "".join(dark)
