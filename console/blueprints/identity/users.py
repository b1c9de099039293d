"""Users: over the API (contract, identity section 7) and on the pages below /admin/users."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.tracker.urls import item_url
from console.core.context import Context
from console.domain.errors import BadRequest, Conflict, DomainError, Invalid, PermissionDenied
from console.domain.identity.iam import ADMIN
from console.domain.text import N_, T
from console.forms.identity import TokenForm, UserForm, without
from console.forms.shared import blame, handed
from console.forms.tracker import takers
from console.inputs.identity import (
    ActiveIn,
    PasswordSetIn,
    TokenIn,
    UserEditIn,
    UserIn,
    UserPath,
)
from console.inputs.response_models import array, joined, shape
from console.services.alerts import personal
from console.services.identity import lists as identity_lists
from console.services.identity import passwords, sites, tokens, users
from console.services.identity.users import NewPassword, UserView
from console.services.tracker import handover
from console.services.tracker.handover import HandedOver
from console.services.tracker.rows import ItemView
from console.ui.formats import number
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, current_actor, web_context

api = ApiBlueprint("users_api", __name__, abp_tags=[Tag(name="users", description="People and automation accounts")])
pages = Blueprint("users", __name__)
UserOut = shape(UserView)
# The user stands at the top and, as in earlier answers, below `user`.
_NEW: dict[str, Any] = {name: field.annotation for name, field in shape(NewPassword).model_fields.items()}
PasswordOut = shape(UserView, "PasswordOut", **_NEW)
UserList = array(UserOut, "UserList")
NAV = NavItem(
    "administration", 10, "users.page", N_("Users"), "users", permission="admins:manage", any_of=("users:manage",)
)
# What a form can show beside its fields; anything else is an error page.
SHOWN = (Conflict, Invalid, PermissionDenied)


@api.get("/api/admin/users", responses={200: UserList})
@access("admins:manage", "users:manage")
def list_users() -> Response:
    """Return all users, newest first."""
    return answer(identity_lists.all_users(web_context()), UserOut)


@api.post("/api/admin/users", responses={201: UserOut})
@access("admins:manage", "users:manage")
def create_user(body: UserIn) -> Response:
    """Create a user."""
    made = users.create(
        web_context(),
        username=body.username,
        display_name=body.display_name,
        role=body.role,
        permissions=body.permissions,
        site_scope=body.site_scope,
        is_active=body.is_active,
        password=body.password,
    )
    return answer(made, UserOut, status=201)


@api.patch("/api/admin/users/<user_id>/active", responses={200: UserOut})
@access("admins:manage", "users:manage")
def set_active(path: UserPath, body: ActiveIn) -> Response:
    """Switch a user on or off; switching off ends all their tokens and sessions."""
    return answer(users.set_active(web_context(), path.user_id, is_active=body.is_active), UserOut)


@api.get("/api/admin/users/<user_id>", responses={200: UserOut})
@access("admins:manage", "users:manage")
def get_user(path: UserPath) -> Response:
    """Return one user."""
    return answer(users.get(web_context(), path.user_id), UserOut)


@api.patch("/api/admin/users/<user_id>", responses={200: UserOut})
@access("admins:manage", "users:manage")
def edit_user(path: UserPath, body: UserEditIn) -> Response:
    """Change a user; what is absent stays as it is."""
    changed = users.edit(
        web_context(),
        path.user_id,
        display_name=body.display_name,
        role=body.role,
        permissions=body.permissions,
        site_scope=body.site_scope,
        is_active=body.is_active,
        version=body.version,
    )
    return answer(changed, UserOut)


@api.delete("/api/admin/users/<user_id>", responses={200: UserOut})
@access("admins:manage", "users:manage")
def delete_user(path: UserPath) -> Response:
    """Switch a user off for good; the row stays, because the audit trail refers to it."""
    return answer(users.set_active(web_context(), path.user_id, is_active=False), UserOut)


@api.post("/api/admin/users/<user_id>/password", responses={200: PasswordOut})
@access("admins:manage", "users:manage")
def set_password(path: UserPath, body: PasswordSetIn) -> Response:
    """Give a user a password that must be changed at the next sign-in; without one, a one-time password is made."""
    made = users.reset_password(web_context(), path.user_id, password=body.password)
    return answer(joined(PasswordOut, made.user, **vars(made)), PasswordOut)


@pages.get("/admin/users")
@access("admins:manage", "users:manage")
def page() -> Response:
    """Show the list of users."""
    ctx = web_context()
    spec = identity_lists.user_list(ctx)
    return list_page(spec, carried=("site",), fragment="identity/admin.user_list", page="identity/users.html")


@pages.get("/admin/users/csv")
@access("admins:manage", "users:manage", rate="auth-heavy")
def csv() -> Response:
    """Return exactly the users of the list as CSV."""
    return list_download(identity_lists.user_list(web_context()), "users.csv")


@pages.get("/admin/users/new")
@access("admins:manage", "users:manage")
def new() -> Response:
    """Ask for a new user."""
    form = UserForm()
    form.offer(sites.names(web_context()), current_actor().site_scope)
    return _new(form)


@pages.post("/admin/users/new")
@access("admins:manage", "users:manage")
def create() -> ResponseReturnValue:
    """Create a user; a one-time password is shown once."""
    form, ctx = UserForm(request.form), web_context()
    form.offer(sites.names(ctx))
    fine = form.validate()
    if fine and not form.scope:
        form.sites.errors = [_("Choose at least one site")]
        fine = False
    body = handed(form, UserIn, _values(form) | {"username": form.username.data}) if fine else None
    if body is None:
        return _new(form, 422)
    alike = users.look_alikes(ctx, body.username)
    if alike and form.warn(alike[0]):
        return _new(form, 422)
    password = passwords.one_time_password() if form.one_time.data else None
    try:
        made = users.create(
            ctx,
            username=body.username,
            display_name=body.display_name,
            role=body.role,
            permissions=body.permissions,
            site_scope=body.site_scope,
            password=password,
        )
    except SHOWN as error:
        return _refused(_new, form, error, "username" if isinstance(error, Conflict) else "")
    if password is None:
        leave_toast(_("“%(name)s” was added", name=made.display_name))
        return redirect(url_for("users.detail", user_id=made.id), 303)
    return _secret(
        made,
        heading=_("“%(name)s” was added", name=made.display_name),
        subject=_("One-time password of %(name)s", name=made.username),
        value=password,
        text=_("It is shown only now. Give it to the person; they choose their own at the first sign-in."),
    )


@pages.get("/admin/users/<int:user_id>")
@access("admins:manage", "users:manage")
def detail(user_id: int) -> Response:
    """Show one user with their tokens."""
    ctx = web_context()
    user = users.get(ctx, user_id)
    form = without(
        UserForm(display_name=user.display_name, role=user.role, permissions="\n".join(user.custom_permissions)),
        "username",
        "one_time",
    )
    form.offer(sites.names(ctx), user.site_scope)
    return _detail(user, form)


@pages.post("/admin/users/<int:user_id>")
@access("admins:manage", "users:manage")
def save(user_id: int) -> ResponseReturnValue:
    """Keep changes of a user."""
    ctx = web_context()
    form = without(UserForm(request.form), "username", "one_time")
    form.offer(sites.names(ctx))
    version = request.form.get("version", type=int)
    body = handed(form, UserEditIn, _values(form) | {"version": version}) if form.validate() else None
    if body is None:
        return _detail(users.get(ctx, user_id), form, 422)
    try:
        changed = users.edit(
            ctx,
            user_id,
            display_name=body.display_name,
            role=body.role,
            permissions=body.permissions,
            site_scope=body.site_scope,
            version=body.version,
        )
    except SHOWN as error:
        return _refused(lambda refused, status: _detail(users.get(ctx, user_id), refused, status), form, error)
    left = len(handover.held(ctx, user_id).stranded)
    said = _("“%(name)s” was saved", name=changed.display_name)
    told = _("open work left behind: %(count)s", count=number(left, 0))
    leave_toast(f"{said} · {told}" if left else said)
    return redirect(url_for("users.detail", user_id=user_id), 303)


@pages.post("/admin/users/<int:user_id>/active")
@access("admins:manage", "users:manage")
def switch(user_id: int) -> ResponseReturnValue:
    """Switch a user on, or off once their name was typed."""
    ctx, wanted = web_context(), request.form.get("active") == "1"
    user = users.get(ctx, user_id)
    if not wanted and request.form.get("confirm", "").strip() != user.username:
        raise Invalid(T("Type the user name to switch the account off"))
    changed = users.set_active(ctx, user_id, is_active=wanted)
    said = [_("“%(name)s” is on", name=changed.display_name) if wanted
            else _("“%(name)s” is off", name=changed.display_name)]  # fmt: skip
    to = request.form.get("to", "")
    if not wanted and to:
        said.append(_handed_over(handover.hand_over(ctx, user_id, to)))
    leave_toast(" · ".join(said))
    return redirect(url_for("users.detail", user_id=user_id), 303)


@pages.post("/admin/users/<int:user_id>/handover")
@access("admins:manage", "users:manage")
def hand_over(user_id: int) -> ResponseReturnValue:
    """Give somebody else the open work that this user cannot do any more."""
    leave_toast(_handed_over(handover.hand_over(web_context(), user_id, request.form.get("to", ""))))
    return redirect(url_for("users.detail", user_id=user_id), 303)


def _handed_over(done: HandedOver) -> str:
    said = _("handed over: %(count)s", count=number(done.changed, 0))
    left = _("not possible: %(count)s", count=number(done.refused, 0))
    return f"{said} · {left}" if done.refused else said


@pages.post("/admin/users/<int:user_id>/password")
@access("admins:manage", "users:manage")
def reset_password(user_id: int) -> ResponseReturnValue:
    """Make a one-time password and show it once."""
    done = users.reset_password(web_context(), user_id)
    ended = {"sessions": done.sessions_ended, "tokens": done.tokens_ended}
    return _secret(
        done.user,
        heading=_("New one-time password"),
        subject=_("One-time password of %(name)s", name=done.user.username),
        value=done.one_time_password or "",
        text=_("It is shown only now. Give it to the person; they choose their own at the first sign-in."),
        notes=[_("%(sessions)s sessions and %(tokens)s tokens of this person have ended.", **ended)],
    )


@pages.get("/admin/users/<int:user_id>/tokens/new")
@access("admins:manage")
def new_token(user_id: int) -> Response:
    """Ask for a new token."""
    return _new_token(users.get(web_context(), user_id), TokenForm())


@pages.post("/admin/users/<int:user_id>/tokens/new")
@access("admins:manage")
def issue_token(user_id: int) -> ResponseReturnValue:
    """Issue a token and show it once."""
    ctx, form = web_context(), TokenForm(request.form)
    user = users.get(ctx, user_id)
    form.offer(_sites_of(user))
    days = form.days.data
    expiry = ctx.now() + timedelta(days=days) if form.validate() and days else None
    values = {"label": form.label.data, "site_scope": form.scope}
    body = handed(form, TokenIn, values) if not form.errors else None
    if body is None:
        return _new_token(user, form, 422)
    try:
        made = tokens.issue(ctx, user_id, label=body.label, expires_at=expiry, site_scope=body.site_scope)
    except (*SHOWN, BadRequest) as error:
        return _refused(lambda refused, status: _new_token(user, refused, status), form, error)
    gone = len(made.revoked_token_ids)
    return _secret(
        user,
        heading=_("Token issued"),
        subject=_("Token “%(label)s” of %(name)s", label=made.label, name=user.username),
        value=made.token,
        text=_("It is shown only now. Put it where the program keeps its secrets; it is sent as X-Admin-Token."),
        notes=[_("%(count)s older tokens above the limit were revoked.", count=gone)] if gone else [],
    )


def _values(form: UserForm) -> dict[str, Any]:
    return {
        "display_name": form.display_name.data or "",
        "role": form.role.data,
        "permissions": form.custom,
        "site_scope": form.scope,
    }


def _refused(page_of: Any, form: Any, error: DomainError, field: str = "") -> Response:
    blame(form, error, field)
    response: Response = page_of(form, error.status)
    return response


def _new(form: UserForm, status: int = 200) -> Response:
    return make_response(render_template("identity/user_new.html", form=form), status)


def _detail(user: UserView, form: UserForm, status: int = 200) -> Response:
    ctx = web_context()
    held = handover.held(ctx, user.id)
    body = render_template(
        "identity/user.html",
        user=user,
        form=form,
        held=held,
        stranded=held.stranded,
        item_url=item_url,
        takers=_takers(ctx, user, held.items) if held.items else [],
        takers_of_rest=_takers(ctx, user, held.stranded) if held.stranded else [],
        tokens=identity_lists.tokens_of(ctx, user.id) if ctx.actor.can(ADMIN) else None,
        is_me=user.id == current_actor().user_id,
        addresses=personal.of_person(ctx, user.id) if ctx.actor.can(ADMIN) else None,
    )
    return make_response(body, status)


def _takers(ctx: Context, user: UserView, items: tuple[ItemView, ...]) -> list[tuple[str, str]]:
    """Return who could take the work of a user, with how much of it where it is not all."""
    found = [one for one in handover.takers(ctx, items) if one[0].username != user.username]
    return takers(found, len(items))


def _sites_of(user: UserView) -> list[str]:
    return sites.names(web_context()) if "*" in user.site_scope else list(user.site_scope)


def _new_token(user: UserView, form: TokenForm, status: int = 200) -> Response:
    form.offer(_sites_of(user))
    policy = tokens.policy(web_context())
    return make_response(render_template("identity/token_new.html", form=form, user=user, policy=policy), status)


def _secret(user: UserView, **words: Any) -> Response:
    crumbs = [(_("Users"), url_for("users.page")), (user.display_name, url_for("users.detail", user_id=user.id))]
    back = url_for("users.detail", user_id=user.id)
    return make_response(
        render_template("identity/secret.html", crumbs=crumbs, back_url=back, **({"notes": []} | words)), 200
    )
