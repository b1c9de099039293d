"""How one order is shown, and how a step of a person ends: with the order, or with the order and the refusal."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.blueprints.work_orders.evidence_pages import panels_of
from console.core.context import Context
from console.domain.alerts.snooze import CHOICES
from console.domain.errors import Conflict, DomainError, Invalid
from console.services.assets import lists as asset_lists
from console.services.assets.rows import READ as ASSETS
from console.services.work_orders import clock, events, holds, repeats, rows, rules, snooze, workers
from console.services.work_orders.lists import HOLD_LABELS, PRIORITY_LABELS
from console.services.work_orders.rows import READ, WRITE, WorkOrderView
from console.ui.errors import words_of
from console.ui.frame import leave_toast
from console.ui.labels.common import choices
from console.ui.reader import zone_at
from console.ui.responses import vary
from console.web.request import abandon, current_actor, web_context

EVENTS_SHOWN = 100


def shown(order_id: int, *, refusal: DomainError | None = None) -> Response:
    """Return the page of an order, with the refusal of a step and what was written in it."""
    ctx = web_context()
    ctx.actor.require(READ)
    found = rows.load(ctx, order_id, ctx.now())
    told, total = events.listed(ctx, order_id, limit=EVENTS_SHOWN, newest=True)
    waited = holds.listed(ctx, order_id)
    editable = current_actor().can(WRITE)
    page_made = render_template(
        "work_orders/order.html",
        order=found,
        needs=rules.needs(ctx, found),
        events=told,
        event_count=total,
        panels=panels_of(ctx, order_id),
        sla=clock.of_order(ctx, found, waited),
        editable=editable,
        reasons=choices(HOLD_LABELS),
        priorities=choices(PRIORITY_LABELS),
        people=workers.of_site(ctx, found.site) if editable else (),
        due_value=_local(found),
        again=repeats.of_order(ctx, found),
        snooze=snooze.standing(ctx, found),
        times=choices(CHOICES),
        assets=asset_lists.offered(ctx, found.site) if editable and ctx.actor.can(ASSETS) else None,
        refusal=words_of(refusal) if refusal else None,
        kept=request.form if refusal else {},
        opened=request.path.rsplit("/", 1)[-1] if isinstance(refusal, Invalid) else None,
    )
    return vary(make_response(page_made, 200 if refusal is None else refusal.status))


def _local(order: WorkOrderView) -> str:
    """Return the due date as a field for a local time has it, in the zone of the site."""
    assert order.due_at is not None
    return order.due_at.astimezone(zone_at(order.site)).strftime("%Y-%m-%dT%H:%M")


def do(order_id: int, act: Callable[[Context], WorkOrderView], said: str) -> ResponseReturnValue:
    """Carry out one step of a person and lead back to the order; a refusal shows the order with what was written."""
    try:
        act(web_context())
    except (Conflict, Invalid) as refusal:
        abandon()
        return shown(order_id, refusal=refusal)
    leave_toast(said)
    return redirect(url_for("work_orders.order", order_id=order_id), 303)
