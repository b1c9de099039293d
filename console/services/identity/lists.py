"""Lists of users, tokens and sites for pages and exports: columns, filters, order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from sqlalchemy import ColumnElement, and_, func, not_, or_, select

from console.core.context import Context
from console.core.filters import one_of
from console.core.listing import Filter, ListQuery, ListSpec, asked
from console.core.records import Fact, columns_of
from console.domain.errors import NotFound
from console.domain.identity import iam
from console.domain.text import N_
from console.models.identity import Site, Token, User
from console.services.common import lists
from console.services.common.sql import contains
from console.services.identity import sites, tokens, users
from console.services.identity.callers import live_token, token_policy
from console.services.identity.sites import SiteView
from console.services.identity.tokens import TokenView
from console.services.identity.users import UserView

ROLE_CHOICES = (
    ("owner", N_("Owner")),
    ("manager", N_("Manager")),
    ("operator", N_("Operator")),
    ("auditor", N_("Auditor")),
)
ACTIVE_CHOICES = (("active", N_("Active")), ("inactive", N_("Inactive")))
NEWEST = ListQuery(sort="created_at", descending=True)
TOKEN_CHOICES = (("live", N_("Valid")), ("expiring", N_("Expiring")), ("ended", N_("Ended")))


@dataclass(frozen=True)
class UserRow(UserView):
    """One line of the list of users."""

    live_tokens: Annotated[int, Fact(N_("Valid tokens"), numeric=True)]


def user_list(ctx: Context) -> ListSpec:
    """Declare the list of users with the number of their tokens that work now.

    Who administers only users sees those whom they may manage, and nothing of tokens.
    """
    admin = ctx.actor.can(iam.ADMIN)
    tokens_too = ("live_tokens",) if admin else ()
    live = and_(*live_token(ctx.config, ctx.now()))
    count = select(func.count(Token.id)).where(Token.user_id == User.id, live).scalar_subquery()

    return ListSpec(
        name="users",
        read=(iam.ADMIN, iam.USERS),
        base=lambda ctx: (
            select(User, count) if admin else select(User, count).where(User.id.in_(users.managed_ids(ctx)))
        ),
        row=lambda row: UserRow(**vars(users.view(row[0])), live_tokens=row[1]),
        key=User.id,
        columns=columns_of(
            UserRow,
            User,
            *("username", "display_name", "role", "site_scope", "is_active"),
            *(*tokens_too, "last_sign_in_at", "created_at"),
            live_tokens=count,
        ),
        filters=(
            Filter("role", N_("Role"), "choice", one_of(User.role), ROLE_CHOICES),
            Filter("state", N_("State"), "choice", _active, ACTIVE_CHOICES, multiple=False),
        ),
        search=lambda _ctx, text: or_(
            contains(User.username.expression, text), contains(User.display_name.expression, text)
        ),
        order=(User.is_active.desc(), User.username),
    )


def token_list(ctx: Context) -> ListSpec:
    """Declare the list of tokens with what became of them."""
    now = ctx.now()

    return ListSpec(
        name="tokens",
        read=(iam.ADMIN,),
        base=lambda _ctx: tokens.tokens_with_users(),
        row=lambda found: tokens.view(ctx, found[0], found[1], now),
        key=Token.id,
        columns=columns_of(
            TokenView,
            Token,
            *("label", "username", "state", "site_scope", "last_used_at", "expires_at", "rotate_due_at", "created_at"),
            username=User.username,
        ),
        filters=(
            Filter("state", N_("State"), "choice", _token_state, TOKEN_CHOICES, multiple=False),
            Filter("user", N_("User"), "choice", one_of(User.username), _users_with_tokens),
        ),
        search=lambda _ctx, text: or_(
            contains(Token.label.expression, text),
            contains(User.username.expression, text),
            contains(User.display_name.expression, text),
        ),
        order=(Token.created_at.desc(),),
        default_filters={"state": ("live",)},
    )


def site_list(_ctx: Context) -> ListSpec:
    """Declare the list of sites in the caller's scope."""
    return ListSpec(
        name="sites",
        read=(iam.ADMIN,),
        base=sites.in_scope,
        row=lambda row: sites.view(row[0]),
        key=Site.id,
        columns=columns_of(SiteView, Site, "name", "zone", "is_active", "created_at"),
        filters=(Filter("state", N_("State"), "choice", _active_site, ACTIVE_CHOICES, multiple=False),),
        search=lambda _ctx, text: contains(Site.name.expression, text),
        order=(Site.is_active.desc(), Site.name),
    )


def all_users(ctx: Context) -> list[UserRow]:
    """Return all users, newest first; only managers get those they may manage (API contract, section 4)."""
    return list(lists.stream(ctx, user_list(ctx), NEWEST))


def all_tokens(ctx: Context, *, user_id: int | None = None, active_only: bool = False) -> list[TokenView]:
    """Return tokens, newest first; there is no site filter (API contract, section 4)."""
    wanted = asked(user_id=user_id, active_only=active_only or None)
    spec = replace(token_list(ctx), name="tokens_api", filters=_FOR_PROGRAMS)
    return list(lists.stream(ctx, spec, replace(NEWEST, filters=wanted.filters)))


def all_sites(ctx: Context) -> list[SiteView]:
    """Return all sites in the caller's scope by name, inactive ones too."""
    return list(lists.stream(ctx, site_list(ctx), ListQuery(sort="name")))


def tokens_of(ctx: Context, user_id: int) -> list[TokenView]:
    """Return the newest hundred tokens of a user, those that work first."""
    ctx.actor.require(iam.ADMIN)
    now = ctx.now()
    statement = tokens.tokens_with_users().where(Token.user_id == user_id)
    order = (Token.is_active.desc(), Token.created_at.desc(), Token.id.desc())
    return [tokens.view(ctx, row[0], row[1], now) for row in ctx.session.execute(statement.order_by(*order).limit(100))]


def one_token(ctx: Context, token_id: int) -> TokenView:
    """Return one token; raises NotFound."""
    ctx.actor.require(iam.ADMIN)
    row = ctx.session.execute(tokens.tokens_with_users().where(Token.id == token_id)).first()
    if row is None:
        raise NotFound(tokens.NOT_FOUND)
    return tokens.view(ctx, row[0], row[1], ctx.now())


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


def _users_with_tokens(ctx: Context) -> list[tuple[str, str]]:
    named = select(User.username, User.display_name).where(User.id.in_(select(Token.user_id)))
    found = ctx.session.execute(named.order_by(User.username).limit(500))
    return [(username, display_name or username) for username, display_name in found]


# What programs may narrow the tokens by.
_FOR_PROGRAMS = (
    Filter("user_id", "", "text", lambda _ctx, words, _now: Token.user_id == int(words[0])),
    Filter("active_only", "", "flag", lambda *_: Token.is_active.is_(True)),
)
