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
from console.services.home import saved_views
from console.services.work_orders import counts, lists, views
from console.services.work_orders.counts import Figures
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


@dataclass(frozen=True)
class Tab:
    """A view of the list that has a name: its filters, and which figure counts its rows."""

    label: str
    figure: str
    filters: dict[str, str]


TABS = (
    Tab(N_("Open"), "open", {}),
    Tab(N_("Late"), "late", {"due": "late"}),
    Tab(N_("Due today"), "today", {"due": "today"}),
    Tab(N_("Unassigned"), "unassigned", {"assignee": "none"}),
    Tab(N_("Waiting"), "waiting", {"held": "1"}),
    Tab(N_("Found by inspections"), "from_inspection", {"source": "inspection"}),
    Tab(N_("Completed this week"), "done_this_week", {"state": "closed", "week": "1", "sort": "-completed_at"}),
)
# What belongs to the place and the look of a view, not to which rows it has.
_BESIDE = frozenset({"site", "sort", "columns", "page", "per_page", "menu", *CARRIED})


@dataclass(frozen=True)
class Shown:
    """How the rows are shown: `columns` of a board, `calendar` of a calendar, neither of a table."""

    view: str
    columns: tuple[Column, ...] = ()
    calendar: Calendar | None = None


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
        around = {"figures": figures, "tabs": _tabs(ctx, figures), "views": _views(query, shown.view)}
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


def _views(query: ListQuery, shown: str) -> list[tuple[str, str, bool]]:
    labels = {TABLE: _("Table"), BOARD: _("Board"), CALENDAR: _("Calendar")}
    url = url_for("work_orders.page")
    extras: dict[str, dict[str, str]] = {TABLE: {}, BOARD: {"view": BOARD}, CALENDAR: {"view": CALENDAR}}
    return [(labels[name], url + query.url(extra=extras[name]), name == shown) for name in VIEWS]


def _tabs(ctx: Context, figures: Figures) -> list[tuple[str, int | None, str, bool]]:
    """Return label, count, address and whether it is shown, of the named views and of the reader's own ones."""
    asked = {key: words for key in request.args if key not in _BESIDE and (words := request.args.getlist(key))}
    kept: dict[str, Any] = {"site": frame().site} if frame().site else {}
    if (view := request.args.get("view")) in VIEWS:
        kept["view"] = view
    named: list[tuple[str, int | None, str, bool]] = [
        (
            _(tab.label),
            getattr(figures, tab.figure),
            url_for("work_orders.page", **{**tab.filters, **kept}),
            asked == {key: [word] for key, word in tab.filters.items() if key not in _BESIDE},
        )
        for tab in TABS
    ]
    own = saved_views.own(ctx, "work_orders")[:OWN_TABS]
    return [*named, *((view.name, None, view.address, view.address == request.full_path) for view in own)]


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
