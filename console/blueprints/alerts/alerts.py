"""Alert deliveries: over the API (contract, alerts) and on the pages below /alerts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.core.listing import asked
from console.domain.alerts.alerts import SUCCESS, explained
from console.domain.alerts.events import WORDS
from console.domain.jobs import names as job_names
from console.domain.text import N_, Text
from console.inputs.alerts import (
    DeliveriesQuery,
    DeliveryPath,
    RetriesIn,
    RetriesOut,
)
from console.inputs.response_models import array, shape
from console.services.alerts import channels as alert_channels
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import figures, marks
from console.services.alerts import lists as alert_lists
from console.services.alerts import outbox as alerts
from console.services.alerts.lists import DELIVERIES
from console.services.identity.names import names_of
from console.services.jobs import registry
from console.ui import runs
from console.ui.frame import leave_toast
from console.ui.lists import list_download, list_page
from console.ui.navigation import tab
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, current_actor, web_context

api = ApiBlueprint("alerts_api", __name__, abp_tags=[Tag(name="alerts", description="Alert deliveries")])
pages = Blueprint("alerts", __name__)
DeliveryOut, DeliveryDetailOut = shape(alerts.Delivery), shape(alerts.Delivery, "DeliveryDetailOut", whole=True)
DeliveryList = array(DeliveryOut, "DeliveryList")
NAV = tab("alerts", 50, "alerts.page", N_("Deliveries"), ("alerts:read",))


@api.get("/api/ops/alerts/deliveries", responses={200: DeliveryList})
@access(*alerts.READ)
def deliveries(query: DeliveriesQuery) -> Response:
    """Return deliveries, newest attempt first."""
    wanted = asked(**query.model_dump())
    found = alert_lists.listed(web_context(), wanted, limit=query.limit, offset=query.offset)
    return answer(found.items, DeliveryOut, headers={"X-Total-Count": str(found.total)})


@api.get("/api/ops/alerts/deliveries/<delivery_id>", responses={200: DeliveryDetailOut})
@access(*alerts.READ)
def delivery(path: DeliveryPath) -> Response:
    """Return one delivery with its attempts."""
    return answer(alerts.get(web_context(), path.delivery_id), DeliveryDetailOut)


@api.post("/api/ops/alerts/deliveries/<delivery_id>/retry", responses={200: DeliveryOut})
@access(*alerts.WRITE)
def retry(path: DeliveryPath) -> Response:
    """Send a delivery once more, under the same message id, and tell what came of it; 409 when it was delivered."""
    return answer(_sent_again(path.delivery_id), DeliveryOut)


def _sent_again(delivery_id: int) -> alerts.Delivery:
    ctx = web_context()
    alerts.retry(ctx, delivery_id)
    # Sent outside of any transaction, as a worker does; if this process dies meanwhile, a worker will.
    ctx.commit()
    alert_delivery.deliver_now(ctx, delivery_id)
    return alerts.retried(ctx, delivery_id)


@api.post("/api/ops/alerts/retries/run", responses={200: RetriesOut})
@access(*alerts.WRITE)
def run_retries(body: RetriesIn) -> Response:
    """Try failed deliveries again and tell what came of it."""
    return runs.run_endpoint(job_names.ALERT_RETRY, body, RetriesOut)


@pages.app_template_filter()
def alert_event(event_type: str) -> str:
    """Return the message id of what an alert is about."""
    return WORDS.get(event_type, event_type)


@pages.app_template_filter()
def alert_error(error: str | None) -> Text | str:
    """Return what went wrong with an attempt, as a sentence that can be translated."""
    return explained(error) if error else "–"


@pages.app_template_filter()
def channel_name(key: str, target: str = "") -> str:
    """Return what people call a channel; one that is gone by the masked address that it had, never by its key."""
    if "channel_names" not in g:
        g.channel_names = figures.names_of(web_context())
    return str(g.channel_names.get(key) or target or _("A channel that is gone"))


@pages.get("/alerts")
@access(*alerts.READ)
def page() -> Response:
    """Show the deliveries."""
    return list_page(DELIVERIES, fragment="alerts.delivery_list", page="alerts/page.html", around=_page_data())


@pages.get("/alerts/csv")
@access(*alerts.READ, rate="auth-heavy")
def csv() -> Response:
    """Return exactly the deliveries of the list as CSV."""
    return list_download(DELIVERIES, "alerts.csv")


@pages.get("/alerts/<int:delivery_id>")
@access(*alerts.READ)
def detail(delivery_id: int) -> str:
    """Show one delivery with its attempts and its message."""
    ctx = web_context()
    found = alerts.get(ctx, delivery_id)
    mark = marks.of_delivery(ctx, delivery_id)
    people = names_of(ctx, (mark.marked_by,)) if mark else {}
    return render_template("alerts/delivery.html", delivery=found, may_retry=_may_retry(), mark=mark, people=people)


@pages.post("/alerts/<int:delivery_id>/false")
@access(*alerts.WRITE)
def mark_false_page(delivery_id: int) -> ResponseReturnValue:
    """Mark an alert as false, with a reason."""
    marks.mark_false(web_context(), delivery_id, request.form.get("reason", ""))
    leave_toast(_("The alert is marked as false; the next comparison counts it"))
    return redirect(url_for("alerts.detail", delivery_id=delivery_id), 303)


@pages.post("/alerts/<int:delivery_id>/retry")
@access(*alerts.WRITE)
def retry_page(delivery_id: int) -> ResponseReturnValue:
    """Send one delivery once more."""
    again = _sent_again(delivery_id)
    if again.status == SUCCESS:
        leave_toast(_("The alert was delivered"))
    else:
        leave_toast(_("The alert could not be delivered"), kind="error")
    return redirect(url_for("alerts.detail", delivery_id=delivery_id), 303)


@pages.post("/alerts/deliver")
@access(*alerts.WRITE)
def deliver() -> ResponseReturnValue:
    """Ask a worker to send what is due."""
    run = runs.ask(registry.get(job_names.ALERT_DELIVERY))
    return redirect(url_for("jobs.run", run_id=run.id), 303)


def _may_retry() -> bool:
    return any(current_actor().can(name) for name in alerts.WRITE)


def _page_data() -> dict[str, Any]:
    ctx = web_context()
    return {
        "outbox": alerts.outbox(ctx),
        # Of those that failed, trials are not sent again; of those that were held back, all are.
        "waiting": sum(figures.waiting(ctx).values()),
        "channels": alert_channels.seen(ctx),
        "may_retry": _may_retry(),
    }
