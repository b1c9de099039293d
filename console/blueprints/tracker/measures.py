"""What pages of the weeks show of their measures: addresses of the rows, of the policy, of the papers."""

from __future__ import annotations

from typing import Any

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException

from console.core.context import Context
from console.domain.programme.measures import OF_WEEK, WINDOW
from console.domain.programme.snapshot import RowsOf
from console.domain.text import N_
from console.services.programme import week_page, weekly
from console.services.programme.week_page import Measured
from console.ui.addresses import url_if
from console.web.request import current_actor

# The pages of the rows.
PAGES = {
    "work_orders": "work_orders.page",
    "inspections": "inspections.page",
    "alerts": "alerts.page",
    "channels": "channels.page",
    "tokens": "tokens.page",
    "jobs": "jobs.page",
}
# The filters of their lists that take the begin of the window, and the site.
SINCE = {"work_orders": "created_from", "inspections": "inspected_from", "alerts": "raised_from"}
OF_SITE = {"work_orders": "site", "inspections": "site", "alerts": "of_site"}
PACKS, PORTAL = "/api/public/adoption-plan", "/web/adoption"
PAPERS = (
    (PACKS, "/checklist.csv", N_("Checklist"), "CSV", "list-check"),
    (PACKS, "/schedule.ics", N_("Dates of the week"), "ICS", "calendar-event"),
    (PORTAL, "", N_("The week for everybody"), "", "world"),
)


def values_of(ctx: Context, code: str, site: str | None) -> dict[str, Any]:
    """Return what the page of a week needs beside its items; nothing for a week without figures."""
    papers = papers_of(code)
    if code not in OF_WEEK:
        return {"measured": None, "papers": papers, "run_url": None}
    data = week_page.measured(ctx, code, site)
    may_run = code == "w07" and current_actor().can(weekly.WRITE) and (site or current_actor().all_sites)
    return {
        "measured": data,
        "rows": rows_of(data),
        "papers": papers,
        "sites_url": url_for(f"week.sites_{code}"),
        "policy_url": url_for(f"week.policy_{code}", site=site) if _sees_policy(data, site) else None,
        "run_url": url_for("week.run_weekly", site=site) if may_run else None,
    }


def _sees_policy(data: Measured, site: str | None) -> bool:
    return data.policy.changeable and (site is not None or current_actor().all_sites)


def rows_of(data: Measured) -> dict[str, str | None]:
    """Return the addresses of the rows behind the measures and the advice, by their key."""
    found = {one.key: one.rows for one in data.measures} | {one.code: one.rows for one in data.advice}
    found |= {one.key: one.rows for one in data.signs}
    return {key: _address(rows, data) for key, rows in found.items() if rows is not None}


def _address(rows: RowsOf, data: Measured) -> str | None:
    filters = dict(rows.filters)
    if filters.pop(WINDOW, None):
        filters[SINCE[rows.page]] = data.start.isoformat()
    if rows.page in OF_SITE and data.site is not None:
        filters[OF_SITE[rows.page]] = data.site
    return url_if(PAGES[rows.page], **filters)


def papers_of(code: str) -> list[tuple[str, str, str, str]]:
    """Return name, kind, icon and address of the papers of a week that there are."""
    made = [(name, kind, icon, f"{place}/{code}{file}") for place, file, name, kind, icon in PAPERS]
    return [one for one in made if _exists(one[3])]


def _exists(address: str) -> bool:
    try:
        current_app.url_map.bind("").match(address, method="GET")
    except HTTPException:
        return False
    return True


def site_of_url() -> str | None:
    """Return the site that the address names."""
    return request.args.get("site", "").strip() or None
