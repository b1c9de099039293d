"""Work orders for automation (API contract, work orders)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.inputs.response_models import array, shape
from console.inputs.work_orders import (
    AckIn,
    CompletionIn,
    EventsQuery,
    HoldIn,
    NoteIn,
    OrderCommentIn,
    OrderIn,
    OrderPatchIn,
    OrderPath,
    OrdersQuery,
    ReasonIn,
)
from console.services.work_orders import actions, create, edit, events, holds, lists, rows
from console.services.work_orders.events import WorkOrderEventView
from console.services.work_orders.holds import HoldView
from console.services.work_orders.rows import READ, WRITE, WorkOrderView
from console.ui.idempotent import idempotent
from console.ui.responses import answer
from console.ui.slices import slice_headers
from console.web.api_blueprint import ApiBlueprint
from console.web.etags import if_match
from console.web.request import access, web_context

api = ApiBlueprint("work_orders_api", __name__, abp_tags=[Tag(name="work orders", description="What has to be done")])
ORDERS, ORDER = "/api/work-orders", "/api/work-orders/<work_order_id>"
OrderOut, EventOut = shape(WorkOrderView, "WorkOrderOut"), shape(WorkOrderEventView, "WorkOrderEventOut")
HoldOut = shape(HoldView, "WorkOrderHoldOut")
OrderList, EventList = array(OrderOut, "WorkOrderList"), array(EventOut, "WorkOrderEventList")
HoldList = array(HoldOut, "WorkOrderHoldList")


@api.post(ORDERS, responses={201: OrderOut})
@access(WRITE)
@idempotent
def create_order(body: OrderIn) -> Response:
    """Add an order; without `due_at` the SLA policy of its site gives one. Takes an `Idempotency-Key`."""
    return _order(create.create(web_context(), body.new()), status=201)


@api.get(ORDERS, responses={200: OrderList})
@access(READ)
def list_orders(query: OrdersQuery) -> Response:
    """Return orders, newest first; `X-Total-Count` says how many match, `Link` and `X-Next-Cursor` lead on."""
    wanted = asked(**query.model_dump())
    found = lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset, cursor=query.cursor)
    return answer(found.orders, OrderOut, headers=slice_headers(found.total, cursor=found.next_cursor))


@api.get(ORDER, responses={200: OrderOut})
@access(READ)
def get_order(path: OrderPath) -> Response:
    """Return one order; its `ETag` is the version that `If-Match` takes."""
    ctx = web_context()
    ctx.actor.require(READ)
    return _order(rows.load(ctx, path.work_order_id, ctx.now()))


@api.patch(ORDER, responses={200: OrderOut})
@access(WRITE)
def change_order(path: OrderPath, body: OrderPatchIn) -> Response:
    """Change an open order; with `If-Match` or `version` only if nobody else changed it meanwhile (412, 409)."""
    made = edit.change(web_context(), path.work_order_id, body.change(), version=body.version, if_match=if_match())
    return _order(made)


@api.patch(f"{ORDER}/ack", responses={200: OrderOut})
@access(WRITE)
def acknowledge_order(path: OrderPath, body: AckIn) -> Response:
    """Begin an open order."""
    return _order(actions.acknowledge(web_context(), path.work_order_id, body.assignee))


@api.patch(f"{ORDER}/complete", responses={200: OrderOut})
@access(WRITE)
def complete_order(path: OrderPath, body: CompletionIn) -> Response:
    """Complete an open order; a completed one is answered as it is."""
    return _order(actions.complete(web_context(), path.work_order_id, body.resolution_notes))


@api.patch(f"{ORDER}/cancel", responses={200: OrderOut})
@access(WRITE)
def cancel_order(path: OrderPath, body: ReasonIn) -> Response:
    """Cancel an open order."""
    return _order(actions.cancel(web_context(), path.work_order_id, body.reason))


@api.patch(f"{ORDER}/reopen", responses={200: OrderOut})
@access(WRITE)
def reopen_order(path: OrderPath, body: ReasonIn) -> Response:
    """Open a closed order again; the SLA policy gives it a new due date."""
    return _order(actions.reopen(web_context(), path.work_order_id, body.reason))


@api.post(f"{ORDER}/claim", responses={200: OrderOut})
@access(WRITE)
def claim_order(path: OrderPath) -> Response:
    """Take an open order that is nobody's; 409 when somebody was faster."""
    return _order(actions.claim(web_context(), path.work_order_id))


@api.post(f"{ORDER}/hold", responses={200: OrderOut})
@access(WRITE)
def hold_order(path: OrderPath, body: HoldIn) -> Response:
    """Let an order in progress wait; status and due date stay as they are."""
    return _order(holds.hold(web_context(), path.work_order_id, body.reason, body.note, body.until))


@api.post(f"{ORDER}/resume", responses={200: OrderOut})
@access(WRITE)
def resume_order(path: OrderPath, body: NoteIn) -> Response:
    """End the waiting of an order."""
    return _order(holds.resume(web_context(), path.work_order_id, body.note))


@api.get(f"{ORDER}/holds", responses={200: HoldList})
@access(READ)
def order_holds(path: OrderPath) -> Response:
    """Return the times at which an order waited, oldest first."""
    return answer(list(holds.listed(web_context(), path.work_order_id)), HoldOut)


@api.post(f"{ORDER}/comments", responses={201: EventOut})
@access(WRITE)
@idempotent
def comment_order(path: OrderPath, body: OrderCommentIn) -> Response:
    """Add a comment, in any status. Takes an `Idempotency-Key`."""
    return answer(events.comment(web_context(), path.work_order_id, body.comment), EventOut, status=201)


@api.get(f"{ORDER}/events", responses={200: EventList})
@access(READ)
def order_events(path: OrderPath, query: EventsQuery) -> Response:
    """Return the history of an order, oldest first; the total is in `X-Total-Count`."""
    found, total = events.listed(web_context(), path.work_order_id, limit=query.limit, offset=query.offset)
    following = query.offset + query.limit if query.offset + len(found) < total else None
    return answer(list(found), EventOut, headers=slice_headers(total, offset=following))


def _order(made: WorkOrderView, *, status: int = 200) -> Response:
    return answer(made, OrderOut, status=status, headers={"ETag": f'"{made.version}"'})
