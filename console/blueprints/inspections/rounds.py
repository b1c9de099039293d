"""Rounds on the phone: what can be begun, the sheet of one, and the door that takes it. They work without a signal.

The worker of `worker_js` opens a sheet that was opened once from the shell of `shell`, which holds nothing of a person
or a site: sheets and answers are in the database of the browser, bound to whoever was signed in.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import ValidationError

from console.blueprints.inspections import round_form
from console.blueprints.inspections.round_form import Read
from console.core.context import Context
from console.core.serialize import iso
from console.domain.errors import Conflict, Invalid
from console.domain.ids import number_in
from console.domain.inspections.points import UNMEASURED_REASONS
from console.domain.inspections.signature import HEIGHT, WIDTH
from console.inputs.inspections import InspectionIn
from console.services.identity import sites
from console.services.inspections import create, rounds, templates
from console.services.inspections.rounds import Sheet
from console.services.inspections.rows import WRITE, InspectionView
from console.ui.errors import validation_detail
from console.ui.frame import frame, leave_toast
from console.ui.labels import rounds as words
from console.ui.labels.inspections import bounds_words
from console.ui.labels.work_orders import PRIORITY
from console.ui.responses import answer
from console.web.assets import DIST, manifest
from console.web.request import abandon, access, current_actor, web_context

pages = Blueprint("rounds", __name__)
pages.app_template_filter("bounds_words")(bounds_words)
pages.app_template_global("round_rule")(round_form.rule_of)
WORKER = "js/roundworker.js"
ORDERS = "work_orders:write"
# The worker asks for what the page asks for, and for nothing else.
WORKER_POLICY = "default-src 'none'; connect-src 'self'"


@pages.get("/inspections/rounds")
@access(WRITE)
def page() -> str:
    """Show what can be begun at a site, and what this phone has kept."""
    ctx = web_context()
    names = sites.names(ctx)
    site = frame().site or (names[0] if len(names) == 1 else None)
    return render_template(
        "inspections/rounds.html",
        names=names,
        site=site,
        offers=rounds.offers(ctx, site) if site else [],
        asset=_asset(),
        texts=words.texts(),
    )


@pages.get("/inspections/rounds/<int:template_id>")
@access(WRITE)
def sheet(template_id: int) -> ResponseReturnValue:
    """Show the sheet of a round, point by point on a phone; without a site the page where one is chosen."""
    ctx = web_context()
    site = request.args.get("site", "") or _only_site(ctx, template_id)
    if not site:
        return redirect(url_for("rounds.page"), 303)
    return _sheet(ctx, rounds.sheet(ctx, template_id, site, request.args.get("location", ""), _asset()))


def _asset() -> int | None:
    return number_in(request.args.get("asset", "")) or None


def _only_site(ctx: Context, template_id: int) -> str:
    found = templates.get(ctx, template_id)
    names = sites.names(ctx)
    return found.site or (names[0] if len(names) == 1 else "")


def _sheet(ctx: Context, found: Sheet, sent: Read | None = None, errors: dict[str, str] | None = None) -> Response:
    address = url_for(
        "rounds.sheet", template_id=found.template.id, site=found.site, location=found.location, asset=found.asset_id
    )
    inspector = _inspector()
    wrong = {**(sent.errors if sent else {}), **(errors or {})}
    made = render_template(
        "inspections/round.html",
        sheet=found,
        facts=round_form.facts_of(ctx, found, inspector, address),
        address=address,
        inspector=inspector,
        may_order=ctx.actor.can(ORDERS),
        priorities=[(word, _(shown.label)) for word, shown in PRIORITY.items()],
        reasons=[(word, _(label)) for word, label in UNMEASURED_REASONS],
        box=(WIDTH, HEIGHT),
        texts=words.texts(),
        kept=request.form if sent else {},
        errors=wrong,
        doubts=sent.doubts if sent else {},
    )
    return make_response(made, 422 if sent else 200)


def _inspector() -> str:
    actor = current_actor()
    return actor.display_name or actor.username


@pages.post("/inspections/rounds/<int:template_id>")
@access(WRITE)
def send(template_id: int) -> ResponseReturnValue:
    """Take a round: of a plain form, or what the script kept, with its key; then the answer is JSON."""
    ctx = web_context()
    form = request.form
    asked = rounds.sheet(ctx, template_id, request.args.get("site", ""), request.args.get("location", ""), _asset())
    sent = round_form.read(form, asked, _inspector(), iso(ctx.now()) or "")
    wrong = sent.errors or sent.doubts
    errors: dict[str, str] = {}
    if not wrong:
        try:
            stored = create.create(ctx, _body(sent).new())
        except (Invalid, Conflict) as refusal:
            errors = round_form.blamed(refusal)
        else:
            return _taken(stored)
    abandon()
    if _by_script():
        return answer({"errors": {**sent.errors, **errors}}, status=422)
    return _sheet(web_context(), asked, sent, errors)


def _body(sent: Read) -> InspectionIn:
    try:
        return InspectionIn.model_validate(sent.body)
    except ValidationError as error:
        detail = validation_detail(error, "body")
        for part in detail:
            where: list[Any] = part["loc"]
            # The place in the list says nothing to a reader; the code of the point does.
            if len(where) > 2 and where[1] in ("results", "orders") and isinstance(where[2], int):
                part["loc"] = [*where[:2], sent.body[where[1]][where[2]]["code"]]
        raise Invalid(detail) from error


def _by_script() -> bool:
    return bool(request.accept_mimetypes.best == "application/json")


def _taken(stored: InspectionView) -> ResponseReturnValue:
    address = url_for("inspections.detail", inspection_id=stored.id)
    if _by_script():
        told = {"id": stored.id, "address": address, "risk_level": stored.risk_level, "twin_of": stored.twin_of}
        return answer(told, status=201)
    leave_toast(_("The round is stored"))
    return redirect(address, 303)


@pages.get("/inspections/rounds/shell")
@access(public=True)
def shell() -> Response:
    """Return the page that stands for all sheets when there is no signal; the same for everybody."""
    return make_response(render_template("inspections/round_shell.html", texts=words.texts()))


@pages.get("/inspections/round-worker.js")
@access(public=True)
def worker_js() -> Response:
    """Return the worker that opens sheets without a signal; its address bounds it to the rounds."""
    text = (DIST / manifest()[WORKER]).read_text(encoding="utf-8")
    response = Response(text, mimetype="text/javascript")
    response.headers["Content-Security-Policy"] = WORKER_POLICY
    # A browser looks for a newer one now and then; it must find it.
    response.headers["Cache-Control"] = "no-cache"
    return response
