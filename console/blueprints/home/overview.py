"""The overview: today in one screen."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from console.blueprints.home.late import work_url
from console.domain.jobs import names as job_names
from console.domain.programme.trackers import programmes
from console.domain.text import N_
from console.services.home import overview
from console.services.home.activity import FlowLine
from console.services.jobs import registry
from console.services.jobs import schedule as run_schedule
from console.services.work_orders import rows as order_rows
from console.ui.addresses import url_if
from console.ui.figures import rows_url
from console.ui.frame import frame
from console.ui.navigation import NavItem
from console.ui.responses import show
from console.web.request import access, current_actor, web_context

pages = Blueprint("overview", __name__)
NAV = NavItem("work", 10, "overview.page", N_("Overview"), "layout-dashboard", phone=True)


# Who may give away what there is to do, by its tracker; orders have none.
_WRITE = {"": (order_rows.WRITE,), **{one.key: one.write for one in programmes()}}


# How the columns of the sites are headed: the names of the figures would be wider than their numbers.
_HEADINGS = {
    "orders_open": N_("Open"),
    "orders_late": N_("Late"),
    "inspections_unordered": N_("Danger"),
    "inspections_today": N_("Inspections today"),
}


@pages.app_template_filter()
def site_heading(key: str) -> str:
    """Return the heading of a column of the sites."""
    return _(_HEADINGS[key])


@pages.get("/overview")
@access()
def page() -> Response:
    """Show today: verdict, what is late, what to do first, what happened, whether the machine runs."""
    site = request.args.get("site", "").strip() or None
    data = overview.read(web_context(), site, lambda ctx: run_schedule.health(ctx, registry.schedule(), registry.find))
    around = {"zone": frame().zone_name}
    return show(data, fragment="home.overview", page="home/overview.html", around=around, **_values(site))


def _values(site: str | None) -> dict[str, Any]:
    actor = current_actor()
    at: dict[str, Any] = {"site": site} if site else {}
    return {
        "links": {
            "overview": url_for("overview.page", **at),
            "board": url_if("board.page", **at),
            "late": url_if("late.page", **at),
            "late_board": url_if("late.page", of="board", **at),
            "late_weeks": url_if("late.page", of="weeks", **at),
            "late_orders": url_if("late.page", of="orders", **at),
            "soon": url_if("late.open_work", due="due_soon", **at),
            "unassigned": url_if("late.open_work", unassigned="1", **at),
            "open": url_if("late.open_work", **at),
            "done": url_if("board.page", status="done", state="all", sort="-completed_at", view="table", **at),
            "inspected": url_if("inspections.page", today="1", **at),
            "dangers": url_if("inspections.page", today="1", risk_level="danger", **at),
            "orders": url_if("work_orders.page", **at),
            "was_due": url_if("work_orders.page", state="all", was_due="1", **at),
            "gate": url_if("gate.page"),
            "jobs": url_if("jobs.page"),
            "audit": url_if("audit.page"),
        },
        "item_url": lambda item_id: url_for("board.item", item_id=item_id),
        "work_url": work_url,
        "run_url": _run_url,
        "titles": {job.name: job.title or job.name for job in registry.all_jobs() if job.name != job_names.GATE},
        "rows_url": rows_url,
        "can_assign": lambda work: any(map(actor.can, _WRITE.get(work.tracker, ()))),
    }


def _run_url(line: FlowLine) -> str | None:
    if line.run_id is None:
        return None
    endpoint = "gate.run" if line.job == job_names.GATE else "jobs.run"
    return url_if(endpoint, run_id=line.run_id)
