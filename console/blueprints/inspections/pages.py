"""Inspections as pages: the list, one inspection, and its sheet of paper."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.inspections.evidence_pages import panels_of
from console.core.context import Context
from console.core.i18n import translate
from console.core.serialize import iso
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.inspections.requests import FindingOrder
from console.domain.inspections.signature import HEIGHT, WIDTH
from console.domain.text import N_, T
from console.services.assets import rows as asset_rows
from console.services.common.figures import counted
from console.services.inspections import events, figures, follow_up, orders, read, rows
from console.services.inspections.lists import INSPECTIONS
from console.services.inspections.read import Detail, ResultView
from console.services.inspections.rows import READ, WRITE, InspectionView
from console.ui.errors import words_of
from console.ui.frame import frame, leave_toast
from console.ui.labels import inspections as words
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.reader import locale, zone_of_site
from console.ui.responses import vary
from console.ui.times import localdate, localtime
from console.web.request import abandon, access, current_actor, web_context

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

# Beneath it the points, in the order of their template.
POINT_HEADS = (N_("Point"), N_("Value"), N_("Limit"), N_("Verdict"))

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
    wanted = (figures.TODAY, figures.DANGER_TODAY, figures.CAUTION_TODAY, figures.UNORDERED)
    around = {"today": [counted(web_context(), one, frame().site) for one in wanted]}
    return list_page(INSPECTIONS, fragment="inspections.listing", page="inspections/page.html", around=around)


@pages.get("/inspections/csv")
@access(READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the inspections of the list as CSV."""
    return list_download(INSPECTIONS, "inspections.csv")


@pages.get("/inspections/<int:inspection_id>")
@access(READ)
def detail(inspection_id: int) -> Response:
    """Show one inspection with its results, and how the chosen point went."""
    return _shown(inspection_id)


def _shown(inspection_id: int, refusal: DomainError | None = None) -> Response:
    ctx = web_context()
    found = read.detail(ctx, inspection_id)
    span = request.args.get("span", "13m")
    if span not in read.SPANS:
        raise Invalid(T("“%(word)s” is not a choice of “%(key)s”", word=span[:40], key="span"))
    chosen = _chosen(found, request.args.get("point", ""))
    samples = read.series(ctx, found.inspection, chosen, span) if chosen is not None else ()
    address = partial(url_for, "inspections.detail", inspection_id=inspection_id)
    panels = panels_of(ctx, inspection_id, found.results)
    made = render_template(
        "inspections/detail.html",
        data=found,
        chosen=chosen,
        samples=samples,
        labels=[localdate(one.at) for one in samples],
        span=span,
        address=address,
        orders=orders.linked(ctx, found.inspection),
        asset=asset_rows.label_of(ctx, found.inspection.asset_id),
        may_order=ctx.actor.can(WRITE) and ctx.actor.can(ORDERS),
        panels=panels,
        photos={panel.key: len(panel.files) for panel in panels},
        signature=read.signature_of(ctx, found.inspection),
        box=(WIDTH, HEIGHT),
        history=events.of_inspection(ctx, found.inspection),
        may_countersign=ctx.actor.can(WRITE)
        and found.inspection.countersigned_at is None
        and follow_up.may_countersign(ctx, found.inspection),
        refusal=words_of(refusal) if refusal else None,
        kept=request.form if refusal else {},
    )
    return vary(make_response(made, 200 if refusal is None else refusal.status))


@pages.post("/inspections/<int:inspection_id>/orders")
@access(WRITE)
def order(inspection_id: int) -> ResponseReturnValue:
    """Make a work order of one finding and lead to it."""
    made = orders.of_finding(web_context(), inspection_id, FindingOrder(request.form.get("code", "")))
    leave_toast(_("Work order #%(number)s was made", number=made.id))
    return redirect(url_for("inspections.detail", inspection_id=inspection_id, _anchor="findings"), 303)


@pages.post("/inspections/<int:inspection_id>/close")
@access(WRITE)
def close(inspection_id: int) -> ResponseReturnValue:
    """Say of one finding that it needs no action; a refusal keeps the reason that was written."""
    code, reason = request.form.get("code", ""), request.form.get("reason", "")[:500]
    return _do(
        inspection_id,
        lambda ctx: follow_up.close_finding(ctx, inspection_id, code, reason),
        _("The finding is closed: no action needed"),
    )


@pages.post("/inspections/<int:inspection_id>/countersign")
@access(WRITE)
def countersign(inspection_id: int) -> ResponseReturnValue:
    """Sign an inspection as the second person."""
    note = request.form.get("note", "")[:2000]
    act = partial(follow_up.countersign, inspection_id=inspection_id, note=note)
    return _do(inspection_id, act, _("You countersigned the inspection"))


def _do(inspection_id: int, act: Callable[[Context], Any], said: str) -> ResponseReturnValue:
    try:
        act(web_context())
    except (Conflict, Invalid) as refusal:
        abandon()
        return _shown(inspection_id, refusal)
    leave_toast(said)
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
    return render_template(
        "inspections/sheet.html",
        titles=titles,
        lines=lines,
        heads=[said(label) for label in POINT_HEADS],
        points=_sheet_points(found, said, told=told),
        signed=[(said(label), value) for label, value in _signatures(found, told=told)],
        drawing=read.signature_of(web_context(), found),
        box=(WIDTH, HEIGHT),
        language=language,
    )


def _sheet_points(found: InspectionView, said: Callable[[str], str], *, told: bool) -> list[tuple[str, ...]]:
    """Return name, value, limit and verdict of each point: in the reader's words, or in signs and words of the API."""
    lines: list[tuple[str, ...]] = []
    for one in read.results_of(web_context(), found):
        name = f"{one.section}: {said(one.name)}" if one.section else said(one.name)
        if told:
            value = words.value_words(one.value, one.answer or one.reason, one.unit)
            lines.append((name, value, words.limit_words(one) or "-", words.level(one.verdict).label))
        else:
            value = f"{_figure(one.value)} {one.unit}".strip() if one.value is not None else one.answer or one.reason
            lines.append((name, value or "-", _signs(one) or "-", one.verdict))
    return lines


def _signs(one: ResultView) -> str:
    """Return the nearest limits of a result in signs: what is normal."""
    limits = one.bounds
    low = limits.warn_low if limits.warn_low is not None else limits.danger_low
    high = limits.warn_high if limits.warn_high is not None else limits.danger_high
    parts = (f"> {_figure(low)}" if low is not None else "", f"< {_figure(high)}" if high is not None else "")
    return ", ".join(filter(None, parts))


def _signatures(found: InspectionView, *, told: bool) -> list[tuple[str, str]]:
    lines = [(N_("Signed by"), found.signed_by or "-")]
    if found.countersigned_at is not None:
        zone = zone_of_site(found.site)
        at = localtime(found.countersigned_at, "full", zone) if told else iso(found.countersigned_at)
        lines.append((N_("Countersigned by"), f"{found.countersigned_by}, {at}"))
    return lines


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
