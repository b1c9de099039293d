"""One's own account: profile, password, sessions, tokens; and the way out."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.identity import sign_in as steps
from console.domain.identity.addresses import local_address
from console.forms.identity import PasswordForm, ProfileForm
from console.forms.shared import handed
from console.inputs.identity import ProfileIn
from console.services.identity import sessions, tokens
from console.ui.frame import leave_toast
from console.web.request import access, app_config, current_actor, web_context
from console.web.security import forget_session

pages = Blueprint("account", __name__)
# The first mark that fits wins: most browsers name the others too.
BROWSERS = (
    ("Edg/", "Edge"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Whale/", "Whale"),
    ("KAKAOTALK", "KakaoTalk"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
CLEAR = {"Clear-Site-Data": '"cache", "storage"'}
# A phone that holds rounds which were not sent keeps them for their person; nobody else is shown them.
CLEAR_BUT_ROUNDS = {"Clear-Site-Data": '"cache"'}


@pages.get("/account")
@access()
def page() -> Response:
    """Show the own profile, sessions and tokens."""
    own = sessions.own_profile(web_context())
    form = ProfileForm(display_name=own.display_name, language=own.language or "", theme=own.theme or "")
    return _page(form)


@pages.post("/account/profile")
@access()
def save_profile() -> ResponseReturnValue:
    """Keep display name, language and theme."""
    form = ProfileForm(request.form)
    body = handed(form, ProfileIn, form.data) if form.validate() else None
    if body is None:
        return _page(form, 422)
    changed = sessions.update_profile(
        web_context(), display_name=body.display_name, language=body.language, theme=body.theme
    )
    leave_toast(_("Your account was saved"))
    response = make_response(redirect(url_for("account.page"), 303))
    steps.keep_preferences(response, language=changed.language, theme=changed.theme, forget=True)
    return response


@pages.get("/account/password")
@access()
def password() -> Response:
    """Ask for a new password; the first act of somebody with a one-time one."""
    return _password_page(PasswordForm(request.args))


@pages.post("/account/password")
@access()
def save_password() -> ResponseReturnValue:
    """Change the own password; other sessions end."""
    form = PasswordForm(request.form)
    first = current_actor().must_change_password
    if not form.validate():
        return _password_page(form, 422)
    if form.new.data != form.again.data:
        form.again.errors = [_("The two new passwords differ")]
        return _password_page(form, 422)
    try:
        steps.change_own_password(form.current.data, form.new.data, end_all_tokens=form.end_all_tokens.data)
    except steps.REFUSALS as error:
        field = "current" if error.code == sessions.WRONG_PASSWORD else "new"
        return _password_page(form, steps.refused(form, error, field))
    leave_toast(_("Your password was changed. Other sessions, and the tokens that it got, have ended."))
    onward = url_for("overview.page") if first else url_for("account.page")
    return redirect(local_address(form.next.data) or onward, 303)


@pages.post("/account/sessions/<int:session_id>/end")
@access()
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of the own sessions."""
    sessions.end_own(web_context(), session_id)
    if session_id == current_actor().session_id:
        return _leave()
    leave_toast(_("The session has ended"))
    return redirect(url_for("account.page"), 303)


@pages.post("/account/sessions/end-all")
@access()
def end_all() -> ResponseReturnValue:
    """Sign out everywhere else, or everywhere."""
    everywhere = request.form.get("everywhere") == "1"
    ended = sessions.end_all_own(web_context(), keep_current=not everywhere)
    if everywhere:
        return _leave()
    leave_toast(_("%(count)s other sessions have ended", count=ended))
    return redirect(url_for("account.page"), 303)


@pages.post("/account/tokens/<int:token_id>/revoke")
@access()
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Revoke one of the own tokens."""
    token = tokens.revoke_own(web_context(), token_id)
    leave_toast(_("The token “%(label)s” was revoked", label=token.label))
    return redirect(url_for("account.page"), 303)


@pages.post("/sign-out")
@access()
def sign_out() -> ResponseReturnValue:
    """End this session."""
    sessions.sign_out(web_context())
    return _leave()


def _leave() -> Response:
    forget_session()
    response = make_response(redirect(url_for("auth.sign_in"), 303))
    response.headers.update(CLEAR if not request.form.get("keep_rounds") else CLEAR_BUT_ROUNDS)
    return response


def _page(form: ProfileForm, status: int = 200) -> Response:
    ctx = web_context()
    body = render_template(
        "identity/account.html",
        form=form,
        own=sessions.own_profile(ctx),
        sessions=sessions.list_own(ctx),
        tokens=tokens.list_own(ctx),
    )
    return make_response(body, status)


def _password_page(form: PasswordForm, status: int = 200) -> Response:
    first = current_actor().must_change_password
    template = "identity/first_password.html" if first else "identity/password.html"
    minimum = app_config()["PASSWORD_MIN_LENGTH"]
    return make_response(render_template(template, form=form, minimum=minimum), status)


@pages.app_template_filter()
def browser(user_agent: str) -> str:
    """Name the browser and the system behind a user agent as people call them."""
    name = next((word for mark, word in BROWSERS if mark in user_agent), "")
    system = next((word for mark, word in SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (name, system) if part) or _("Unknown browser")


@pages.app_template_filter()
def scope_words(names: tuple[str, ...]) -> str:
    """Write a scope of sites in words."""
    if "*" in names:
        return _("All sites")
    return ", ".join(names) or _("No site")
