"""What people write down and change beside the state of an order: a new one, its fields, its times of waiting."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.blueprints.work_orders.view import do
from console.core.context import Context
from console.domain.errors import BadRequest, Conflict, DomainError, Invalid
from console.domain.ids import number_in
from console.domain.text import T
from console.domain.work_orders.requests import NewOrder, OrderChange
from console.domain.work_orders.words import HOLD_REASONS
from console.inputs.work_orders import PriorityWord, TradeWord
from console.services.assets import lists as asset_lists
from console.services.assets import rows as asset_rows
from console.services.identity import names, sites
from console.services.work_orders import create, edit, holds, repeats, rows, workers
from console.services.work_orders.lists import PRIORITY_LABELS, TRADE_LABELS
from console.services.work_orders.rows import WRITE, WorkOrderView
from console.ui.errors import words_of
from console.ui.frame import frame, leave_toast
from console.ui.labels.common import choices
from console.ui.reader import zone_at
from console.ui.responses import vary
from console.ui.times import typed_instant
from console.web.negotiation import wants_fragment
from console.web.request import abandon, access, web_context

pages = Blueprint("work_order_changes", __name__)
FIELDS = (
    *("title", "site", "location", "description", "priority", "trade", "assignee", "reporter", "due_at"),
    *("inspection_id", "asset"),
)
_REFUSED = (BadRequest, Conflict, Invalid)


@pages.get("/work-orders/new")
@access(WRITE)
def new() -> Response:
    """Show the form of a new order; in part what follows from the site, asset and trade that are chosen in it."""
    values = {"site": frame().site or "", **request.args.to_dict()}
    if wants_fragment():
        beside = _beside(values["site"], values.get("asset", "").strip(), values.get("trade", ""))
        chosen = {"values": values, "people": _people(web_context(), values["site"]), "errors": {}}
        return vary(make_response(render_template("work_orders/_asset.html", **beside, **chosen, beside=True)))
    return vary(make_response(_form(values)))


@pages.post("/work-orders/new")
@access(WRITE)
def add() -> ResponseReturnValue:
    """Add an order and lead to it; a refusal keeps what was written."""
    ctx = web_context()
    try:
        made = create.create(ctx, _new())
    except _REFUSED as refusal:
        abandon()
        page = _form(request.form.to_dict(), refusal)
        return vary(make_response(page, refusal.status))
    leave_toast(_("Work order #%(id)s was added", id=made.id))
    return redirect(url_for("work_orders.order", order_id=made.id), 303)


def _new() -> NewOrder:
    title, site = _sent("title", 200), _sent("site", 120)
    if not title:
        raise Invalid.field("title", T("A work order needs a title"))
    if not site:
        raise Invalid.field("site", T("A work order needs a site"))
    inspection = number_in(_sent("inspection_id", 10)) or None
    return NewOrder(
        title=title,
        site=site,
        location=_sent("location", 120),
        description=_sent("description", 20_000),
        priority=_word("priority", get_args(PriorityWord), "medium"),
        trade=_word("trade", get_args(TradeWord), "other"),
        assignee=_worker(site),
        reporter=_sent("reporter", 80) or None,
        due_at=_instant("due_at", site),
        inspection_id=inspection,
        asset_id=_asset(site),
        source="manual" if inspection is None else "inspection",
    )


def _worker(site: str) -> str | None:
    """Return who is to do it; raises Invalid for somebody who could not even see it."""
    ctx, username = web_context(), _sent("assignee", 80)
    people = workers.of_site(ctx, site) if username and ctx.actor.sees(site) else ()
    if people and username not in dict(people):
        name = names.name_of(ctx, username)
        raise Invalid.field("assignee", T("%(name)s does not see %(site)s", name=name, site=site))
    return username or None


def _asset(site: str) -> int | None:
    """Return the asset whose code the form names; raises Invalid for a code that its site does not have."""
    code = _sent("asset", 40)
    return asset_lists.named(web_context(), site, code) if code else None


def _beside(site: str, code: str, trade: str) -> dict[str, Any]:
    ctx = web_context()
    known = asset_lists.offered(ctx, site) if site else []
    chosen = asset_lists.id_of(ctx, site, code) if code and known else None
    again = repeats.of_next(ctx, chosen, trade or "other") if chosen is not None else None
    return {"assets": known, "again": again}


def _form(values: dict[str, Any], refusal: DomainError | None = None) -> str:
    ctx = web_context()
    known = [name for name in sites.names(ctx) if ctx.actor.sees(name)]
    site = values.get("site") or (known[0] if len(known) == 1 else "")
    told = words_of(refusal) if refusal else None
    return render_template(
        "work_orders/new.html",
        values={**dict.fromkeys(FIELDS, ""), **values, "site": site},
        sites=known,
        people=_people(ctx, site),
        priorities=choices(PRIORITY_LABELS),
        trades=choices(TRADE_LABELS),
        refusal=told,
        errors={_blamed(refusal): told} if refusal else {},
        may_choose=ctx.actor.can(asset_rows.READ),
        beside=False,
        **_beside(site, values.get("asset", ""), values.get("trade", "")),
    )


def _people(ctx: Context, site: str) -> tuple[tuple[str, str], ...]:
    """Return who can be given an order of a site; before one is chosen, of any site that the caller sees."""
    if site:
        return workers.of_site(ctx, site) if ctx.actor.sees(site) else ()
    seen = {name: 1 for name in sites.names(ctx) if ctx.actor.sees(name)}
    return tuple((username, name) for username, name, _number in workers.of_sites(ctx, seen))


def _blamed(refusal: DomainError) -> str:
    """Return the field that a refusal blames, empty when it blames none."""
    found = refusal.detail
    return str(found[0]["loc"][-1]) if isinstance(found, list) and found else ""


@pages.post("/work-orders/<int:order_id>/edit")
@access(WRITE)
def change(order_id: int) -> ResponseReturnValue:
    """Change assignee, priority or due date, with a reason where one is needed."""

    def act(ctx: Context) -> WorkOrderView:
        order = rows.load(ctx, order_id, ctx.now())
        wanted = OrderChange(
            assignee=_sent("assignee", 80) if "assignee" in request.form else None,
            priority=_word("priority", get_args(PriorityWord), order.priority),
            due_at=_moved(order),
            asset_id=(_asset(order.site) or 0) if "asset" in request.form else None,
            reason=_sent("reason", 1000),
        )
        version = number_in(_sent("version", 9))
        return edit.change(ctx, order_id, wanted, version=version)

    return do(order_id, act, _("The work order was changed"))


def _moved(order: WorkOrderView) -> datetime | None:
    """Return the due date of the form if it is another minute than the stored one."""
    wanted = _instant("due_at", order.site)
    if wanted is None or order.due_at is None:
        return None
    return None if wanted == order.due_at.replace(second=0, microsecond=0) else wanted


@pages.post("/work-orders/<int:order_id>/hold")
@access(WRITE)
def hold(order_id: int) -> ResponseReturnValue:
    """Let an order wait, with the reason and until when."""

    def act(ctx: Context) -> WorkOrderView:
        order = rows.load(ctx, order_id, ctx.now())
        reason = _word("reason", HOLD_REASONS, HOLD_REASONS[0])
        return holds.hold(ctx, order_id, reason, _sent("note", 2000), _instant("until", order.site))

    return do(order_id, act, _("The work order waits"))


@pages.post("/work-orders/<int:order_id>/resume")
@access(WRITE)
def resume(order_id: int) -> ResponseReturnValue:
    """Take an order up again."""
    return do(order_id, lambda ctx: holds.resume(ctx, order_id, _sent("note", 2000)), _("The work goes on"))


def _sent(name: str, most: int) -> str:
    return request.form.get(name, "").strip()[:most]


def _word(name: str, words: tuple[str, ...], otherwise: str) -> str:
    word = request.form.get(name) or otherwise
    if word not in words:
        raise Invalid.field(name, T("“%(word)s” is not a choice of “%(key)s”", word=word[:40], key=name))
    return word


def _instant(name: str, site: str) -> datetime | None:
    """Return what a field for a local time means in the zone of the site; raises Invalid when it means nothing."""
    return typed_instant(_sent(name, 30), zone_at(site), field=name)
