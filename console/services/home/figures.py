"""The figures of everything together, and the register of all figures that pages show.

A subject adds its figures in a module of its own and names it here; the overview shows those of `TODAY` in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from console.core.context import Context
from console.domain.text import N_
from console.services.alerts import week as alerts
from console.services.common.figures import Figure, Given, collected
from console.services.handover import figures as handover
from console.services.home import activity, work
from console.services.inspections import figures as inspections
from console.services.work_orders import figures as orders

_LATE, _OPEN = "late.page", "late.open_work"


def _late(name: str) -> Callable[[Context, str | None, Given], int]:
    return lambda ctx, site, _given: int(getattr(activity.figures(ctx, site), name))


def _open(name: str) -> Callable[[Context, str | None, Given], int]:
    return lambda ctx, site, _given: int(getattr(work.figures(ctx, site), name))


LATE = Figure(
    "late", N_("Late"), N_("Open and past its due time: work orders, the board and the weeks together"), _LATE,
    _late("late"), work.READ, tone="late",
)  # fmt: skip
LATE_ORDERS = Figure(
    "late_orders", N_("Late among all work: orders"), N_("Work orders that are open and past their due time"), _LATE,
    _late("late_orders"), work.READ, {"of": work.ORDERS}, "late",
)  # fmt: skip
LATE_BOARD = Figure(
    "late_board", N_("Late among all work: board"), N_("Items of the board that are open and past their due time"),
    _LATE, _late("late_board"), work.READ, {"of": work.BOARD}, "late",
)  # fmt: skip
LATE_WEEKS = Figure(
    "late_weeks", N_("Late among all work: weeks"), N_("Items of the weeks that are open and past their due time"),
    _LATE, _late("late_weeks"), work.READ, {"of": work.WEEKS}, "late",
)  # fmt: skip
DUE_24H = Figure(
    "due_24h", N_("Due within 24 h"), N_("Open and due within the next 24 hours, wherever it stands"), _OPEN,
    _open("due_24h"), work.READ, {"due": "due_soon"}, "soon",
)  # fmt: skip
UNASSIGNED = Figure(
    "unassigned", N_("Unassigned"), N_("Open and nobody's, wherever it stands"), _OPEN, _open("unassigned"), work.READ,
    {"unassigned": "1"},
)  # fmt: skip
OPEN_WORK = Figure(
    "open_work", N_("Open work"), N_("Work orders, items of the board and of the weeks that are open"), _OPEN,
    _open("open"), work.READ,
)  # fmt: skip
# What stands beside the verdict, in this order.
TODAY = (LATE, DUE_24H, UNASSIGNED, inspections.TODAY)
FIGURES = (LATE, LATE_ORDERS, LATE_BOARD, LATE_WEEKS, DUE_24H, UNASSIGNED, OPEN_WORK)
REGISTER: Mapping[str, Figure] = collected(
    FIGURES, orders.FIGURES, inspections.FIGURES, handover.FIGURES, alerts.FIGURES
)
