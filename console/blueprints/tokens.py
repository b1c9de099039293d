"""API tokens (API contract, identity section 8)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from console.inputs.iam import (
    IssuedTokenOut,
    TokenIn,
    TokenList,
    TokenOut,
    TokenPath,
    TokenPolicyOut,
    TokenQuery,
    UserPath,
)
from console.responses import answer
from console.services import tokens
from console.web import access, web_context

api = APIBlueprint("tokens_api", __name__, abp_tags=[Tag(name="tokens", description="API tokens")])


@api.get("/api/admin/token-policy", responses={200: TokenPolicyOut})
@access("admins:manage")
def token_policy() -> Response:
    """Give the rules that tokens live by."""
    return answer(tokens.policy(web_context()), TokenPolicyOut)


@api.get("/api/admin/tokens", responses={200: TokenList})
@access("admins:manage")
def list_tokens(query: TokenQuery) -> Response:
    """Give tokens, newest first; never their text."""
    found = tokens.list_tokens(web_context(), user_id=query.user_id, active_only=query.active_only)
    return answer(found, TokenOut)


@api.post("/api/admin/users/<int:user_id>/tokens", responses={201: IssuedTokenOut})
@access("admins:manage")
def issue_token(path: UserPath, body: TokenIn) -> Response:
    """Issue a token; its text is in this answer and nowhere else."""
    made = tokens.issue(
        web_context(), path.user_id, label=body.label, expires_at=body.expires_at, site_scope=body.site_scope
    )
    return answer(made, IssuedTokenOut, status=201)


@api.post("/api/admin/tokens/<int:token_id>/rotate", responses={200: IssuedTokenOut})
@access("admins:manage")
def rotate_token(path: TokenPath) -> Response:
    """Replace a token by a new one with the same label and scope."""
    return answer(tokens.rotate(web_context(), path.token_id), IssuedTokenOut)


@api.post("/api/admin/tokens/<int:token_id>/revoke", responses={200: TokenOut})
@access("admins:manage")
def revoke_token(path: TokenPath) -> Response:
    """Revoke a token; doing it again changes nothing."""
    return answer(tokens.revoke(web_context(), path.token_id), TokenOut)
