"""Users: create, change, switch on and off (API contract, identity section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.records import INTERNAL, Fact, view_of
from console.domain.entered import same_name
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.identity import accounts, iam, scope
from console.domain.identity.scope import Scope
from console.domain.text import N_, T, Text
from console.models.alerts import AlertChannelState
from console.models.identity import Token, User, WebSession
from console.models.personal_alerts import PersonalAddress, PersonalDelivery, PersonalName
from console.services.audit import record as audit
from console.services.common.query_cache import cached_query
from console.services.identity import passwords
from console.services.identity.grants import (
    check_account,
    check_grant,
    keep_an_owner,
    lock_owners,
    locked,
    manages,
    require_user_manager,
)

NOT_FOUND = N_("Admin user not found")

PASSWORD_TEXTS = {
    "short": N_("The password needs at least %(minimum)s characters"),
    "long": N_("The password has at most %(maximum)s characters"),
    "characters": N_("The password must not contain control characters"),
    "username": N_("The password must differ from the user name"),
    "common": N_("This password is among the first that are guessed"),
    "same": N_("The new password must differ from the old one"),
}


SITES = Fact(N_("Sites"), value=lambda row: " ".join(row.site_scope))


@dataclass(frozen=True)
class UserView:
    """A user as pages and API show it; `permissions` are effective, the custom ones stand apart."""

    id: int
    username: Annotated[str, Fact(N_("User"), sort=True)]
    display_name: Annotated[str, Fact(N_("Name"), sort=True, shown=False)]
    role: Annotated[str, Fact(N_("Role"), sort=True)]
    permissions: tuple[str, ...]
    site_scope: Annotated[Scope, SITES]
    is_active: Annotated[bool, Fact(N_("State"), sort=True)]
    created_at: Annotated[datetime, Fact(N_("Created"), sort=True, shown=False)]
    updated_at: datetime
    custom_permissions: tuple[str, ...]
    added_permissions: tuple[str, ...]
    has_password: bool
    must_change_password: bool
    is_legacy: bool
    last_sign_in_at: Annotated[datetime | None, Fact(N_("Last sign-in"), sort=True)]
    language: Annotated[str | None, INTERNAL]
    theme: Annotated[str | None, INTERNAL]
    version: int


def view(user: User) -> UserView:
    """Return what may be shown of a user; hashes stay behind."""
    return view_of(
        UserView,
        user,
        display_name=user.display_name or user.username,
        permissions=iam.effective_permissions(user.role, user.permissions),
        custom_permissions=user.permissions,
        added_permissions=tuple(sorted(iam.added_permissions(user.role))),
        has_password=user.password_hash is not None,
        is_legacy=user.is_bootstrap,
    )


@dataclass(frozen=True)
class NewPassword:
    """A user whose password was set; the one-time password is shown once, and None when one was given."""

    user: UserView
    one_time_password: str | None
    sessions_ended: int
    tokens_ended: int


def has_demo_company(ctx: Context) -> bool:
    """Return whether the demo company is in this database; its user names begin with `demo.`."""
    asked = select(exists().where(User.username.startswith("demo.", autoescape=True)))
    return cached_query(ctx, ("demo_company",), lambda: bool(ctx.session.scalar(asked)))


def get(ctx: Context, user_id: int) -> UserView:
    """Return one user; raises NotFound, and PermissionDenied for one that a manager does not manage."""
    require_user_manager(ctx)
    user = load(ctx, user_id)
    if not ctx.actor.can(iam.ADMIN):
        check_account(ctx, user)
    return view(user)


def managed_ids(ctx: Context) -> list[int]:
    """Return the numbers of the users whom the caller may manage."""
    require_user_manager(ctx)
    return [user.id for user in ctx.session.scalars(select(User).order_by(User.id)) if manages(ctx, user)]


def by_name(ctx: Context, username: str) -> UserView | None:
    """Return the user of that name, or None."""
    ctx.actor.require(iam.ADMIN)
    user = ctx.session.scalar(select(User).where(User.username == username))
    return None if user is None else view(user)


def look_alikes(ctx: Context, username: str) -> list[str]:
    """Return the names of other users that a reader may take for this one: same but for case, width and spacing."""
    require_user_manager(ctx)
    wanted = same_name(username)
    others = ctx.session.scalars(select(User).where(User.username != username))
    alike = [user for user in others if same_name(user.username) == wanted]
    return sorted(user.username for user in alike if ctx.actor.can(iam.ADMIN) or manages(ctx, user))


def load(ctx: Context, user_id: int, *, lock: bool = False) -> User:
    """Return a user's row, locked for change if asked; raises NotFound. For services only."""
    statement = select(User).where(User.id == user_id)
    user = ctx.session.scalar(locked(statement) if lock else statement)
    if user is None:
        raise NotFound(NOT_FOUND)
    return user


def create(
    ctx: Context,
    *,
    username: str,
    display_name: str = "",
    role: str = "operator",
    permissions: Sequence[str] = (),
    site_scope: Sequence[str] | None = None,
    is_active: bool = True,
    password: str | None = None,
    must_change_password: bool = True,
) -> UserView:
    """Create a user; without a site scope they see all sites the contract's default gives them.

    Raises Conflict for a taken name, Invalid for values out of bounds, PermissionDenied beyond the caller's own.
    """
    require_user_manager(ctx)
    now = ctx.now()
    try:
        name = accounts.check_username(username)
    except accounts.BadUsername as error:
        raise Invalid.field("username", str(error)) from error
    user = User(
        username=name,
        display_name=accounts.display_name_or(name, display_name)[: accounts.DISPLAY_NAME_MAX],
        role=iam.Role(role).value,
        permissions=_permissions(permissions),
        site_scope=scope.ALL_SITES if site_scope is None else clean_scope(ctx, site_scope),
        is_active=is_active,
        created_at=now,
        updated_at=now,
    )
    check_grant(ctx, role=user.role, permissions=user.permissions, site_scope=user.site_scope)
    if password is not None:
        user.password_hash = make_password(ctx, user.username, password)
        user.password_updated_at = now
        user.must_change_password = must_change_password
    _insert(ctx, user)
    detail: dict[str, Any] = {
        "username": user.username,
        "role": user.role,
        "site_scope": list(user.site_scope),
        "is_active": user.is_active,
    }
    if password is not None:
        detail["password_seeded"] = True
    audit.record(ctx, "admin_user_create", "admin_user", user.id, detail=detail)
    return view(user)


def set_active(ctx: Context, user_id: int, *, is_active: bool) -> UserView:
    """Switch a user on or off.

    Switching off ends all tokens and browser sessions in the same transaction; switching on does not bring them
    back. Raises Conflict for the own account (checked first) and for the last active owner.
    """
    require_user_manager(ctx)
    if not is_active and ctx.actor.user_id == user_id:
        raise Conflict(N_("Cannot deactivate current admin user"))
    lock_owners(ctx, user_id)
    user = load(ctx, user_id, lock=True)
    check_account(ctx, user)
    if not is_active:
        keep_an_owner(ctx, user)
        leave(ctx, user.id)
    user.is_active = is_active
    _changed(ctx, user)
    detail = {"username": user.username, "is_active": is_active}
    audit.record(ctx, "admin_user_set_active", "admin_user", user.id, detail=detail)
    return view(user)


def edit(
    ctx: Context,
    user_id: int,
    *,
    display_name: str | None = None,
    role: str | None = None,
    permissions: Sequence[str] | None = None,
    site_scope: Sequence[str] | None = None,
    is_active: bool | None = None,
    version: int | None = None,
) -> UserView:
    """Change a user; None leaves a field as it is. `version` refuses the change when somebody else was faster.

    Raises Conflict for the own role or account, for the last active owner and for an outdated version.
    """
    require_user_manager(ctx)
    lock_owners(ctx, user_id)
    user = load(ctx, user_id, lock=True)
    check_account(ctx, user)
    if version is not None and version != user.version:
        raise Conflict(T("The user was changed meanwhile"), code="version_conflict")
    wanted: dict[str, Any] = {}
    if display_name is not None:
        wanted["display_name"] = accounts.display_name_or(user.username, display_name)[: accounts.DISPLAY_NAME_MAX]
    if role is not None:
        wanted["role"] = iam.Role(role).value
    if permissions is not None:
        wanted["permissions"] = _permissions(permissions)
    if site_scope is not None:
        wanted["site_scope"] = clean_scope(ctx, site_scope)
    if is_active is not None:
        wanted["is_active"] = is_active
    changes = {name: value for name, value in wanted.items() if getattr(user, name) != value}
    if not changes:
        return view(user)
    _check_edit(ctx, user, changes)
    detail = {"username": user.username, "changes": _diff(user, changes)}
    for name, value in changes.items():
        setattr(user, name, value)
    if changes.get("is_active") is False:
        leave(ctx, user.id)
    _changed(ctx, user)
    audit.record(ctx, "admin_user_update", "admin_user", user.id, detail=detail)
    return view(user)


def reset_password(ctx: Context, user_id: int, *, password: str | None = None) -> NewPassword:
    """Give a user a new password that must be changed at the next sign-in; ends all their sessions and tokens.

    Without `password` a one-time password is made and returned; it is shown once and stored only as a hash.
    """
    require_user_manager(ctx)
    user = load(ctx, user_id, lock=True)
    check_account(ctx, user)
    made = passwords.one_time_password() if password is None else None
    user.password_hash = make_password(ctx, user.username, password or made or "")
    user.password_updated_at = ctx.now()
    user.must_change_password = True
    sessions_ended, tokens_ended = end_credentials(ctx, user.id, "password_reset")
    _changed(ctx, user)
    detail = {"username": user.username, "sessions_ended": sessions_ended, "tokens_ended": tokens_ended}
    audit.record(ctx, "admin_user_password_reset", "admin_user", user.id, detail=detail)
    return NewPassword(view(user), made, sessions_ended, tokens_ended)


def make_password(ctx: Context, username: str, password: str) -> str:
    """Return the hash of a password that passes the rules; raises Invalid naming the field."""
    minimum = ctx.config["PASSWORD_MIN_LENGTH"]
    try:
        text = accounts.check_password(password, username=username, minimum=minimum)
    except accounts.WeakPassword as error:
        raise Invalid(weakness(error.reason, minimum), code="weak_password") from error
    return passwords.make_hash(ctx.config, text)


def weakness(reason: str, minimum: int) -> Text:
    """Return the sentence for a reason of WeakPassword."""
    return T(PASSWORD_TEXTS[reason], minimum=minimum, maximum=accounts.PASSWORD_MAX)


def clean_scope(ctx: Context, names: Iterable[str]) -> Scope:
    """Return the scope of a request; raises Invalid for a name that cannot be a site."""
    try:
        return scope.normalise_scope(names, empty_means_all=ctx.config["SITE_SCOPE_EMPTY_MEANS_ALL"])
    except ValueError as error:
        raise Invalid.field("site_scope", str(error)) from error


def end_credentials(ctx: Context, user_id: int, reason: str) -> tuple[int, int]:
    """End all browser sessions and tokens of a user; return how many of each."""
    return end_sessions(ctx, WebSession.user_id == user_id, reason), end_tokens(ctx, Token.user_id == user_id, reason)


def leave(ctx: Context, user_id: int) -> tuple[int, int]:
    """End what a user who is switched off has: sessions and tokens, and every address and name that messages went to.

    Return how many sessions and tokens ended. For services only.
    """
    keys = select(PersonalAddress.key).where(PersonalAddress.user_id == user_id)
    ctx.session.execute(
        delete(AlertChannelState).where(AlertChannelState.channel.in_(keys)),
        execution_options={"synchronize_session": False},
    )
    for theirs in (PersonalDelivery, PersonalName, PersonalAddress):
        ctx.session.execute(delete(theirs).where(theirs.user_id == user_id))
    return end_credentials(ctx, user_id, "user_deactivated")


def end_tokens(ctx: Context, which: ColumnElement[bool], reason: str) -> int:
    """End those tokens that are still active; return how many. For services only."""
    ended = ctx.session.scalars(
        update(Token)
        .where(which, Token.is_active)
        .values(is_active=False, revoked_at=ctx.now(), revoked_reason=reason)
        .returning(Token.id)
    )
    return len(ended.all())


def end_sessions(ctx: Context, which: ColumnElement[bool], reason: str) -> int:
    """End those browser sessions that are still open; return how many. For services only."""
    ended = ctx.session.scalars(
        update(WebSession)
        .where(which, WebSession.revoked_at.is_(None))
        .values(revoked_at=ctx.now(), revoked_reason=reason)
        .returning(WebSession.id)
    )
    return len(ended.all())


def _permissions(values: Iterable[str]) -> tuple[str, ...]:
    try:
        return iam.normalise_permissions(values)
    except ValueError as error:
        raise Invalid.field("permissions", str(error)) from error


def _insert(ctx: Context, user: User) -> None:
    try:
        with ctx.session.begin_nested():
            ctx.session.add(user)
    except IntegrityError as error:
        raise Conflict(N_("username already exists")) from error


def _check_edit(ctx: Context, user: User, changes: dict[str, Any]) -> None:
    own = ctx.actor.user_id == user.id
    if own and changes.get("is_active") is False:
        raise Conflict(N_("Cannot deactivate current admin user"))
    if own and "role" in changes:
        raise Conflict(T("Your own role is changed by another administrator"))
    narrowed = "site_scope" in changes and user.site_scope == scope.ALL_SITES
    if changes.get("is_active") is False or "role" in changes or narrowed:
        keep_an_owner(ctx, user)
    check_grant(
        ctx,
        role=changes.get("role", user.role),
        permissions=changes.get("permissions", user.permissions),
        site_scope=changes.get("site_scope", user.site_scope),
    )


def _diff(user: User, changes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    def plain(value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value

    return {name: {"old": plain(getattr(user, name)), "new": plain(value)} for name, value in changes.items()}


def _changed(ctx: Context, user: User) -> None:
    user.updated_at = ctx.now()
    user.version += 1
    ctx.session.flush()
