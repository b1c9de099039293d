"""One's own alerts for clients: addresses, choices, names in channels. Beside the other addresses of the account."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response
from flask_openapi3.models.tag import Tag

from console.domain.alerts.alerts import MAIL
from console.domain.errors import Invalid
from console.domain.text import T
from console.inputs.personal_alerts import (
    AddressIn,
    AddressPath,
    AddressPauseIn,
    ChannelNameIn,
    ChoicesIn,
    CodeIn,
)
from console.inputs.response_models import array, shape
from console.services.alerts import personal, personal_choices, personal_names, personal_trials
from console.services.alerts.guard import Trial
from console.services.alerts.personal import AddressView
from console.services.alerts.personal_choices import ChoicesView, Wish
from console.services.alerts.personal_names import NameView
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.credentials import own_transaction
from console.web.request import access, current_actor, web_context

A = "/api/auth/me/alerts"

api = ApiBlueprint(
    "own_alerts_api", __name__, abp_tags=[Tag(name="own alerts", description="What reaches the caller, and where")]
)


@dataclass(frozen=True)
class Own:
    """All that decides what reaches the caller."""

    addresses: tuple[AddressView, ...]
    choices: ChoicesView
    names: tuple[NameView, ...]


@dataclass(frozen=True)
class Sent:
    """What came of a code or a trial: `success` or `failed`, and the error."""

    status: str
    error: str | None


@dataclass(frozen=True)
class Removed:
    """An address that is gone."""

    id: int
    status: str = "removed"


OwnOut = shape(Own, "OwnAlertsOut")
AddressOut = shape(AddressView, "PersonalAddressOut")
ChoicesOut = shape(ChoicesView, "PersonalChoicesOut")
NameOut = shape(NameView, "PersonalNameOut")
NameList = array(NameOut, "PersonalNameList")
SentOut, RemovedOut = shape(Sent, "AddressSentOut"), shape(Removed, "AddressRemovedOut")


@api.get(A, responses={200: OwnOut})
@access()
def own_alerts() -> Response:
    """Return the caller's addresses without what is secret in them, their choices, and their names in channels."""
    ctx = web_context()
    choices = personal_choices.own(ctx)
    return answer(Own(personal.list_own(ctx), choices, personal_names.list_own(ctx)), OwnOut)


@api.post(f"{A}/addresses", responses={201: AddressOut})
@access()
def add_address(body: AddressIn) -> Response:
    """Keep a new address; a code goes to a mail address, which confirms it."""
    ctx = web_context()
    made, _channel = personal.add(ctx, **body.model_dump())
    if made.kind == MAIL:
        personal_trials.send_code(ctx, made.id)
    return answer(made, AddressOut, status=201)


@api.post(f"{A}/addresses/<address_id>/code", responses={200: SentOut})
@access()
def send_code(path: AddressPath) -> Response:
    """Send another code to an address that waits for one; 409 when one was sent a moment ago."""
    return _sent(personal_trials.send_code(web_context(), path.address_id))


@api.post(f"{A}/addresses/<address_id>/confirm", responses={200: AddressOut})
@access()
def confirm_address(path: AddressPath, body: CodeIn) -> Response:
    """Confirm an address by its code; a wrong one counts as a try."""
    confirm(path.address_id, body.code)
    return answer(personal.get_own(web_context(), path.address_id), AddressOut)


@api.post(f"{A}/addresses/<address_id>/try", responses={200: SentOut})
@access()
def try_address(path: AddressPath) -> Response:
    """Send a trial to one of the own addresses."""
    return _sent(personal_trials.send_trial(web_context(), path.address_id))


@api.post(f"{A}/addresses/<address_id>/pause", responses={200: AddressOut})
@access()
def pause_address(path: AddressPath, body: AddressPauseIn) -> Response:
    """Stop an address, or take it up again; what is due meanwhile waits."""
    done = personal.pause(web_context(), path.address_id, paused=body.paused, version=body.version)
    return answer(done, AddressOut)


@api.delete(f"{A}/addresses/<address_id>", responses={200: RemovedOut})
@access()
def remove_address(path: AddressPath) -> Response:
    """Take an address away with all that was sent there."""
    personal.remove(web_context(), path.address_id)
    return answer(Removed(path.address_id), RemovedOut)


@api.put(f"{A}/choices", responses={200: ChoicesOut})
@access()
def change_choices(body: ChoicesIn) -> Response:
    """Keep what shall reach the caller, and when not."""
    wish = Wish(**body.model_dump(exclude={"version"}))
    return answer(personal_choices.change(web_context(), wish, version=body.version), ChoicesOut)


@api.put(f"{A}/names", responses={200: NameList})
@access()
def change_name(body: ChannelNameIn) -> Response:
    """Keep what the caller is called in a channel, so that alerts about their things can name them there."""
    ctx = web_context()
    personal_names.keep(ctx, body.channel, body.name)
    return answer(list(personal_names.list_own(ctx)), NameOut)


def confirm(address_id: int, code: str) -> None:
    """Take a code; the try stays whatever becomes of the request. Raises NotFound, Invalid for a wrong code."""
    with own_transaction(current_actor(), write=True) as ctx:
        right = personal.confirm(ctx, address_id, code)
    if not right:
        raise Invalid.field("code", T("The code is wrong or no longer valid"))


def _sent(done: Trial) -> Response:
    return answer(Sent(done.status, done.error), SentOut)
