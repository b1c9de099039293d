"""The pages of work orders: the list, one order, and what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.work_orders.view import do, shown
from console.core.context import Context
from console.domain.text import N_
from console.services.common.figures import Counted, Figure, counted
from console.services.work_orders import actions, counts, events, lists, rows
from console.services.work_orders import figures as numbers
from console.services.work_orders.rows import READ, WRITE, WorkOrderView
from console.ui.frame import frame
from console.ui.labels.work_orders import PRIORITY, STATUS, clock_word, event_text, order_word, site_choice
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.web.request import access, current_actor, web_context

pages = Blueprint("work_orders", __name__)
NAV = NavItem(
    "facility", 10, "work_orders.page", N_("Work orders"), "tool", permission=READ, count="late_orders", phone=True
)


# The views of the list that have a name, each with the figure that counts its rows.
TABS: tuple[tuple[str, Figure], ...] = (
    (N_("Open"), numbers.OPEN),
    (N_("Late"), numbers.LATE),
    (N_("Due today"), numbers.TODAY),
    (N_("Unassigned"), numbers.UNASSIGNED),
    (N_("Waiting"), numbers.WAITING),
    (N_("Found by inspections"), numbers.FOUND),
    (N_("Completed this week"), numbers.DONE),
)
# What belongs to the place and the look of a view, not to which rows it has.
_BESIDE = frozenset({"site", "sort", "columns", "page", "per_page", "menu"})


@pages.app_template_filter()
def order_status(word: str) -> Any:
    """Return how a status of an order is shown."""
    return STATUS[word]


@pages.app_template_filter()
def order_priority(word: str) -> Any:
    """Return how a priority of an order is shown."""
    return PRIORITY[word]


pages.add_app_template_filter(order_word)
pages.add_app_template_filter(clock_word)
pages.add_app_template_filter(site_choice)
pages.add_app_template_filter(event_text)


@pages.get("/work-orders")
@access(READ)
def page() -> Response:
    """Show the orders: open ones, what is due first."""
    ctx = web_context()
    spec = lists.spec(ctx.now())
    figures = counts.figures(ctx, frame().site)
    shown_numbers = {one.key: counted(ctx, one, frame().site) for one in (numbers.LATE, numbers.DAY, numbers.ESCALATED)}
    around = {"figures": figures, "numbers": shown_numbers, "tabs": _tabs(ctx), "editable": current_actor().can(WRITE)}
    return list_page(spec, fragment="work_orders/orders.order_list", page="work_orders/page.html", around=around)


def _tabs(ctx: Context) -> list[tuple[str, Counted, str, bool]]:
    asked = {key: words for key in request.args if key not in _BESIDE and (words := request.args.getlist(key))}
    made = []
    for label, figure in TABS:
        if (found := counted(ctx, figure, frame().site)) is not None:
            current = asked == {key: [word] for key, word in figure.args.items()}
            made.append((label, found, url_for("work_orders.page", **found.args), current))
    return made


@pages.get("/work-orders/csv")
@access(READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the orders of the list as CSV."""
    return list_download(lists.spec(web_context().now()), "work-orders.csv")


@pages.get("/work-orders/<int:order_id>")
@access(READ)
def order(order_id: int) -> Response:
    """Show one order with its history."""
    return shown(order_id)


def _sent(name: str) -> str:
    return request.form.get(name, "")


@pages.post("/work-orders/<int:order_id>/take")
@access(WRITE)
def take(order_id: int) -> ResponseReturnValue:
    """Take an order that is nobody's."""
    return do(order_id, lambda ctx: actions.claim(ctx, order_id), _("The work order is yours"))


@pages.post("/work-orders/<int:order_id>/begin")
@access(WRITE)
def begin(order_id: int) -> ResponseReturnValue:
    """Begin the work."""
    return do(order_id, lambda ctx: actions.acknowledge(ctx, order_id), _("The work began"))


@pages.post("/work-orders/<int:order_id>/complete")
@access(WRITE)
def complete(order_id: int) -> ResponseReturnValue:
    """Complete an order with what was done."""
    notes = _sent("resolution_notes")
    return do(order_id, lambda ctx: actions.complete(ctx, order_id, notes), _("The work order is completed"))


@pages.post("/work-orders/<int:order_id>/cancel")
@access(WRITE)
def cancel(order_id: int) -> ResponseReturnValue:
    """Cancel an order, with the reason."""
    return do(order_id, lambda ctx: actions.cancel(ctx, order_id, _sent("reason")), _("The work order is canceled"))


@pages.post("/work-orders/<int:order_id>/reopen")
@access(WRITE)
def reopen(order_id: int) -> ResponseReturnValue:
    """Open a closed order again."""
    return do(order_id, lambda ctx: actions.reopen(ctx, order_id, _sent("reason")), _("The work order is open again"))


@pages.post("/work-orders/<int:order_id>/comments")
@access(WRITE)
def comment(order_id: int) -> ResponseReturnValue:
    """Add a comment to the history."""

    def act(ctx: Context) -> WorkOrderView:
        events.comment(ctx, order_id, _sent("comment"))
        return rows.load(ctx, order_id, ctx.now())

    return do(order_id, act, _("The comment is kept"))
