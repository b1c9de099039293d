"""Saved views: keep the address of a list under a name, share it, make it the start page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, parse_qsl, urlsplit

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from console.core.context import Context
from console.core.filters import exact
from console.core.listing import ListSpec, asked
from console.core.records import Fact, columns_of, view_of
from console.domain.entered import UnwritableError, entered
from console.domain.errors import Conflict, Invalid, NotFound, PermissionDenied
from console.domain.identity.addresses import local_address
from console.domain.text import N_, T, Text
from console.models.home import SavedView, StartView
from console.models.identity import User
from console.services.common import lists
from console.services.common.query_cache import cached_query
from console.services.jobs.runs import changed

MAX_VIEWS_PER_PERSON = 100
MAX_NAME = 80
# The code of the refusal of a name that one has given already.
EXISTS = "view_exists"
NOT_FOUND = T("There is no such view")


@dataclass(frozen=True)
class View:
    """A saved view as menus show it; `mine` and `is_start` are said of the reader."""

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


def own(ctx: Context, list_name: str) -> tuple[View, ...]:
    """Return the reader's own views of one list, by name; whoever belongs to no account has none."""
    me = ctx.actor.user_id
    if me is None:
        return ()
    return cached_query(ctx, ("own_views", me, list_name), lambda: _own(ctx, list_name))


def counts(ctx: Context, spec: ListSpec, views: Sequence[View], *, extra: Sequence[str] = ()) -> list[int | None]:
    """Return how many rows each of one's own views of a list has now, None where that cannot be said.

    One query for all of them, or none at all: the numbers are remembered until a table changes that they came from, for
    a minute at most.
    """
    addresses = tuple(view.address for view in views)
    if not addresses:
        return []
    # “Mine” is somebody else in every view, and so is what a reader may see.
    key = ("views_counted", spec.name, ctx.actor.user_id, ctx.actor.site_scope, addresses)
    kept = [_Kept(parse_qs(urlsplit(address).query, keep_blank_values=True)) for address in addresses]
    return cached_query(ctx, key, lambda: lists.totals(ctx, spec, kept, extra=extra))


class _Kept(dict[str, list[str]]):
    """The parameters of an address that was kept."""

    def getlist(self, key: str, /) -> list[str]:
        return self.get(key, [])


def _own(ctx: Context, list_name: str) -> tuple[View, ...]:
    return tuple(view for view in listed(ctx, list_name) if view.mine)


def kept_at(ctx: Context, address: str) -> View | None:
    """Return the view that keeps this address, one's own before a shared one, or None."""
    if ctx.actor.user_id is None:
        return None
    found = [view for view in listed(ctx) if _parts(view.address) == _parts(address)]
    return min(found, key=lambda view: not view.mine, default=None)


def _parts(address: str) -> tuple[str, list[tuple[str, str]]]:
    # Browsers escape what people may have typed as it is.
    parts = urlsplit(address)
    return parts.path, sorted(parse_qsl(parts.query, keep_blank_values=True))


def _readable(address: str) -> bool:
    """Return whether the door of the web lets the words of an address in."""
    try:
        return all(entered(text) is not None for pair in _parts(address)[1] for text in pair)
    except UnwritableError:
        return False


def _spec(me: int) -> ListSpec:
    owner = func.coalesce(func.nullif(User.display_name, ""), User.username)
    mine = and_(StartView.view_id == SavedView.id, StartView.user_id == me)
    rows = select(SavedView, owner, StartView.view_id).join(User, User.id == SavedView.user_id)
    return ListSpec(
        name="views",
        base=lambda _ctx: rows.outerjoin(StartView, mine).where(_seen(me)),
        row=lambda row: _view(row[0], row[1], me, is_start=row[2] is not None),
        key=SavedView.id,
        columns=COLUMNS,
        filters=exact(SavedView, "list_name"),
        order=(SavedView.list_name, SavedView.name, SavedView.id),
    )


def _seen(me: int) -> ColumnElement[bool]:
    return or_(SavedView.user_id == me, SavedView.is_shared)


def save(ctx: Context, *, list_name: str, name: str, address: str, shared: bool = False, replace: bool = True) -> View:
    """Keep `address` under `name`; one's own view of that name is replaced, or refused (Conflict, `view_exists`).

    Raises Invalid for an empty name or an address outside the console, Conflict when there are too many.
    """
    me = _person(ctx)
    clean = _clean(name)
    local = local_address(address)
    if local is None or not _readable(local) or not list_name or len(list_name) > 60:
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
    elif not replace:
        raise Conflict(_exists(clean), code=EXISTS)
    else:
        _keep_to_oneself(ctx, row.id, shared)
    row.address, row.is_shared, row.updated_at = local, shared, now
    try:
        ctx.session.flush()
    except IntegrityError as error:
        raise Conflict(T("A view of this name was saved at the same moment")) from error
    is_start = ctx.session.get(StartView, me)
    return _view(row, _own_name(ctx), me, is_start=is_start is not None and is_start.view_id == row.id)


def change(ctx: Context, view_id: int, *, name: str, shared: bool) -> None:
    """Rename one's own view and say who sees it; raises NotFound, Invalid, and Conflict for a name that is taken."""
    me, clean = _person(ctx), _clean(name)
    mine = update(SavedView).where(SavedView.id == view_id, SavedView.user_id == me)
    try:
        found = changed(ctx, mine.values(name=clean, is_shared=shared, updated_at=ctx.now()))
    except IntegrityError as error:
        raise Conflict(_exists(clean), code=EXISTS) from error
    if not found:
        raise NotFound(NOT_FOUND)
    _keep_to_oneself(ctx, view_id, shared)


def _keep_to_oneself(ctx: Context, view_id: int, shared: bool) -> None:
    """Take a view that is no longer shared from those who begin with it."""
    if not shared:
        ctx.session.execute(delete(StartView).where(StartView.view_id == view_id, StartView.user_id != _person(ctx)))


def remove(ctx: Context, view_id: int) -> None:
    """Delete one's own view; raises NotFound for one that is not there or belongs to somebody else."""
    mine = delete(SavedView).where(SavedView.id == view_id, SavedView.user_id == _person(ctx))
    if not changed(ctx, mine):
        raise NotFound(NOT_FOUND)


def make_start(ctx: Context, view_id: int | None) -> str:
    """Make a view that one sees the page that opens after the sign-in, and return its name.

    None goes back to the overview.
    """
    me = _person(ctx)
    ctx.session.execute(delete(StartView).where(StartView.user_id == me))
    if view_id is None:
        return ""
    name = ctx.session.scalar(select(SavedView.name).where(SavedView.id == view_id, _seen(me)))
    if name is None:
        raise NotFound(NOT_FOUND)
    ctx.session.add(StartView(user_id=me, view_id=view_id))
    try:
        ctx.session.flush()
    except IntegrityError as error:
        raise Conflict(T("The start page was chosen at the same moment")) from error
    return name


def start_address(ctx: Context) -> str | None:
    """Return the address that the person wants to begin with, None for the overview."""
    me = ctx.actor.user_id
    if me is None:
        return None
    chosen = select(SavedView.address).join(StartView, StartView.view_id == SavedView.id)
    return ctx.session.scalar(chosen.where(StartView.user_id == me, _seen(me)))


def _clean(name: str) -> str:
    clean = " ".join(name.split())
    if not 1 <= len(clean) <= MAX_NAME:
        raise Invalid(T("A view needs a name of 1 to %(most)s characters", most=MAX_NAME))
    return clean


def _exists(name: str) -> Text:
    return T("You have a view “%(name)s” of this list already", name=name)


def _own_name(ctx: Context) -> str:
    return ctx.actor.display_name or ctx.actor.username


def _person(ctx: Context) -> int:
    if ctx.actor.user_id is None:
        raise PermissionDenied(T("Only people with an account can save views"))
    return ctx.actor.user_id


def _view(row: SavedView, owner: str, me: int, *, is_start: bool) -> View:
    return view_of(View, row, mine=row.user_id == me, owner=owner, is_start=is_start)
