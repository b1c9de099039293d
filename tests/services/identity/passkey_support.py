"""Passkeys as the pages make and use them."""

from __future__ import annotations

from console.domain.identity.passkeys import ADD, SIGN_IN, Place
from console.services.identity import passkeys
from tests.support.authenticator import ORIGIN, Device
from tests.support.people import PASSWORD

HERE = Place("localhost", ORIGIN)


def add(ctx, device=None, *, name="phone", place=HERE, **client):
    """Make a passkey as the page does; returns device and recovery codes."""
    device = device or Device(origin=place.origin)
    question = passkeys.begin(ctx, place, name=name, password=PASSWORD)
    taken = passkeys.take(ctx, ctx.actor.user_id, device.create(question, **client), ADD)
    codes = passkeys.add(ctx, place, taken)
    ctx.commit()
    return device, codes


def sign_in(ctx, user, device, *, place=HERE, **bent):
    question = passkeys.question(ctx, place, user.id, SIGN_IN)
    return passkeys.use(ctx, place, user.id, device.get(question, **bent), ip="")
