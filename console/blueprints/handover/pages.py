"""The pages of handovers: what a site hands over now, one handover line by line, and those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.handover import view
from console.core.context import Context
from console.core.serialize import iso
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.handover import lines as rules
from console.domain.handover.requests import BriefAsked
from console.domain.ids import number_in
from console.domain.text import N_
from console.services.common.figures import counted
from console.services.handover import changes, exports, lists, shifts
from console.services.handover import figures as own
from console.services.handover.shifts import READ, WRITE, HandoverView
from console.services.identity import sites
from console.services.identity.names import names_of
from console.services.inspections import figures as of_inspections
from console.services.work_orders import figures as of_orders
from console.services.work_orders import workers
from console.ui.errors import words_of
from console.ui.figures import rows_url
from console.ui.frame import frame, leave_toast
from console.ui.labels.common import Word
from console.ui.labels.handover import DEADLINES, KINDS, STATES
from console.ui.lists import list_download, list_page
from console.ui.navigation import NavItem
from console.ui.reader import locale, zone_of_site
from console.ui.responses import download, file_stamp, vary
from console.web.request import abandon, access, current_actor, web_context

pages = Blueprint("handover", __name__)
NAV = NavItem("facility", 40, "handover.page", N_("Handover"), "transfer-vertical", permission=READ)
for _name in ("line_due", "line_facts", "line_title", "line_url"):
    pages.add_app_template_global(getattr(view, _name), _name)


@pages.app_template_filter()
def line_kind(kind: str) -> Word:
    """Return how a kind of line is shown."""
    return KINDS[kind]


@pages.app_template_filter()
def handover_state(state: str) -> Word:
    """Return how a state of a handover is shown."""
    return STATES[state]


@pages.get("/handover")
@access(READ)
def page() -> ResponseReturnValue:
    """Show what a site hands over now; a handover that waits for the reader comes first."""
    ctx = web_context()
    names = sites.names(ctx)
    site = frame().site or (names[0] if len(names) == 1 else None)
    waiting = shifts.open_ones(ctx, site)
    if site is None:
        people = names_of(ctx, [one.given_by for one in waiting])
        return render_template("handover/sites.html", names=names, waiting=waiting, people=people)
    for_me = [one for one in waiting if one.given_by != ctx.actor.username]
    if for_me and "next" not in request.args and ctx.actor.can(WRITE):
        return redirect(url_for("handover.one", handover_id=for_me[0].id, site=site), 303)
    return _preview(ctx, site, waiting)


def _preview(
    ctx: Context, site: str, waiting: tuple[HandoverView, ...], refusal: DomainError | None = None
) -> Response:
    found = shifts.preview(ctx, site)
    people = [one for one in workers.of_site(ctx, site) if one[0] != ctx.actor.username]
    page_made = render_template(
        "handover/page.html",
        data=found,
        waiting=waiting,
        asked=shifts.asked_counts(ctx, [one.id for one in waiting]),
        people=people,
        deadlines=[(str(minutes), _(label)) for minutes, label in DEADLINES.items()],
        refusal=words_of(refusal) if refusal else None,
        kept=request.form if refusal else {},
        **_beside(ctx, site, iso(found.since_at)),
    )
    return vary(make_response(page_made, 200 if refusal is None else refusal.status))


def _beside(ctx: Context, site: str, since: str) -> dict[str, Any]:
    """Return what stands beside the lines of a site: its numbers, the last handovers, the papers."""
    numbers = [
        counted(ctx, one, site, since=since)
        for one in (of_orders.OPEN, of_orders.LATE, of_orders.SOON, of_orders.NEW, of_inspections.RISKY)
    ]
    past = [counted(ctx, one, site, **own.given(ctx.now())) for one in (own.ACCEPTED, own.IN_TIME, own.TOO_LATE)]
    return {
        "numbers": [(one, rows_url(one)) for one in numbers if one],
        "past_figures": [(one, rows_url(one)) for one in past if one],
        "past": shifts.past(ctx, site),
        "editable": current_actor().can(WRITE),
        "zone": zone_of_site(site),
        "site": site,
    }


@pages.get("/handover/<int:handover_id>")
@access(READ)
def one(handover_id: int) -> Response:
    """Show one handover line by line."""
    return _one(handover_id)


def _one(handover_id: int, refusal: DomainError | None = None) -> Response:
    ctx = web_context()
    found = shifts.shown(ctx, handover_id)
    told = found.handover
    page_made = render_template(
        "handover/one.html",
        data=found,
        mine=told.given_by == ctx.actor.username,
        refusal=words_of(refusal) if refusal else None,
        kept=_kept() if refusal else {},
        **_beside(ctx, told.site, iso(told.since_at)),
    )
    return vary(make_response(page_made, 200 if refusal is None else refusal.status))


def _kept() -> dict[str, str]:
    """Return what was written in the form that was refused, under the name of its field and the line it belongs to."""
    line = (request.view_args or {}).get("line_id")
    return {f"{key}-{line}" if line else key: text for key, text in request.form.items()}


def _do(handover_id: int, act: Callable[[Context], object], said: str, anchor: str = "") -> ResponseReturnValue:
    """Carry out one step of a person and lead back to the handover; a refusal shows it with what was written."""
    try:
        act(web_context())
    except (Conflict, Invalid) as refusal:
        abandon()
        return _one(handover_id, refusal)
    leave_toast(said)
    return redirect(url_for("handover.one", handover_id=handover_id, _anchor=anchor or None), 303)


@pages.post("/handover/give")
@access(WRITE)
def give() -> ResponseReturnValue:
    """Hand over what a site has now."""
    ctx = web_context()
    site = request.form.get("site", "").strip()
    try:
        made = changes.give(
            ctx,
            site,
            number_in(request.form.get("previous", "")) or 0,
            taker=request.form.get("taker", "").strip() or None,
            deadline_minutes=number_in(request.form.get("deadline", "")) or rules.DEFAULT_DEADLINE,
        )
    except (Conflict, Invalid) as refusal:
        abandon()
        again = web_context()
        return _preview(again, site, shifts.open_ones(again, site), refusal)
    leave_toast(_("Handed over: somebody has to confirm the lines now"))
    return redirect(url_for("handover.one", handover_id=made.id), 303)


@pages.post("/handover/notes")
@access(WRITE)
def note() -> ResponseReturnValue:
    """Write a note for the next shift, of a site or of a handover that waits."""
    site, number = request.form.get("site", "").strip(), number_in(request.form.get("handover", ""))
    text = request.form.get("note", "")
    if number:
        return _do(number, lambda ctx: changes.add_note(ctx, site, text, number), _("The note goes along"))
    try:
        changes.add_note(web_context(), site, text)
    except Invalid as refusal:
        abandon()
        again = web_context()
        return _preview(again, site, shifts.open_ones(again, site), refusal)
    leave_toast(_("The note goes along"))
    return redirect(url_for("handover.page", site=site, next=1), 303)


@pages.post("/handover/<int:handover_id>/lines/<int:line_id>/confirm")
@access(WRITE)
def confirm(handover_id: int, line_id: int) -> ResponseReturnValue:
    """Confirm a line."""
    return _do(
        handover_id,
        lambda ctx: changes.confirm(ctx, handover_id, line_id),
        _("The line is confirmed"),
        anchor=f"line-{line_id}",
    )


@pages.post("/handover/<int:handover_id>/lines/<int:line_id>/ask")
@access(WRITE)
def ask(handover_id: int, line_id: int) -> ResponseReturnValue:
    """Ask back about a line."""
    text = request.form.get("question", "")
    return _do(
        handover_id,
        lambda ctx: changes.ask(ctx, handover_id, line_id, text),
        _("The question was asked"),
        anchor=f"line-{line_id}",
    )


@pages.post("/handover/<int:handover_id>/lines/<int:line_id>/answer")
@access(WRITE)
def answer(handover_id: int, line_id: int) -> ResponseReturnValue:
    """Answer the question about a line."""
    text = request.form.get("answer", "")
    return _do(
        handover_id,
        lambda ctx: changes.answer(ctx, handover_id, line_id, text),
        _("The answer was given"),
        anchor=f"line-{line_id}",
    )


@pages.post("/handover/<int:handover_id>/accept")
@access(WRITE)
def accept(handover_id: int) -> ResponseReturnValue:
    """Accept a handover whose lines are all confirmed."""
    return _do(handover_id, lambda ctx: changes.accept(ctx, handover_id), _("The shift is taken over"))


@pages.get("/handover/list")
@access(READ)
def listing() -> Response:
    """Show all handovers, the newest first."""
    return list_page(lists.HANDOVERS, fragment="handover.handovers", page="handover/list.html")


@pages.get("/handover/list/csv")
@access(READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the handovers of the list as CSV."""
    return list_download(lists.HANDOVERS, "handovers.csv")


def _asked() -> BriefAsked:
    return BriefAsked(site=request.args.get("site", "").strip() or None)


@pages.get("/handover/brief.csv")
@access(READ, writes=True, rate="auth-heavy")
def brief_csv() -> Response:
    """Return the published brief of a site as CSV, for Excel."""
    ctx, asked = web_context(), _asked()
    stamp = file_stamp(ctx.now())
    return download(exports.exported(ctx, asked, stamp, bom=True), exports.file_name(asked, stamp, "csv"))


@pages.get("/handover/brief.pdf")
@access(READ, writes=True, rate="auth-heavy")
def brief_pdf() -> Response:
    """Return the brief of a site as PDF in the reader's language and the site's time."""
    ctx, asked = web_context(), _asked()
    stamp = file_stamp(ctx.now())
    body = exports.drawn(ctx, asked, stamp, locale(), ZoneInfo(zone_of_site(asked.site)))
    return download(body, exports.file_name(asked, stamp, "pdf"), "application/pdf")
