"""The addresses of people: made, confirmed by a code, paused and removed by whoever they belong to.

An address is written once and sealed, like that of a channel; nobody reads it again but the sender.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, exists, func, select, update

from console.adapters import webhooks
from console.adapters.webhooks import Resolve
from console.core.context import Context
from console.core.records import view_of
from console.core.secret_key import secret_key
from console.domain.alerts import personal as rules
from console.domain.alerts.alerts import ADDRESS_CODE, ADDRESS_TRIAL, MAIL, Channel, masked
from console.domain.alerts.guard import ChannelState
from console.domain.errors import Conflict, NotFound
from console.domain.identity import iam
from console.domain.text import T
from console.models.alerts import AlertChannelState
from console.models.identity import User
from console.models.personal_alerts import PersonalAddress, PersonalDelivery
from console.services.alerts import channels, states
from console.services.alerts.claims import OWN
from console.services.audit import record as audit
from console.services.identity.grants import locked

# What people have sent themselves.
_ASKED = (ADDRESS_CODE, ADDRESS_TRIAL)
_PATIENCE = T("That was sent a moment ago. Please wait before you ask for it again.")


@dataclass(frozen=True)
class AddressView:
    """An address of a person: `target` is masked, `state` is `healthy`, `warning` or `quarantined`."""

    id: int
    name: str
    kind: str
    target: str
    confirmed: bool
    paused: bool
    state: str
    last_success_at: datetime | None
    last_error: str | None
    created_at: datetime
    version: int


def account(ctx: Context, *, lock: bool = False) -> User:
    """Return the caller's account; raises Conflict for who has none."""
    wanted = select(User).where(User.id == ctx.actor.user_id)
    user = ctx.session.scalar(locked(wanted) if lock else wanted)
    if user is None:
        raise Conflict(T("This sign-in has no account of its own"), code="no_account")
    return user


def list_own(ctx: Context) -> tuple[AddressView, ...]:
    """Return the caller's addresses, the oldest first: two queries."""
    return _listed(ctx, ctx.actor.user_id)


def get_own(ctx: Context, address_id: int) -> AddressView:
    """Return one of the caller's addresses; raises NotFound for any other."""
    row = _own(ctx, address_id)
    return _view(ctx, row, states.of_channels(ctx, [row.key]).get(row.key))


def of_person(ctx: Context, user_id: int) -> tuple[AddressView, ...]:
    """Return that somebody has addresses, for whoever administers accounts; raises PermissionDenied."""
    ctx.actor.require(iam.ADMIN)
    return _listed(ctx, user_id)


def _listed(ctx: Context, user_id: int | None) -> tuple[AddressView, ...]:
    wanted = select(PersonalAddress).where(PersonalAddress.user_id == user_id).order_by(PersonalAddress.id)
    rows = ctx.session.scalars(wanted).all()
    known = states.of_channels(ctx, [row.key for row in rows]) if rows else {}
    return tuple(_view(ctx, row, known.get(row.key)) for row in rows)


def _view(ctx: Context, row: PersonalAddress, state: ChannelState | None = None) -> AddressView:
    state = state or ChannelState(row.key)
    return view_of(
        AddressView,
        row,
        confirmed=row.confirmed_at is not None,
        state=state.at(ctx.now(), states.rules_of(ctx.config)),
        last_success_at=state.last_success_at,
        last_error=state.last_error,
    )


def add(
    ctx: Context, *, kind: str, address: str, name: str = "", look_up: Resolve = webhooks.resolve
) -> tuple[AddressView, Channel]:
    """Keep a new address of the caller; a mail address has to be confirmed before anything but codes goes there.

    Raises Conflict for who has no account, for an address that is there already and for one too many, Invalid for what
    no message may go to.
    """
    user = account(ctx, lock=True)
    address = channels.checked(ctx, kind, address, look_up)
    known = ctx.session.scalars(select(PersonalAddress).where(PersonalAddress.user_id == user.id)).all()
    if len(known) >= rules.MOST_ADDRESSES:
        raise Conflict(T("At most %(most)s addresses for one person", most=rules.MOST_ADDRESSES), code="addresses_full")
    if any(channels.address_of(ctx, row.address, row.key) == address for row in known):
        raise Conflict(T("You have this address already"), code="address_known")
    now, key = ctx.now(), f"{OWN}{uuid4().hex[:12]}"
    row = PersonalAddress(
        key=key,
        user_id=user.id,
        name=" ".join(name.split()) or masked(address)[:60],
        kind=kind,
        address=channels.sealed(ctx, address, key),
        target=masked(address)[:400],
        confirmed_at=None if kind == MAIL else now,
        created_at=now,
        updated_at=now,
    )
    ctx.session.add(row)
    ctx.session.flush()
    _on_record(ctx, "personal_address_add", row)
    return _view(ctx, row), channel_of(ctx, row)


def new_code(ctx: Context, address_id: int) -> tuple[Channel, str]:
    """Make a new code for an address that waits for one; those of earlier count no longer.

    Raises NotFound, and Conflict for an address that is confirmed and when codes were sent too often.
    """
    account(ctx, lock=True)
    row, now = _own(ctx, address_id), ctx.now()
    if row.confirmed_at is not None:
        raise Conflict(T("This address is confirmed already"), code="address_confirmed")
    if row.code_sent_at is not None and row.code_sent_at > now - rules.CODE_PAUSE:
        raise Conflict(_PATIENCE, code="code_sent")
    _check_sent(ctx, ADDRESS_CODE, rules.CODES_AN_HOUR)
    code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}}"
    row.code_hash, row.code_sent_at, row.code_tries = _hash(ctx, row, code), now, 0
    ctx.session.flush()
    return channel_of(ctx, row), code


def _check_sent(ctx: Context, event: str, most: int) -> None:
    """Raise Conflict when the caller had as many of these sent within an hour, whatever became of the addresses."""
    lately = (PersonalDelivery.event_type == event, PersonalDelivery.created_at > ctx.now() - timedelta(hours=1))
    sent = select(func.count()).where(PersonalDelivery.user_id == ctx.actor.user_id, *lately)
    if (ctx.session.scalar(sent) or 0) >= most:
        raise Conflict(_PATIENCE, code="code_sent")


def confirm(ctx: Context, address_id: int, code: str) -> bool:
    """Take a code that was sent to an address; returns whether it is the right one, and counts the tries.

    The caller commits either way. Raises NotFound.
    """
    account(ctx, lock=True)
    row, now = _own(ctx, address_id), ctx.now()
    if row.confirmed_at is not None:
        return True
    valid = row.code_sent_at is not None and now - row.code_sent_at <= rules.CODE_VALID
    row.code_tries += 1
    right = valid and row.code_tries <= rules.CODE_TRIES and row.code_hash is not None
    right = right and hmac.compare_digest(row.code_hash or "", _hash(ctx, row, "".join(code.split())))
    if right:
        row.confirmed_at, row.code_hash = now, None
        _moved(ctx, row)
        _on_record(ctx, "personal_address_confirm", row)
    ctx.session.flush()
    return right


def _hash(ctx: Context, row: PersonalAddress, code: str) -> str:
    # A short code is guessed from its bare hash in a moment: the key is not in the database.
    return hmac.digest(secret_key(ctx.config).encode(), f"{row.key}:{code}".encode(), "sha256").hex()


def pause(ctx: Context, address_id: int, *, paused: bool, version: int) -> AddressView:
    """Stop one of the caller's addresses, or take it up again; what is due meanwhile waits.

    Raises NotFound, Conflict when `version` is not the current one.
    """
    account(ctx, lock=True)
    row = _own(ctx, address_id)
    if version != row.version:
        raise Conflict(T("Somebody else changed the address meanwhile"), code="version_conflict")
    row.paused = paused
    _moved(ctx, row)
    ctx.session.flush()
    if not paused:
        states.release(ctx, row.key)
    _on_record(ctx, "personal_address_pause" if paused else "personal_address_resume", row)
    return _view(ctx, row)


def remove(ctx: Context, address_id: int) -> None:
    """Take one of the caller's addresses away with all that was sent or waits to be sent there; raises NotFound."""
    account(ctx, lock=True)
    row = _own(ctx, address_id)
    _on_record(ctx, "personal_address_remove", row)
    sent = PersonalDelivery.channel == row.key
    # That a code or a trial was sent counts on: who makes and removes addresses would send them to strangers all day.
    ctx.session.execute(update(PersonalDelivery).where(sent).values(target=masked("")))
    ctx.session.execute(delete(PersonalDelivery).where(sent, PersonalDelivery.event_type.not_in(_ASKED)))
    ctx.session.execute(delete(AlertChannelState).where(AlertChannelState.channel == row.key))
    ctx.session.delete(row)
    ctx.session.flush()


def opened(ctx: Context) -> dict[str, Channel]:
    """Return the confirmed addresses of all people by their key, for whoever sends: one query."""
    wanted = select(PersonalAddress).where(PersonalAddress.confirmed_at.is_not(None))
    return {row.key: channel_of(ctx, row) for row in ctx.session.scalars(wanted)}


def own_channel(ctx: Context, address_id: int) -> Channel:
    """Return one of the caller's confirmed addresses as a receiver of a trial.

    Raises NotFound, and Conflict for an unproven one and after too many trials.
    """
    row = _own(ctx, address_id)
    if row.confirmed_at is None:
        raise Conflict(T("Confirm the address first"), code="address_unconfirmed")
    _check_sent(ctx, ADDRESS_TRIAL, rules.TRIALS_AN_HOUR)
    return channel_of(ctx, row)


def channel_of(ctx: Context, row: PersonalAddress) -> Channel:
    """Return an address as a receiver, opened."""
    address = channels.address_of(ctx, row.address, row.key)
    return Channel(row.key, row.kind, address, row.name, row.target, row.paused, user_id=row.user_id)


def still_there(ctx: Context, channel: Channel) -> bool:
    """Return whether a receiver still is one: an address that was removed leaves nothing behind."""
    if channel.user_id is None:
        return True
    return bool(ctx.session.scalar(select(exists().where(PersonalAddress.key == channel.key))))


def _own(ctx: Context, address_id: int) -> PersonalAddress:
    mine = (PersonalAddress.id == address_id, PersonalAddress.user_id == ctx.actor.user_id)
    row = ctx.session.scalar(select(PersonalAddress).where(*mine).execution_options(populate_existing=True))
    if row is None:
        raise NotFound(T("This address does not exist"))
    return row


def _moved(ctx: Context, row: PersonalAddress) -> None:
    row.updated_at, row.version = ctx.now(), row.version + 1


def _on_record(ctx: Context, action: str, row: PersonalAddress) -> None:
    # Not even its masked form: the trail is kept for years.
    detail = {"username": ctx.actor.username, "kind": row.kind, "address_id": row.id}
    audit.record(ctx, action, "admin_user", ctx.actor.user_id, detail=detail)
