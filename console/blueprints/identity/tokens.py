"""API tokens: over the API (contract, identity section 8) and on the pages below /admin/tokens."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.domain.text import N_
from console.inputs.identity import (
    TokenIn,
    TokenPath,
    TokenPolicyOut,
    TokenQuery,
    UserPath,
)
from console.inputs.response_models import array, shape
from console.services.identity import lists as identity_lists
from console.services.identity import tokens
from console.services.identity.tokens import IssuedToken, TokenView
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, current_actor, web_context

api = ApiBlueprint("tokens_api", __name__, abp_tags=[Tag(name="tokens", description="API tokens")])
pages = Blueprint("tokens", __name__)
TokenOut, IssuedTokenOut = shape(TokenView), shape(IssuedToken)
TokenList = array(TokenOut, "TokenList")
NAV = NavItem("administration", 20, "tokens.page", N_("Tokens"), "key", permission="admins:manage")
# Why a token or session ended, as people read it.
END_REASONS = {
    "revoked": N_("Revoked by an administrator"),
    "rotated": N_("Replaced by a new one"),
    "quota": N_("More than the allowed number of tokens"),
    "user_deactivated": N_("The account was switched off"),
    "signed_out": N_("Signed out"),
    "token_expired": N_("Its time was over"),
    "token_idle": N_("Not used for too long"),
    "token_rotation_overdue": N_("Not rotated in time"),
    "user_inactive": N_("The account was switched off"),
}


@pages.app_template_filter()
def end_reason(word: str | None) -> str | None:
    """Return why something ended in words; None while it has not."""
    return _(END_REASONS[word]) if word in END_REASONS else word


@api.get("/api/admin/token-policy", responses={200: TokenPolicyOut})
@access("admins:manage")
def token_policy() -> Response:
    """Return the rules that tokens live by."""
    return answer(tokens.policy(web_context()), TokenPolicyOut)


@api.get("/api/admin/tokens", responses={200: TokenList})
@access("admins:manage")
def list_tokens(query: TokenQuery) -> Response:
    """Return tokens, newest first; never their text."""
    return answer(identity_lists.all_tokens(web_context(), **query.model_dump()), TokenOut)


@api.post("/api/admin/users/<user_id>/tokens", responses={201: IssuedTokenOut})
@access("admins:manage")
def issue_token(path: UserPath, body: TokenIn) -> Response:
    """Issue a token; its text is in this answer and nowhere else."""
    made = tokens.issue(
        web_context(), path.user_id, label=body.label, expires_at=body.expires_at, site_scope=body.site_scope
    )
    return answer(made, IssuedTokenOut, status=201)


@api.post("/api/admin/tokens/<token_id>/rotate", responses={200: IssuedTokenOut})
@access("admins:manage")
def rotate_token(path: TokenPath) -> Response:
    """Replace a token by a new one with the same label and scope."""
    return answer(tokens.rotate(web_context(), path.token_id), IssuedTokenOut)


@api.post("/api/admin/tokens/<token_id>/revoke", responses={200: TokenOut})
@access("admins:manage")
def revoke_token(path: TokenPath) -> Response:
    """Revoke a token; doing it again changes nothing."""
    return answer(tokens.revoke(web_context(), path.token_id), TokenOut)


@pages.get("/admin/tokens")
@access("admins:manage")
def page() -> Response:
    """Show the list of tokens; those that work, unless the address asks for others."""
    ctx = web_context()
    spec = identity_lists.token_list(ctx)
    around = {"policy": tokens.policy(ctx)}
    return list_page(
        spec, carried=("site",), fragment="identity/admin.token_list", page="identity/tokens.html", around=around
    )


@pages.get("/admin/tokens/csv")
@access("admins:manage", rate="auth-heavy")
def csv() -> Response:
    """Return exactly the tokens of the list as CSV."""
    return list_download(identity_lists.token_list(web_context()), "tokens.csv")


@pages.get("/admin/tokens/<int:token_id>")
@access("admins:manage")
def detail(token_id: int) -> Response:
    """Show one token with what can be done to it."""
    ctx = web_context()
    row = identity_lists.one_token(ctx, token_id)
    body = render_template(
        "identity/token.html",
        row=row,
        is_mine=row.user_id == current_actor().user_id,
        grace=tokens.policy(ctx).rotate_grace_seconds,
    )
    return make_response(body)


@pages.post("/admin/tokens/<int:token_id>/rotate")
@access("admins:manage")
def rotate(token_id: int) -> Response:
    """Replace a token and show the new one once."""
    made = tokens.rotate(web_context(), token_id)
    here = url_for("tokens.detail", token_id=made.token_id)
    body = render_template(
        "identity/secret.html",
        heading=_("Token rotated"),
        subject=_("New token “%(label)s”", label=made.label),
        value=made.token,
        text=_("It is shown only now. Put it where the program keeps its secrets; it is sent as X-Admin-Token."),
        notes=[],
        crumbs=[(_("Tokens"), url_for("tokens.page")), (made.label, here)],
        back_url=here,
    )
    return make_response(body)


@pages.post("/admin/tokens/<int:token_id>/revoke")
@access("admins:manage")
def revoke(token_id: int) -> ResponseReturnValue:
    """Revoke a token."""
    ended = tokens.revoke(web_context(), token_id)
    leave_toast(_("The token “%(label)s” was revoked", label=ended.label))
    return redirect(url_for("tokens.detail", token_id=token_id), 303)
