"""Lists of users, tokens and sites for pages and exports: columns, filters, order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from console.core.context import Context
from console.core.listing import Column, Filter, ListSpec
from console.domain.errors import NotFound
from console.domain.identity import iam
from console.domain.text import N_
from console.models.identity import Site, Token, User
from console.services.identity import sites, tokens, users
from console.services.identity.callers import live_token, token_policy
from console.services.identity.tokens import TokenView
from console.services.identity.users import UserView

ROLE_CHOICES = (
    ("owner", N_("Owner")),
    ("manager", N_("Manager")),
    ("operator", N_("Operator")),
    ("auditor", N_("Auditor")),
)
ACTIVE_CHOICES = (("active", N_("Active")), ("inactive", N_("Inactive")))
TOKEN_CHOICES = (("live", N_("Valid")), ("expiring", N_("Expiring")), ("ended", N_("Ended")))


@dataclass(frozen=True)
class UserRow:
    """One line of the list of users."""

    user: UserView
    live_tokens: int

    @property
    def id(self) -> int:
        """Return the user's id."""
        return self.user.id


@dataclass(frozen=True)
class TokenRow:
    """One line of the list of tokens; `state` is a status word: live, expiring, expired, revoked."""

    token: TokenView
    display_name: str
    state: str


def user_list(ctx: Context) -> ListSpec:
    """Declare the list of users with the number of their tokens that work now."""
    live = and_(*live_token(ctx.config, ctx.now()))
    count = select(func.count(Token.id)).where(Token.user_id == User.id, live).scalar_subquery()

    def base(of: Context) -> Select[Any]:
        of.actor.require(iam.ADMIN)
        return select(User, count)

    return ListSpec(
        name="users",
        base=base,
        row=lambda row: UserRow(users.view(row[0]), row[1]),
        key=User.id,
        columns=(
            Column("username", N_("User"), User.username, lambda row: row.user.username),
            Column("display_name", N_("Name"), User.display_name, lambda row: row.user.display_name, shown=False),
            Column("role", N_("Role"), User.role, lambda row: row.user.role),
            Column("site_scope", N_("Sites"), None, lambda row: " ".join(row.user.site_scope)),
            Column("is_active", N_("State"), User.is_active, lambda row: row.user.is_active),
            Column("live_tokens", N_("Valid tokens"), count, lambda row: row.live_tokens, numeric=True),
            Column("last_sign_in_at", N_("Last sign-in"), User.last_sign_in_at, lambda row: row.user.last_sign_in_at),
            Column("created_at", N_("Created"), User.created_at, lambda row: row.user.created_at, shown=False),
        ),
        filters=(
            Filter("role", N_("Role"), "choice", lambda _ctx, words, _now: User.role.in_(words), ROLE_CHOICES),
            Filter("state", N_("State"), "choice", _active, ACTIVE_CHOICES, multiple=False),
        ),
        search=lambda text: or_(
            User.username.icontains(text, autoescape=True), User.display_name.icontains(text, autoescape=True)
        ),
        order=(User.is_active.desc(), User.username),
    )


def token_list(ctx: Context) -> ListSpec:
    """Declare the list of tokens with what became of them."""
    now = ctx.now()

    def base(of: Context) -> Select[Any]:
        of.actor.require(iam.ADMIN)
        statement: Any = tokens.tokens_with_users()
        return statement

    return ListSpec(
        name="tokens",
        base=base,
        row=lambda found: _token_row(ctx, found, now),
        key=Token.id,
        columns=(
            Column("label", N_("Token"), Token.label, lambda row: row.token.label),
            Column("username", N_("User"), User.username, lambda row: row.token.username),
            Column("state", N_("State"), None, lambda row: row.state),
            Column("site_scope", N_("Sites"), None, lambda row: " ".join(row.token.site_scope)),
            Column("last_used_at", N_("Last used"), Token.last_used_at, lambda row: row.token.last_used_at),
            Column("expires_at", N_("Valid until"), Token.expires_at, lambda row: row.token.effective_expires_at),
            Column("rotate_due_at", N_("Rotate by"), None, lambda row: row.token.rotate_due_at, shown=False),
            Column("created_at", N_("Issued"), Token.created_at, lambda row: row.token.created_at, shown=False),
        ),
        filters=(
            Filter("state", N_("State"), "choice", _token_state, TOKEN_CHOICES, multiple=False),
            Filter("user", N_("User"), "choice", _of_users, _users_with_tokens),
        ),
        search=lambda text: or_(
            Token.label.icontains(text, autoescape=True),
            User.username.icontains(text, autoescape=True),
            User.display_name.icontains(text, autoescape=True),
        ),
        order=(Token.created_at.desc(),),
        default_filters={"state": ("live",)},
    )


def site_list(_ctx: Context) -> ListSpec:
    """Declare the list of sites in the caller's scope."""

    def base(of: Context) -> Select[Any]:
        of.actor.require(iam.ADMIN)
        statement = select(Site)
        return statement if of.actor.all_sites else statement.where(Site.name.in_(of.actor.site_scope))

    return ListSpec(
        name="sites",
        base=base,
        row=lambda row: sites.view(row[0]),
        key=Site.id,
        columns=(
            Column("name", N_("Site"), Site.name),
            Column("zone", N_("Time zone"), Site.zone),
            Column("is_active", N_("State"), Site.is_active),
            Column("created_at", N_("Created"), Site.created_at),
        ),
        filters=(Filter("state", N_("State"), "choice", _active_site, ACTIVE_CHOICES, multiple=False),),
        search=lambda text: Site.name.icontains(text, autoescape=True),
        order=(Site.is_active.desc(), Site.name),
    )


def tokens_of(ctx: Context, user_id: int) -> list[TokenRow]:
    """Return the newest hundred tokens of a user, those that work first."""
    ctx.actor.require(iam.ADMIN)
    now = ctx.now()
    statement = tokens.tokens_with_users().where(Token.user_id == user_id)
    order = (Token.is_active.desc(), Token.created_at.desc(), Token.id.desc())
    return [_token_row(ctx, row, now) for row in ctx.session.execute(statement.order_by(*order).limit(100))]


def one_token(ctx: Context, token_id: int) -> TokenRow:
    """Return one token; raises NotFound."""
    ctx.actor.require(iam.ADMIN)
    row = ctx.session.execute(tokens.tokens_with_users().where(Token.id == token_id)).first()
    if row is None:
        raise NotFound(tokens.NOT_FOUND)
    return _token_row(ctx, row, ctx.now())


def _token_row(ctx: Context, found: Any, now: datetime) -> TokenRow:
    token, user = found
    view = tokens.view(ctx, token, user, now)
    return TokenRow(view, user.display_name or user.username, state_of(view))


def state_of(view: TokenView) -> str:
    """Return the status word of a token as pages show it."""
    if view.is_live:
        return "expiring" if view.expires_soon or view.must_rotate else "live"
    return "revoked" if view.revoked_at is not None else "expired"


def _active(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return User.is_active.in_([word == "active" for word in words])


def _active_site(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return Site.is_active.in_([word == "active" for word in words])


def _token_state(ctx: Context, words: list[str], now: datetime) -> ColumnElement[bool]:
    live = and_(*live_token(ctx.config, now))
    warning = timedelta(days=token_policy(ctx.config).rotate_warning_days)
    soon = and_(live, func.coalesce(Token.expires_at, now + timedelta(days=36500)) <= now + warning)
    known = {"live": live, "expiring": soon, "ended": not_(live)}
    return or_(*(known[word] for word in words))


def _of_users(_ctx: Context, words: list[str], _now: datetime) -> ColumnElement[bool]:
    return User.username.in_(words)


def _users_with_tokens(ctx: Context) -> list[tuple[str, str]]:
    named = select(User.username, User.display_name).where(User.id.in_(select(Token.user_id)))
    found = ctx.session.execute(named.order_by(User.username).limit(500))
    return [(username, display_name or username) for username, display_name in found]
