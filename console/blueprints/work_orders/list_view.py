"""How the list of orders is shown: its named views, and the same rows as a table, a board or a calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _

from console.core import listing
from console.core.context import Context
from console.core.listing import ListQuery, ListResult
from console.domain.errors import Invalid
from console.domain.ids import row_id
from console.domain.text import N_
from console.domain.work_orders.calendar import MONTH, SPANS
from console.inputs.tracker import IDS_MOST
from console.services.common import lists as engine
from console.services.common.figures import Figure, counted
from console.services.home import saved_views
from console.services.work_orders import counts, lists, views
from console.services.work_orders import figures as numbers
from console.services.work_orders.rows import WRITE, WorkOrderView
from console.services.work_orders.views import Calendar, Column
from console.ui.frame import frame
from console.ui.lists import download_rows, opened
from console.ui.responses import show
from console.web.request import current_actor, web_context

TABLE, BOARD, CALENDAR = VIEWS = ("table", "board", "calendar")
# What every link of the list keeps beside its filters.
CARRIED = ("view", "expand", "at", "span")
OWN_TABS = 4


# The views of the list that have a name: the figure that counts their rows, and the order of those rows.
TABS: tuple[tuple[str, Figure, str | None], ...] = (
    (N_("Open"), numbers.OPEN, None),
    (N_("Late"), numbers.LATE, None),
    (N_("Due today"), numbers.TODAY, None),
    (N_("Unassigned"), numbers.UNASSIGNED, None),
    (N_("Waiting"), numbers.WAITING, None),
    (N_("Found by inspections"), numbers.FOUND, None),
    (N_("Completed this week"), numbers.DONE, "-completed_at"),
)
# The figures in the line below the title.
SAID = (numbers.LATE, numbers.DAY, numbers.ESCALATED)
# What belongs to the place and the look of a view, not to which rows it has.
_BESIDE = frozenset({"site", "sort", "columns", "page", "per_page", "menu", *CARRIED})


@dataclass(frozen=True)
class Shown:
    """How the rows are shown: `columns` of a board, `calendar` of a calendar, neither of a table."""

    view: str
    columns: tuple[Column, ...] = ()
    calendar: Calendar | None = None


@dataclass(frozen=True)
class Tab:
    """A named view: how many rows it has (None where that is not known), and the figure that counts them.

    One that a person named has an `address`; of the others `label` is a message id, and `args` are the arguments of the
    list's address.
    """

    label: str
    current: bool
    count: int | None
    address: str = ""
    args: tuple[tuple[str, Any], ...] = ()
    figure: str = ""
    tone: str = ""

    @property
    def url(self) -> str:
        """Return where it leads."""
        return self.address or url_for("work_orders.page", **dict(self.args))


def answered() -> Response:
    """Answer the list as the address asks for it."""
    spec = lists.spec(web_context().now())
    return opened(spec, _answer, extra=CARRIED)


def _answer(query: ListQuery) -> Response:
    ctx = web_context()
    data, shown = _read(ctx, query)
    editable = current_actor().can(WRITE)
    around: dict[str, Any] = {}
    if not request.args.get("menu"):
        figures = counts.figures(ctx, frame().site)
        said = {one.key: counted(ctx, one, frame().site) for one in SAID}
        around = {"figures": figures, "numbers": said, "tabs": _tabs(ctx)}
    page = "work_orders/page.html"
    return show(data, fragment="work_orders/list.order_list", page=page, around=around, shown=shown, editable=editable)


def _read(ctx: Context, query: ListQuery) -> tuple[ListResult, Shown]:
    chosen = query.extra.get("view", "")
    if chosen == BOARD:
        board = views.board(ctx, query, query.extra.get("expand", ""))
        return board.data, Shown(BOARD, columns=board.columns)
    if chosen == CALENDAR:
        span = query.extra.get("span", "")
        calendar = views.due_calendar(ctx, query, span if span in SPANS else MONTH, query.extra.get("at", ""))
        return calendar.data, Shown(CALENDAR, calendar=calendar)
    return engine.run(ctx, lists.spec(ctx.now()), query), Shown(TABLE)


def _tabs(ctx: Context) -> tuple[Tab, ...]:
    """Return the named views and the reader's own ones."""
    asked = {key: words for key in request.args if key not in _BESIDE and (words := request.args.getlist(key))}
    view = request.args.get("view")
    kept: dict[str, Any] = {"view": view} if view in VIEWS else {}
    made = []
    for label, figure, sort in TABS:
        if (found := counted(ctx, figure, frame().site)) is not None:
            args = tuple({**found.args, **kept, "sort": sort}.items())
            here = asked == {key: [word] for key, word in figure.args.items()}
            made.append(Tab(label, here, found.value, args=args, figure=figure.key, tone=found.tone or ""))
    own = saved_views.own(ctx, "work_orders")[:OWN_TABS]
    numbers = saved_views.counts(ctx, lists.spec(ctx.now()), own, extra=CARRIED)
    return (
        *made,
        *(
            Tab(one.name, one.address == request.full_path, count, one.address)
            for one, count in zip(own, numbers, strict=True)
        ),
    )


def chosen_ids() -> list[int]:
    """Return the ids of the rows that somebody chose, in the address or in the form; raises Invalid for others."""
    sent = request.values.getlist("ids")
    if len(sent) > IDS_MOST or not all(text.isascii() and text.isdigit() and len(text) <= 10 for text in sent):
        raise Invalid(_("Please check what was chosen"))
    return [row_id(int(text)) for text in sent]


def download() -> Response:
    """Stream the orders of the list as CSV: all that match, or those that were chosen."""
    ctx = web_context()
    spec = lists.spec(ctx.now())
    query = listing.parse(spec, request.args)
    ids = chosen_ids() or None
    engine.matching(ctx, spec, query, ctx.now())

    def rows(reading: Context) -> Iterator[WorkOrderView]:
        return engine.stream(reading, spec, query, ids)

    return download_rows(spec, query, rows, listing.csv_columns(spec), "work-orders.csv")
