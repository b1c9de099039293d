"""Putting off the reminders of an order, for people and programs."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.work_orders.view import do
from console.core.context import Context
from console.domain.alerts.snooze import REASON_MOST, until_of
from console.inputs.response_models import array, shape
from console.inputs.snoozes import SnoozeIn
from console.inputs.work_orders import OrderPath
from console.services.common.snoozes import SnoozeView
from console.services.work_orders import rows, snooze
from console.services.work_orders.rows import READ, WRITE, WorkOrderView
from console.ui.reader import zone_at
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint(
    "work_order_snoozes_api", __name__, abp_tags=[Tag(name="work orders", description="What has to be done")]
)
pages = Blueprint("work_order_snoozes", __name__)
ORDER = "/api/work-orders/<work_order_id>"
SnoozeOut = shape(SnoozeView, "SnoozeOut")
SnoozeList = array(SnoozeOut, "SnoozeList")


@api.post(f"{ORDER}/snooze", responses={201: SnoozeOut})
@access(WRITE)
def snooze_order(path: OrderPath, body: SnoozeIn) -> Response:
    """Put the reminders of an open order off; its clock, its state and its figures go on. 409 while one lasts."""
    made = snooze.begin(web_context(), path.work_order_id, body.until, body.reason)
    return answer(made, SnoozeOut, status=201)


@api.post(f"{ORDER}/snooze/end", responses={200: SnoozeOut})
@access(WRITE)
def end_snooze_of_order(path: OrderPath) -> Response:
    """Let the reminders of an order out again; 409 when none are put off."""
    return answer(snooze.finish(web_context(), path.work_order_id), SnoozeOut)


@api.get(f"{ORDER}/snoozes", responses={200: SnoozeList})
@access(READ)
def order_snoozes(path: OrderPath) -> Response:
    """Return when the reminders of an order were put off, newest first."""
    return answer(list(snooze.listed(web_context(), path.work_order_id)), SnoozeOut)


@pages.post("/work-orders/<int:order_id>/snooze")
@access(WRITE)
def begin(order_id: int) -> ResponseReturnValue:
    """Put the reminders of an order off, with the reason."""

    def act(ctx: Context) -> WorkOrderView:
        order = rows.load(ctx, order_id, ctx.now())
        until = until_of(request.form.get("for", ""), ctx.now(), zone_at(order.site))
        snooze.begin(ctx, order_id, until, request.form.get("reason", "")[:REASON_MOST])
        return order

    return do(order_id, act, _("Nobody is reminded of it until then"))


@pages.post("/work-orders/<int:order_id>/snooze/end")
@access(WRITE)
def finish(order_id: int) -> ResponseReturnValue:
    """Let the reminders of an order out again."""

    def act(ctx: Context) -> WorkOrderView:
        snooze.finish(ctx, order_id)
        return rows.load(ctx, order_id, ctx.now())

    return do(order_id, act, _("Reminders go out again"))
