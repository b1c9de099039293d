"""Inspections as pages: the list, one inspection, and its sheet of paper."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.inspections.evidence_pages import panels_of
from console.core.i18n import translate
from console.core.serialize import iso
from console.domain.errors import Invalid
from console.domain.inspections.requests import FindingOrder
from console.domain.inspections.signature import HEIGHT, WIDTH
from console.domain.text import N_, T
from console.services.common.figures import counted
from console.services.inspections import figures, orders, read, rows
from console.services.inspections.lists import INSPECTIONS
from console.services.inspections.read import Detail, ResultView
from console.services.inspections.rows import READ, WRITE, InspectionView
from console.ui.frame import frame, leave_toast
from console.ui.labels import inspections as words
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.reader import locale, zone_of_site
from console.ui.times import localdate, localtime
from console.web.request import access, current_actor, web_context

pages = Blueprint("inspections", __name__)
NAV = NavItem("facility", 20, "inspections.page", N_("Inspections"), "clipboard-check", permission=READ)
PUBLISHED = "en"
ORDERS = "work_orders:write"
# The sheet as it was published: its rows in their order.
SHEET = (
    N_("Site"),
    N_("Location"),
    N_("Cycle"),
    N_("Inspector"),
    N_("Inspected At"),
    N_("Risk Level"),
    N_("Risk Flags"),
    N_("Transformer (kVA)"),
    N_("Voltage (R/S/T)"),
    N_("Current (R/S/T)"),
    N_("Winding Temp (C)"),
    N_("Grounding (ohm)"),
    N_("Insulation (Mohm)"),
    N_("Notes"),
    N_("Created At"),
)

pages.app_template_filter("risk_word")(words.level)
pages.app_template_filter("finding_words")(words.findings)
pages.app_template_filter("cycle_word")(words.cycle)
pages.app_template_filter("crossed_words")(words.crossed_words)
pages.app_template_filter("limit_words")(words.limit_words)
pages.app_template_filter("limit_lines")(words.limit_lines)
pages.app_template_filter("value_words")(words.value_words)
pages.app_template_filter("measure")(words.measure)


@pages.get("/inspections")
@access(READ)
def page() -> Response:
    """Show the inspections, newest first."""
    wanted = (figures.TODAY, figures.DANGER_TODAY, figures.CAUTION_TODAY)
    around = {"today": [counted(web_context(), one, frame().site) for one in wanted]}
    return list_page(INSPECTIONS, fragment="inspections.listing", page="inspections/page.html", around=around)


@pages.get("/inspections/csv")
@access(READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the inspections of the list as CSV."""
    return list_download(INSPECTIONS, "inspections.csv")


@pages.get("/inspections/<int:inspection_id>")
@access(READ)
def detail(inspection_id: int) -> str:
    """Show one inspection with its results, and how the chosen point went."""
    ctx = web_context()
    found = read.detail(ctx, inspection_id)
    span = request.args.get("span", "13m")
    if span not in read.SPANS:
        raise Invalid(T("“%(word)s” is not a choice of “%(key)s”", word=span[:40], key="span"))
    chosen = _chosen(found, request.args.get("point", ""))
    samples = read.series(ctx, found.inspection, chosen, span) if chosen is not None else ()
    address = partial(url_for, "inspections.detail", inspection_id=inspection_id)
    panels = panels_of(ctx, inspection_id, found.results)
    return render_template(
        "inspections/detail.html",
        data=found,
        chosen=chosen,
        samples=samples,
        labels=[localdate(one.at) for one in samples],
        span=span,
        address=address,
        orders=orders.linked(ctx, found.inspection),
        may_order=ctx.actor.can(WRITE) and ctx.actor.can(ORDERS),
        panels=panels,
        photos={panel.key: len(panel.files) for panel in panels},
        signature=read.signature_of(ctx, found.inspection),
        box=(WIDTH, HEIGHT),
    )


@pages.post("/inspections/<int:inspection_id>/orders")
@access(WRITE)
def order(inspection_id: int) -> ResponseReturnValue:
    """Make a work order of one finding and lead to it."""
    made = orders.of_finding(web_context(), inspection_id, FindingOrder(request.form.get("code", "")))
    leave_toast(_("Work order #%(number)s was made", number=made.id))
    return redirect(url_for("inspections.detail", inspection_id=inspection_id, _anchor="findings"), 303)


@pages.get("/inspections/<int:inspection_id>/print")
@access(READ)
def sheet(inspection_id: int) -> str:
    """Show one inspection as a sheet of paper (A4); programs get its published English labels."""
    found = rows.load(web_context(), inspection_id)
    told = current_actor().kind in ("session", "local")
    language = locale() if told else PUBLISHED
    said = partial(translate, language)
    lines = [(said(label), value) for label, value in zip(SHEET, _sheet_values(found, told=told), strict=True)]
    titles = [said(text) % {"id": found.id} for text in (N_("Inspection #%(id)s"), N_("Inspection Report #%(id)s"))]
    return render_template("inspections/sheet.html", titles=titles, lines=lines, language=language)


def _sheet_values(found: InspectionView, *, told: bool) -> list[str]:
    """Return the values of the sheet: in the reader's words where they are `told`, in those of the API otherwise."""
    voltages = (found.voltage_r, found.voltage_s, found.voltage_t)
    currents = (found.current_r, found.current_s, found.current_t)
    zone = zone_of_site(found.site)
    instants = [localtime(at, "full", zone) if told else iso(at) for at in (found.inspected_at, found.created_at)]
    flags = words.findings(found) if told else ", ".join(found.risk_flags)
    return [
        found.site,
        found.location,
        words.cycle(found.cycle) if told else found.cycle,
        found.inspector,
        instants[0],
        words.level(found.risk_level).label if told else found.risk_level,
        flags or "-",
        _figure(found.transformer_kva),
        " / ".join(map(_figure, voltages)),
        " / ".join(map(_figure, currents)),
        _figure(found.winding_temp_c),
        _figure(found.grounding_ohm),
        _figure(found.insulation_mohm),
        found.notes or "-",
        instants[1],
    ]


def _figure(value: float | None) -> str:
    # A measured nothing is not nothing measured.
    return "-" if value is None else f"{value:.12g}"


def _chosen(found: Detail, code: str) -> ResultView | None:
    """Return the point that the chart shows: the one asked for, the worst one, or the first that has a number."""
    numbers = [one for one in found.results if one.value is not None]
    if code:
        return next((one for one in numbers if one.code == code), None)
    worst: Any = next((one for one in found.findings if one.value is not None), None)
    return worst or (numbers[0] if numbers else None)
