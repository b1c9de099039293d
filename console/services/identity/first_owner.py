"""The first owner: from ADMIN_TOKEN for automation, from `flask owner ensure` for a person (API contract, 2.4)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError

from console.core.context import ALL_SITES, Context
from console.domain.identity import iam
from console.models.identity import Token, User
from console.services.audit import record as audit
from console.services.identity import passwords, users
from console.services.identity.callers import hashes_of

OWNER_NAME = "owner"


@dataclass(frozen=True)
class FirstOwner:
    """The owner who can sign in; `password` is there only when it was made just now."""

    username: str
    created: bool
    password: str | None = None


def ensure_admin_token(ctx: Context) -> bool:
    """Seed the owner and the token behind ADMIN_TOKEN, once; tells whether something was seeded.

    A row with this hash, active or not, means that it was done before: an aged or revoked token stays so.
    """
    text = ctx.config["ADMIN_TOKEN"].strip()
    if not text:
        return False
    hashes = hashes_of(ctx.config, text.encode())
    if ctx.session.scalar(select(exists().where(Token.token_hash.in_(hashes)))):
        return False
    now = ctx.now()
    try:
        with ctx.session.begin_nested():
            user = _bootstrap_user(ctx)
            token = Token(
                user_id=user.id,
                label=iam.BOOTSTRAP_TOKEN_LABEL,
                token_hash=hashes[0],
                site_scope=None,
                expires_at=None,
                created_at=now,
                is_active=True,
            )
            ctx.session.add(token)
            ctx.session.flush()
    except IntegrityError:
        # Another process seeded it at the same moment.
        return False
    detail = {"user_id": user.id, "label": token.label, "site_scope": list(ALL_SITES), "expires_at": None}
    audit.record(ctx, "admin_token_issue", "admin_token", token.id, detail=detail)
    return True


def ensure_owner(ctx: Context) -> FirstOwner:
    """Return the owner for all sites who can sign in with a password, made now if there is none.

    The password is ADMIN_PASSWORD, or a one-time one that must be changed at the first sign-in.
    """
    owners = ctx.session.execute(
        select(User.username, User.site_scope)
        .where(User.role == iam.Role.OWNER.value, User.is_active, User.password_hash.is_not(None))
        .order_by(User.id)
    )
    known = next((username for username, site_scope in owners if site_scope == ALL_SITES), None)
    if known is not None:
        return FirstOwner(known, created=False)
    return create_owner(ctx, _free_name(ctx), password=ctx.config["ADMIN_PASSWORD"] or None)


def create_owner(ctx: Context, username: str, *, display_name: str = "", password: str | None = None) -> FirstOwner:
    """Create an owner for all sites; without `password` a one-time one is made and returned."""
    made = passwords.one_time_password() if password is None else None
    created = users.create(
        ctx,
        username=username,
        display_name=display_name,
        role=iam.Role.OWNER.value,
        site_scope=ALL_SITES,
        password=password or made,
        must_change_password=made is not None,
    )
    return FirstOwner(created.username, created=True, password=made)


def _bootstrap_user(ctx: Context) -> User:
    now = ctx.now()
    user = ctx.session.scalar(select(User).where(User.username == iam.BOOTSTRAP_USERNAME))
    if user is None:
        user = User(username=iam.BOOTSTRAP_USERNAME, created_at=now)
        ctx.session.add(user)
    user.display_name = iam.BOOTSTRAP_DISPLAY_NAME
    user.role = iam.Role.OWNER.value
    user.permissions = (iam.ALL,)
    user.site_scope = ALL_SITES
    user.is_active = True
    user.is_bootstrap = True
    user.updated_at = now
    ctx.session.flush()
    return user


def _free_name(ctx: Context) -> str:
    taken = set(ctx.session.scalars(select(User.username).where(User.username.like(f"{OWNER_NAME}%"))))
    names = (OWNER_NAME, *(f"{OWNER_NAME}{number}" for number in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)
