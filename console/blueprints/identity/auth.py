"""Who am I, sign in and out: the JSON door (API contract, identity sections 6 and 21) and the sign-in page."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.identity import passkey_steps
from console.blueprints.identity import sign_in as steps
from console.domain.errors import Invalid, Unauthorized
from console.domain.identity.addresses import local_address
from console.domain.text import T
from console.forms.identity import CodeForm, SignInForm
from console.forms.shared import blame
from console.inputs.identity import LoginIn, LoginOut, LogoutOut, ProfileIn, ProfileOut
from console.inputs.response_models import joined, shape
from console.services.identity import me as profile
from console.services.identity import passkeys, second_factor, sessions
from console.services.identity.sessions import Verdict
from console.services.identity.users import UserView
from console.ui.responses import answer, vary
from console.web.api_blueprint import ApiBlueprint
from console.web.negotiation import wants_fragment
from console.web.request import access, current_actor, web_context
from console.web.security import forget_session, valid_csrf

api = ApiBlueprint("auth_api", __name__, abp_tags=[Tag(name="auth", description="Sign-in and own profile")])
pages = Blueprint("auth", __name__)
CLEAR = {"Clear-Site-Data": '"cache", "storage"'}
UNKEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
UserOut = shape(UserView)
LeftOut = shape(UserView, "LeftOut", status=str)


@api.get("/api/auth/me", responses={200: ProfileOut})
@access()
def me() -> Response:
    """Return the caller's rights and the dates of their credential."""
    return answer(profile.me(web_context()), ProfileOut)


@api.post("/api/auth/login", responses={200: LoginOut})
@access(public=True)
def login(body: LoginIn) -> Response:
    """Exchange user name and password, and the code of a second factor where there is one, for a token."""
    verdict = steps.check_password(body.username.strip(), body.password)
    if verdict.user_id is None:
        raise Unauthorized(sessions.BAD_CREDENTIALS, code="invalid_credentials")
    if verdict.second_factor and body.otp is None:
        raise Unauthorized(sessions.BAD_CREDENTIALS, code="second_factor_required")
    if verdict.second_factor and not steps.check_code(verdict, body.otp or ""):
        raise Unauthorized(sessions.BAD_CREDENTIALS, code=second_factor.WRONG_CODE)
    token, found = profile.sign_in_for_token(web_context(), verdict, label=body.token_label)
    return answer({"token": token, "profile": found}, LoginOut, headers=UNKEPT)


@api.post("/api/auth/logout", responses={200: LogoutOut})
@access()
def logout() -> Response:
    """End the presented token or session."""
    ended = profile.sign_out(web_context())
    forget_session()
    return answer(ended, LogoutOut, headers=CLEAR)


@api.patch("/api/auth/me/profile", responses={200: UserOut})
@access()
def edit_me(body: ProfileIn) -> Response:
    """Change the own display name, language, theme or password."""
    ctx = web_context()
    if body.password is not None:
        steps.change_own_password(body.current_password or "", body.password, end_all_tokens=body.end_all_tokens)
    changed = sessions.update_profile(ctx, display_name=body.display_name, language=body.language, theme=body.theme)
    return answer(changed, UserOut)


@api.delete("/api/auth/me", responses={200: LeftOut})
@access()
def leave() -> Response:
    """Switch the own account off."""
    left = profile.deactivate_me(web_context())
    forget_session()
    return answer(joined(LeftOut, left, status="deactivated"), LeftOut, headers=CLEAR)


@pages.route("/sign-in", methods=["GET", "POST"])
@access(public=True)
def sign_in() -> ResponseReturnValue:
    """Ask for user name and password, then for the code of a second factor, and open a browser session."""
    form = SignInForm(request.form if request.method == "POST" else request.args)
    target = local_address(form.next.data) or "/"
    if request.method == "GET":
        if current_actor().kind != "session":
            return _form(form)
        return _signed_in(current_actor().username) if wants_fragment() else redirect(target, 303)
    if "code" in request.form:
        return _second_step(target)
    if not valid_csrf():
        form.form_errors.append(_("The page was open too long. Please sign in again."))
        return _form(form, 400)
    if not form.validate():
        return _form(form, 422)
    username, password = form.username.data.strip(), form.password.data
    try:
        verdict = steps.check_password(username, password)
    except steps.WaitPlease as error:
        blame(form, error)
        response = _form(form, 429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if verdict.user_id is None:
        form.form_errors.append(_("User name or password is wrong."))
        return _form(form, 422)
    if verdict.second_factor:
        steps.await_code(verdict)
        return _code_form(verdict, CodeForm(next=form.next.data))
    return _enter(verdict, password, target)


def _second_step(target: str) -> Response:
    """Take code or passkey of somebody whose password was right; who came too late begins again."""
    verdict = steps.awaited() if valid_csrf() else None
    if verdict is None:
        again = SignInForm(next=target)
        again.form_errors.append(_("The page was open too long. Please sign in again."))
        return _form(again, 400)
    form, answer = CodeForm(request.form), request.form.get("answer", "")
    if not answer and not form.validate():
        return _code_form(verdict, form, 422)
    try:
        right = passkey_steps.check(verdict, answer) if answer else steps.check_code(verdict, form.code.data)
    except steps.WaitPlease as error:
        blame(form, error)
        response = _code_form(verdict, form, 429)
        response.headers["Retry-After"] = str(error.retry_after)
        return response
    if not right and answer:
        blame(form, passkeys.not_accepted(passkeys.WRONG))
        return _code_form(verdict, form, 422)
    if not right:
        blame(form, Invalid(T("The code is wrong")), "code")
        return _code_form(verdict, form, 422)
    return _enter(verdict, None, target)


def _code_form(verdict: Verdict, form: CodeForm, status: int = 200) -> Response:
    template = "identity/_second_step.html" if wants_fragment() else "identity/second_step.html"
    # Who has to wait is asked nothing: every question is a row.
    question = passkey_steps.question_at_the_door(verdict) if status != 429 else None
    return vary(make_response(render_template(template, form=form, verdict=verdict, question=question), status))


def _enter(verdict: Verdict, password: str | None, target: str) -> Response:
    opened = steps.enter(verdict, password)
    wanted = steps.password_page(target) if opened.must_change_password else target
    if not wants_fragment():
        response = make_response(redirect(wanted, 303))
    elif opened.must_change_password:
        response = Response("", 204, {"HX-Redirect": wanted})
    else:
        response = _signed_in(verdict.username)
    steps.keep_preferences(response, language=opened.language, theme=opened.theme)
    return response


def _signed_in(username: str) -> Response:
    """Tell the page over which somebody signed in who it is, and give it the token of the new session."""
    return vary(make_response(render_template("identity/_signed_in.html", username=username)))


def _form(form: SignInForm, status: int = 200) -> Response:
    template = "identity/_sign_in.html" if wants_fragment() else "identity/sign_in.html"
    return vary(make_response(render_template(template, form=form), status))
