"""Nobody hands out more than they have (API contract, identity 23-B8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import Select, select

from console.core.context import ALL_SITES, Actor, Context
from console.domain.errors import Conflict, PermissionDenied
from console.domain.identity import iam, scope
from console.domain.identity.scope import Scope
from console.domain.text import N_, T
from console.models.identity import User

Row = TypeVar("Row")
LAST_OWNER = N_("At least one active owner must remain")


def check_grant(ctx: Context, *, role: str, permissions: Iterable[str], site_scope: Scope) -> None:
    """Raise PermissionDenied when role, custom permissions or sites go beyond the caller's own."""
    if _unbounded(ctx):
        return
    actor = ctx.actor
    if not iam.may_grant_role(actor.role, role):
        raise PermissionDenied(T("Cannot grant the role %(role)s", role=role), code="grant_beyond_own")
    beyond = iam.permissions_beyond((*actor.permissions, *actor.grants), permissions)
    if beyond:
        text = T("Cannot grant permissions you do not hold: %(names)s", names=", ".join(beyond))
        raise PermissionDenied(text, code="grant_beyond_own")
    check_sites(ctx, site_scope)


def check_sites(ctx: Context, site_scope: Scope) -> None:
    """Raise PermissionDenied when a scope goes beyond the caller's own sites."""
    if not _unbounded(ctx) and not scope.contains(ctx.actor.site_scope, site_scope):
        raise PermissionDenied(T("Cannot grant sites outside your own scope"), code="grant_beyond_own")


def check_account(ctx: Context, user: User) -> None:
    """Raise PermissionDenied when the caller may not touch this account: a higher role, or sites beyond their own."""
    if _unbounded(ctx):
        return
    actor = ctx.actor
    if not iam.may_grant_role(actor.role, user.role):
        text = T("Cannot manage an account with the role %(role)s", role=user.role)
        raise PermissionDenied(text, code="account_above_own")
    if iam.permissions_beyond((*actor.permissions, *actor.grants), user.permissions):
        raise PermissionDenied(
            T("Cannot manage an account with more permissions than your own"), code="account_above_own"
        )
    if not scope.contains(actor.site_scope, user.site_scope):
        raise PermissionDenied(T("Cannot manage an account outside your own sites"), code="account_above_own")


def locked(statement: Select[Row]) -> Select[Row]:
    """Return the statement so that it locks its rows and reads them anew, whatever was read before the lock."""
    return statement.with_for_update().execution_options(populate_existing=True)


def lock_owners(ctx: Context, user_id: int) -> None:
    """Lock all active owners and the account that is to change, in one order for everybody.

    Call it before anything else that may take an owner away: two owners must neither remove each other at the same
    moment nor wait for each other for ever.
    """
    owner = (User.role == iam.Role.OWNER.value) & User.is_active
    ctx.session.execute(select(User.id).where(owner | (User.id == user_id)).order_by(User.id).with_for_update())


def keep_an_owner(ctx: Context, user: User) -> None:
    """Raise Conflict when `user` is the last active owner, or the last one for all sites; needs `lock_owners` before.

    An owner of some sites cannot administer the platform.
    """
    if user.role != iam.Role.OWNER or not user.is_active:
        return
    others = select(User.site_scope).where(User.role == iam.Role.OWNER.value, User.is_active, User.id != user.id)
    scopes = ctx.session.scalars(others).all()
    if not scopes or (user.site_scope == ALL_SITES and ALL_SITES not in scopes):
        raise Conflict(T(LAST_OWNER), code="last_owner")


def _unbounded(ctx: Context) -> bool:
    actor: Actor = ctx.actor
    return not ctx.config["GRANT_CONTAINMENT"] or (actor.role == iam.Role.OWNER and actor.all_sites)
