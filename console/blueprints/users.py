"""Users (API contract, identity section 7)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console.inputs.iam import ActiveIn, PasswordOut, PasswordSetIn, UserEditIn, UserIn, UserList, UserOut, UserPath
from console.responses import answer
from console.services import users
from console.web import access, web_context

api = APIBlueprint("users_api", __name__, abp_tags=[Tag(name="users", description="People and automation accounts")])


@api.get("/api/admin/users", responses={200: UserList})
@access("admins:manage")
def list_users() -> Response:
    """Give all users, newest first."""
    return answer(users.list_users(web_context()), UserOut)


@api.post("/api/admin/users", responses={201: UserOut})
@access("admins:manage")
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


@api.patch("/api/admin/users/<int:user_id>/active", responses={200: UserOut})
@access("admins:manage")
def set_active(path: UserPath, body: ActiveIn) -> Response:
    """Switch a user on or off; switching off ends all their tokens and sessions."""
    return answer(users.set_active(web_context(), path.user_id, is_active=body.is_active), UserOut)


@api.get("/api/admin/users/<int:user_id>", responses={200: UserOut})
@access("admins:manage")
def get_user(path: UserPath) -> Response:
    """Give one user."""
    return answer(users.get(web_context(), path.user_id), UserOut)


@api.patch("/api/admin/users/<int:user_id>", responses={200: UserOut})
@access("admins:manage")
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


@api.delete("/api/admin/users/<int:user_id>", responses={200: UserOut})
@access("admins:manage")
def delete_user(path: UserPath) -> Response:
    """Switch a user off for good; the row stays, because the audit trail refers to it."""
    return answer(users.set_active(web_context(), path.user_id, is_active=False), UserOut)


@api.post("/api/admin/users/<int:user_id>/password", responses={200: PasswordOut})
@access("admins:manage")
def set_password(path: UserPath, body: PasswordSetIn) -> Response:
    """Give a user a password that must be changed at the next sign-in; without one, a one-time password is made."""
    user, made = users.reset_password(web_context(), path.user_id, password=body.password)
    return answer({"user": user, "one_time_password": made}, PasswordOut)
