"""Saved views: keep the address of a list under a name, share it, make it the start page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.listing import ListSpec, asked, exact
from console.core.records import Fact, columns_of, view_of
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.domain.identity.addresses import local_address
from console.domain.text import N_, T
from console.models.home import SavedView
from console.models.identity import User
from console.services.common import lists
from console.services.jobs.runs import changed

MAX_VIEWS_PER_PERSON = 100
MAX_NAME = 80


@dataclass(frozen=True)
class View:
    """A saved view as menus show it; `mine` tells whether the reader may change it."""

    id: int
    list_name: Annotated[str, Fact(N_("List"))]
    name: Annotated[str, Fact(N_("Name"))]
    address: str
    is_shared: Annotated[bool, Fact(N_("Seen by"))]
    is_start: bool
    mine: bool
    owner: Annotated[str, Fact(N_("Owner"))]


COLUMNS = columns_of(View, SavedView, "name", "list_name", "is_shared", "owner")


def listed(ctx: Context, list_name: str | None = None) -> list[View]:
    """Return the reader's own views and the shared ones, of one list or of all, by name.

    The page behind an address checks its permission itself; callers leave out what the reader may not open.
    """
    return list(lists.stream(ctx, _spec(_person(ctx)), asked(list_name=list_name)))


def _spec(me: int) -> ListSpec:
    owner = func.coalesce(func.nullif(User.display_name, ""), User.username)
    seen = or_(SavedView.user_id == me, SavedView.is_shared)
    return ListSpec(
        name="views",
        base=lambda _ctx: select(SavedView, owner).join(User, User.id == SavedView.user_id).where(seen),
        row=lambda row: _view(row[0], row[1], me),
        key=SavedView.id,
        columns=COLUMNS,
        filters=exact(SavedView, "list_name"),
        order=(SavedView.list_name, SavedView.name, SavedView.id),
    )


def save(ctx: Context, *, list_name: str, name: str, address: str, shared: bool = False) -> View:
    """Keep `address` under `name`; saving the same name again replaces one's own view.

    Raises Invalid for an empty name or an address outside the console, Conflict when there are too many.
    """
    me = _person(ctx)
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= MAX_NAME:
        raise Invalid(T("A view needs a name of 1 to %(most)s characters", most=MAX_NAME))
    local = local_address(address)
    if local is None or not list_name or len(list_name) > 60:
        raise Invalid(T("Only pages of this console can be saved"))
    now = ctx.now()
    row = ctx.session.scalar(
        select(SavedView)
        .where(SavedView.user_id == me, SavedView.list_name == list_name, SavedView.name == clean)
        .with_for_update()
    )
    if row is None:
        held = ctx.session.scalar(select(func.count()).select_from(SavedView).where(SavedView.user_id == me))
        if (held or 0) >= MAX_VIEWS_PER_PERSON:
            raise Conflict(T("There are %(most)s views already; delete one first", most=MAX_VIEWS_PER_PERSON))
        row = SavedView(user_id=me, list_name=list_name, name=clean, created_at=now)
        ctx.session.add(row)
    row.address, row.is_shared, row.updated_at = local, shared, now
    try:
        ctx.session.flush()
    except IntegrityError as error:
        raise Conflict(T("A view of this name was saved at the same moment")) from error
    return _view(row, ctx.actor.display_name or ctx.actor.username, me)


def remove(ctx: Context, view_id: int) -> None:
    """Delete one's own view; raises NotFound for one that is not there or belongs to somebody else."""
    mine = delete(SavedView).where(SavedView.id == view_id, SavedView.user_id == _person(ctx))
    if not changed(ctx, mine):
        raise NotFound(T("There is no such view"))


def make_start(ctx: Context, view_id: int | None) -> None:
    """Make one's own view the page that opens after the sign-in; None goes back to the overview."""
    me = _person(ctx)
    ctx.session.execute(update(SavedView).where(SavedView.user_id == me, SavedView.is_start).values(is_start=False))
    if view_id is None:
        return
    mine = update(SavedView).where(SavedView.id == view_id, SavedView.user_id == me)
    if not changed(ctx, mine.values(is_start=True)):
        raise NotFound(T("There is no such view"))


def start_address(ctx: Context) -> str | None:
    """Return the address that the person wants to begin with, None for the overview."""
    if ctx.actor.user_id is None:
        return None
    return ctx.session.scalar(
        select(SavedView.address).where(SavedView.user_id == ctx.actor.user_id, SavedView.is_start)
    )


def _person(ctx: Context) -> int:
    if ctx.actor.user_id is None:
        raise PermissionDenied(T("Only people with an account can save views"))
    return ctx.actor.user_id


def _view(row: SavedView, owner: str, me: int) -> View:
    return view_of(View, row, mine=row.user_id == me, owner=owner)
