"""Response times and burn rates for people: the routes with the least budget first, and one of them over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from console.core.serialize import csv_text
from console.domain.durations import length
from console.domain.reliability.alert_rules import NAMES
from console.domain.text import N_
from console.services.alerts import outbox as alerts
from console.services.audit import record as audit
from console.services.reliability import routes
from console.services.reliability.routes import RouteDetail
from console.ui.addresses import url_if
from console.ui.formats import tr
from console.ui.navigation import tab
from console.ui.responses import download, file_stamp, show, wants_bom
from console.ui.times import localtime
from console.web.request import access, current_actor, web_context
from console.web.timing import remembered

READ = routes.READ
pages = Blueprint("ops_latency", __name__)
NAV = tab("evidence", 21, "ops_latency.page", N_("Response times"), READ)


@pages.app_template_filter()
def burn_rule(name: str) -> str:
    """Return what an alert rule is called."""
    return _(NAMES[name]) if name in NAMES else name


@pages.app_template_filter()
def minutes_words(count: int) -> str:
    """Return a length of minutes in words."""
    return tr(length(timedelta(minutes=count)))


@pages.get("/ops/latency")
@access(*READ)
def page() -> Response:
    """Show all watched routes, the least budget first, and the chosen one over a day, a week or a month."""
    memory = remembered(current_app)
    ctx = web_context()
    found = routes.read(ctx, memory)
    chosen = request.args.get("route", "")
    days = request.args.get("days", 1, type=int)
    days = days if days in routes.PERIODS else 1
    # Without a choice, or with one that is no longer watched, it is the route that needs it most.
    known = {route.endpoint for route in found.routes}
    endpoint = chosen if chosen in known else found.routes[0].endpoint
    detail = routes.detail(ctx, found, endpoint, days)
    period: dict[str, Any] = {"days": days} if days != 1 else {}
    return show(
        found,
        fragment="runbook/latency.latency",
        page="runbook/latency.html",
        detail=detail,
        drawn=_drawn(detail, found.snapshot.critical_threshold_ms, found.snapshot.warning_threshold_ms),
        links={
            "self": url_for("ops_latency.page", route=endpoint, **period),
            "routes": {
                name: url_for("ops_latency.page", route=name, _anchor="route-title", **period) for name in known
            },
            "alerts": url_if("alerts.page", event="ops_api_burn_rate"),
            **_messages(detail),
            "item": url_if("board.item", item_id=detail.item.id) if detail.item else None,
            "periods": _periods(endpoint, days),
        },
    )


def _messages(detail: RouteDetail) -> dict[str, dict[int, str]]:
    """Return where the messages of its alerts stand, and where an alert can be marked as false, by delivery."""
    ids = [one.delivery_id for alert in (*detail.open_alerts, *detail.ended_alerts) for one in alert.told]
    read = {one: url_if("alerts.detail", delivery_id=one) for one in ids}
    may_mark = any(map(current_actor().can, alerts.WRITE))
    return {
        "messages": {one: url for one, url in read.items() if url},
        "marks": {one: f"{url}#mark-false" for one, url in read.items() if url and may_mark},
    }


def _periods(endpoint: str, days: int) -> list[tuple[str, str, bool]]:
    words = {1: ngettext("%(num)s hour", "%(num)s hours", 24)}
    return [
        (
            words.get(count) or ngettext("%(num)s day", "%(num)s days", count),
            url_for("ops_latency.page", route=endpoint, days=count),
            count == days,
        )
        for count in routes.PERIODS
    ]


def _drawn(detail: RouteDetail, critical_ms: float, warning_ms: float) -> dict[str, Any]:
    """Return what the chart of a route draws: lines, limits, and deploys at their places between the points."""
    form = "time" if detail.days == 1 else "moment" if detail.days == 7 else "date"
    starts = [point.start for point in detail.points]
    return {
        "labels": [localtime(at, form) for at in starts],
        "series": [
            {"label": _("P95"), "values": [point.p95_ms for point in detail.points], "tone": "1"},
            {"label": _("Median"), "values": [point.median_ms for point in detail.points], "tone": "pale"},
        ],
        "limits": [
            (warning_ms, _("warning %(limit)s", limit=f"{warning_ms:g}"), "soon"),
            (critical_ms, _("critical %(limit)s", limit=f"{critical_ms:g}"), "late"),
        ],
        "marks": [
            (
                _place(starts, one.at, detail.step_minutes),
                _("%(time)s deploy %(version)s", time=localtime(one.at), version=one.version),
            )
            for one in detail.deploys
        ],
        "empty": all(point.p95_ms is None for point in detail.points),
    }


def _place(starts: Sequence[datetime], at: datetime, minutes: int) -> float:
    """Return between which points an instant lies, as a number of the points."""
    return min(max((at - starts[0]).total_seconds() / 60 / minutes, 0.0), float(len(starts) - 1))


@pages.get("/ops/latency.csv")
@access(*READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the list of the page as CSV."""
    memory = remembered(current_app)
    ctx = web_context()
    found = routes.read(ctx, memory)
    audit.viewed(ctx, "ops_api_latency_csv_export", "ops_performance", "api_latency")
    text = csv_text(routes.CSV_COLUMNS, found.routes, bom=wants_bom())
    return download(text, f"api-latency-{file_stamp(found.generated_at)}.csv")
