"""Page: how right alerts were, the rows behind each figure, and what people say of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from console.domain.alerts import accuracy as found
from console.domain.errors import Invalid
from console.domain.ids import number_in
from console.domain.jobs import names as job_names
from console.domain.text import N_, Text
from console.forms.alerts import missed_form
from console.forms.shared import blame
from console.services.alerts import accuracy_lists, marks
from console.services.alerts import outbox as alerts
from console.services.alerts.accuracy_lists import FINDINGS, FindingView
from console.services.identity.names import names_of
from console.services.jobs import registry
from console.services.jobs.runs import Run
from console.ui import runs
from console.ui.addresses import url_if
from console.ui.frame import frame, leave_toast
from console.ui.labels import alerts as words
from console.ui.lists import list_download, list_page
from console.ui.navigation import tab
from console.ui.reader import zone
from console.ui.responses import vary
from console.ui.times import localdate
from console.web.request import access, current_actor, web_context

pages = Blueprint("accuracy", __name__)
NAV = tab("evidence", 26, "accuracy.page", N_("Accuracy"), alerts.READ)


@pages.app_template_filter()
def instant(text: str) -> datetime:
    """Return the instant that a stored result says."""
    return datetime.fromisoformat(text)


@pages.app_template_filter()
def finding_name(label: str) -> str:
    """Return the message id of what a finding is called."""
    return words.NAMES.get(label, label)


@pages.app_template_filter()
def finding_tone(label: str) -> str:
    """Return the tone of a finding."""
    return words.tone(label)


@pages.app_template_filter()
def finding_sentence(row: FindingView) -> Text:
    """Return what a finding means."""
    return words.sentence(row)


@pages.app_template_filter()
def finding_source(row: FindingView) -> str | None:
    """Return the address of what a finding is about, if there is one that the reader may open."""
    if row.item_id is not None:
        return url_if("board.item", item_id=row.item_id)
    if row.delivery_id is not None:
        return url_if("alerts.detail", delivery_id=row.delivery_id)
    if row.found_run_id is not None:
        return url_if("jobs.run", run_id=row.found_run_id)
    return url_if("jobs.page") if row.job_name else url_if("alerts.page")


@pages.get("/ops/accuracy")
@access(*alerts.READ)
def page() -> Response:
    """Show the four figures of the newest comparison and the rows behind them."""
    return list_page(
        FINDINGS,
        fragment="accuracy.finding_list",
        page="alerts/accuracy.html",
        around=_page_data(),
    )


@pages.get("/ops/accuracy/csv")
@access(*alerts.READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the findings of the list as CSV."""
    return list_download(FINDINGS, "alert-findings.csv")


@pages.post("/ops/accuracy/run")
@access(*alerts.WRITE)
def run_page() -> ResponseReturnValue:
    """Ask a worker for a comparison."""
    asked_for = runs.ask(registry.get(job_names.ALERT_ACCURACY))
    return redirect(url_for("jobs.run", run_id=asked_for.id), 303)


def _page_data() -> dict[str, Any]:
    ctx = web_context()
    newest = accuracy_lists.latest(ctx)
    detail = newest.detail if newest else {}
    marked = marks.listed(ctx, limit=20)
    return {
        "run": newest,
        "run_url": url_if("jobs.run", run_id=newest.id) if newest else None,
        "seen": detail,
        "figures": _figures(detail) if newest else (),
        "traces": _traces(detail),
        "trend": _trend(accuracy_lists.history(ctx)),
        "marks": marked,
        "people": names_of(ctx, (mark.marked_by for mark in marked)),
        "may_mark": any(current_actor().can(name) for name in alerts.WRITE),
    }


def _figures(detail: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the four figures: name, number, unit, tone, note, and the address of the rows."""
    counts = {name: sum(detail["labels"].get(label, 0) for label in found.FIGURES[name]) for name in found.FIGURES}
    days, false = detail["window_days"], detail["false_percent"]
    return [
        _figure(
            found.MISSED,
            counts[found.MISSED],
            _("cases"),
            _tone(detail["missed_percent"], detail["missed_limit_percent"]),
            _rated(detail["missed_percent"], detail["incident_count"], detail["missed_limit_percent"], days),
        ),
        _figure(
            found.FALSE,
            _("none sent") if false is None else false,
            "" if false is None else "%",
            _tone(false, detail["false_limit_percent"]),
            _("%(days)s days · %(count)s of %(alerts)s · limit %(limit)s%%", days=days, count=counts[found.FALSE],
              alerts=detail["alert_count"], limit=_number(detail["false_limit_percent"])),
        ),
        _figure(
            found.ESCALATIONS,
            counts[found.ESCALATIONS],
            _("cases"),
            "late" if counts[found.ESCALATIONS] else "ok",
            _("%(days)s days · of %(count)s that were due", days=days, count=detail["escalation_count"]),
        ),
        _figure(
            found.JOBS,
            counts[found.JOBS],
            _("cases"),
            "soon" if counts[found.JOBS] else "ok",
            _("of %(count)s instants of the schedule", count=detail["instant_count"]),
        ),
    ]  # fmt: skip


def _figure(name: str, value: Any, unit: str, tone: str | None, note: str) -> dict[str, Any]:
    url = url_for("accuracy.page", figure=name, _anchor="findings")
    return {"label": _(words.FIGURE_NAMES[name]), "value": value, "unit": unit, "tone": tone, "note": note, "url": url}


def _number(value: float) -> str:
    return f"{value:g}"


def _tone(rate: float | None, limit: float) -> str | None:
    if rate is None:
        return None
    return "late" if rate > limit else "ok"


def _rated(rate: float | None, incidents: int, limit: float, days: int) -> str:
    if rate is None:
        return _("%(days)s days · nothing had to be told", days=days)
    values = {"days": days, "rate": _number(rate), "count": incidents, "limit": _number(limit)}
    return _("%(days)s days · %(rate)s%% of %(count)s · limit %(limit)s%%", **values)


def _traces(detail: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """Return name, number and address of every kind of finding that there is, the worst first."""
    counts = {label: count for label, count in detail.get("labels", {}).items() if count and label in words.NAMES}
    order = sorted(counts, key=lambda label: (words.tone(label) != "late", list(words.NAMES).index(label)))
    return [
        (_(words.NAMES[label]), counts[label], url_for("accuracy.page", label=label, _anchor="findings"))
        for label in order
    ]


def _trend(history: list[Run]) -> dict[str, Any] | None:
    """Return both rates of each night as a chart, None before there are two."""
    if len(history) < 2:
        return None
    return {
        "labels": [localdate(one.finished_at) for one in history],
        "series": [
            {
                "label": _("Missed alerts"),
                "values": [one.detail.get("missed_percent") for one in history],
                "tone": "late",
            },
            {"label": _("False alarms"), "values": [one.detail.get("false_percent") for one in history], "tone": "1"},
        ],
    }


@pages.route("/ops/accuracy/missed", methods=["GET", "POST"])
@access(*alerts.WRITE)
def missed() -> ResponseReturnValue:
    """Show the form of an incident that nobody was alerted about, or record it."""
    sent: MultiDict[str, str] | None = request.form if request.method == "POST" else None
    names = [site.name for site in frame().sites]
    form = missed_form(names, zone(), sent, platform=current_actor().all_sites)
    if sent is None:
        form.site.data = frame().site or form.site.data
    elif form.validate() and form.instant is not None:
        try:
            marks.record_missed(
                web_context(), form.what.data, form.instant, form.reason.data, site=form.site.data or None
            )
        except Invalid as error:
            blame(form, error)
        else:
            leave_toast(_("The missed alert is recorded; the next comparison counts it"))
            return redirect(url_for("accuracy.page"), 303)
    status = 200 if sent is None else 422
    return vary(make_response(render_template("alerts/missed.html", form=form), status))


@pages.post("/ops/accuracy/marks/<int:mark_id>/withdraw")
@access(*alerts.WRITE)
def withdraw_page(mark_id: int) -> ResponseReturnValue:
    """Take a mark back."""
    version = number_in(request.form.get("version", "")) or 0
    marks.withdraw(web_context(), mark_id, version, request.form.get("reason", ""))
    leave_toast(_("The mark was taken back"))
    return redirect(url_for("accuracy.page"), 303)
