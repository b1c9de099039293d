"""Who am I, sign in and out: the JSON door (API contract, identity sections 6 and 21)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console import sign_in
from console.domain.errors import Unauthorized
from console.inputs.iam import LoginIn, LoginOut, LogoutOut, ProfileIn, ProfileOut, UserOut
from console.responses import answer
from console.security import forget_session
from console.services import profile, sessions
from console.web import access, web_context

api = APIBlueprint("auth_api", __name__, abp_tags=[Tag(name="auth", description="Sign-in and own profile")])
CLEAR = {"Clear-Site-Data": '"cache", "storage"'}


@api.get("/api/auth/me", responses={200: ProfileOut})
@access()
def me() -> Response:
    """Give the caller's rights and the dates of their credential."""
    return answer(profile.me(web_context()), ProfileOut)


@api.post("/api/auth/login", responses={200: LoginOut})
@access(public=True)
def login(body: LoginIn) -> Response:
    """Exchange user name and password for a token."""
    verdict = sign_in.check_password(body.username.strip(), body.password)
    if verdict.user_id is None:
        raise Unauthorized(sessions.BAD_CREDENTIALS, code="invalid_credentials")
    token, found = profile.sign_in_for_token(web_context(), verdict, label=body.token_label)
    return answer({"token": token, "profile": found}, LoginOut, headers={"Cache-Control": "no-store"})


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
        sessions.change_password(ctx, current=body.current_password or "", new=body.password)
    changed = sessions.update_profile(ctx, display_name=body.display_name, language=body.language, theme=body.theme)
    return answer(changed, UserOut)


@api.delete("/api/auth/me", responses={200: UserOut})
@access()
def leave() -> Response:
    """Switch the own account off."""
    left = profile.deactivate_me(web_context())
    forget_session()
    return answer(left, UserOut, headers=CLEAR)
