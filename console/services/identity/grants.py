"""Nobody hands out more than they have (API contract, identity 23-B8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from sqlalchemy import Select, select

from console.core.context import ALL_SITES, Actor, Context
from console.domain.errors import Conflict, PermissionDenied
from console.domain.identity import iam, scope
from console.domain.identity.scope import Scope
from console.domain.text import N_, T, Text
from console.models.identity import User

Row = TypeVar("Row")
USER_MANAGERS = (iam.Role.OWNER, iam.Role.MANAGER)
LAST_OWNER = N_("At least one active owner must remain")


def require_user_manager(ctx: Context) -> None:
    """Raise PermissionDenied without `admins:manage`, or `users:manage` in the hands of an owner or manager."""
    ctx.actor.require(iam.ADMIN, iam.USERS)
    if not ctx.actor.can(iam.ADMIN) and ctx.actor.role not in USER_MANAGERS:
        raise PermissionDenied(T("User management requires owner or manager role"))


def check_grant(ctx: Context, *, role: str, permissions: Iterable[str], site_scope: Scope) -> None:
    """Raise PermissionDenied when role, custom permissions or sites go beyond the caller's own."""
    if _unbounded(ctx):
        return
    actor = ctx.actor
    manager = actor.role == iam.Role.MANAGER
    if not iam.may_grant_role(actor.role, role):
        text = T("Manager cannot assign owner role") if manager else T("Cannot grant the role %(role)s", role=role)
        raise PermissionDenied(text, code="grant_beyond_own")
    beyond = iam.permissions_beyond((*actor.permissions, *actor.grants), permissions)
    if beyond:
        text = T("Cannot grant permissions you do not hold: %(names)s", names=", ".join(beyond))
        if manager and any(iam.controls_admins(name) for name in beyond):
            text = T("Manager cannot grant admin control permissions")
        raise PermissionDenied(text, code="grant_beyond_own")
    if manager and not scope.contains(actor.site_scope, site_scope):
        text = T("Manager cannot assign site scope outside their own scope")
        raise PermissionDenied(text, code="grant_beyond_own")
    check_sites(ctx, site_scope)


def check_sites(ctx: Context, site_scope: Scope) -> None:
    """Raise PermissionDenied when a scope goes beyond the caller's own sites."""
    if not _unbounded(ctx) and not scope.contains(ctx.actor.site_scope, site_scope):
        raise PermissionDenied(T("Cannot grant sites outside your own scope"), code="grant_beyond_own")


def check_account(ctx: Context, user: User) -> None:
    """Raise PermissionDenied when the caller may not touch this account: a higher role, or sites beyond their own."""
    text = _obstacle(ctx, user)
    if text is not None:
        raise PermissionDenied(text, code="account_above_own")


def manages(ctx: Context, user: User) -> bool:
    """Return whether the caller may touch this account."""
    return _obstacle(ctx, user) is None


def _obstacle(ctx: Context, user: User) -> Text | None:
    if _unbounded(ctx):
        return None
    actor = ctx.actor
    manager = actor.role == iam.Role.MANAGER
    if not iam.may_grant_role(actor.role, user.role):
        if manager:
            return T("Manager cannot manage owner accounts")
        return T("Cannot manage an account with the role %(role)s", role=user.role)
    if iam.permissions_beyond((*actor.permissions, *actor.grants), user.permissions):
        return T("Cannot manage an account with more permissions than your own")
    if not scope.contains(actor.site_scope, user.site_scope):
        if manager:
            return T("Manager cannot manage users outside their site scope")
        return T("Cannot manage an account outside your own sites")
    return None


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
    # The switch is for old automation of administrators; `users:manage` never goes without containment.
    freed = not ctx.config["GRANT_CONTAINMENT"] and actor.can(iam.ADMIN)
    return freed or (actor.role == iam.Role.OWNER and actor.all_sites)
