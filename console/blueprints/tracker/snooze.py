"""Putting off the reminders of an item of the remediation board, for people and programs."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_openapi3.models.tag import Tag

from console.blueprints.tracker.api import T
from console.blueprints.tracker.urls import BOARD
from console.blueprints.tracker.view import item_suffix, see_other
from console.core.context import Context
from console.domain.alerts.snooze import REASON_MOST, until_of
from console.domain.errors import Conflict, Invalid
from console.domain.tracker.tracker import REMEDIATION
from console.inputs.response_models import array, shape
from console.inputs.snoozes import SnoozeIn
from console.inputs.tracker import ItemPath
from console.services.common.snoozes import SnoozeView
from console.services.tracker import items, snooze
from console.ui.errors import words_of
from console.ui.frame import leave_toast
from console.ui.reader import zone_at
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import abandon, access, web_context

api = ApiBlueprint(
    "item_snoozes_api", __name__, abp_tags=[Tag(name="remediation", description="What has to be done about the gate")]
)
pages = Blueprint("board_snoozes", __name__)
READ, WRITE = REMEDIATION.read, REMEDIATION.write
ITEM = f"{T}/items/<tracker_item_id>"
SnoozeOut = shape(SnoozeView, "SnoozeOut")
SnoozeList = array(SnoozeOut, "SnoozeList")


@api.post(f"{ITEM}/snooze", responses={201: SnoozeOut})
@access(*WRITE, "governance:read")
def snooze_item(path: ItemPath, body: SnoozeIn) -> Response:
    """Put the reminders of an open item off; its state and deadline stay. 409 while they are put off already."""
    made = snooze.begin(web_context(), path.tracker_item_id, body.until, body.reason)
    return answer(made, SnoozeOut, status=201)


@api.post(f"{ITEM}/snooze/end", responses={200: SnoozeOut})
@access(*WRITE, "governance:read")
def end_snooze_of_item(path: ItemPath) -> Response:
    """Let the reminders of an item out again; 409 when none are put off."""
    return answer(snooze.finish(web_context(), path.tracker_item_id), SnoozeOut)


@api.get(f"{ITEM}/snoozes", responses={200: SnoozeList})
@access(*READ)
def item_snoozes(path: ItemPath) -> Response:
    """Return when the reminders of an item were put off, newest first."""
    return answer(list(snooze.listed(web_context(), path.tracker_item_id)), SnoozeOut)


@pages.post("/board/items/<int:item_id>/snooze")
@access(*WRITE, "governance:read")
def begin(item_id: int) -> ResponseReturnValue:
    """Put the reminders of an item off, with the reason."""

    def act(ctx: Context) -> SnoozeView:
        zone = zone_at(items.get(ctx, item_id).site)
        until = until_of(request.form.get("for", ""), ctx.now(), zone)
        return snooze.begin(ctx, item_id, until, request.form.get("reason", "")[:REASON_MOST])

    return _do(item_id, act, _("Nobody is reminded of it until then"))


@pages.post("/board/items/<int:item_id>/snooze/end")
@access(*WRITE, "governance:read")
def finish(item_id: int) -> ResponseReturnValue:
    """Let the reminders of an item out again."""
    return _do(item_id, lambda ctx: snooze.finish(ctx, item_id), _("Reminders go out again"))


def _do(item_id: int, act: Callable[[Context], SnoozeView], said: str) -> ResponseReturnValue:
    try:
        act(web_context())
    except (Conflict, Invalid) as refusal:
        abandon()
        leave_toast(words_of(refusal), kind="error")
    else:
        leave_toast(said)
    return see_other(BOARD.url("item", item_id=item_id) + item_suffix(BOARD))
