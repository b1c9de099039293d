"""Answers of browsers that are none: refused, whatever part of them is nonsense."""

from __future__ import annotations

import json

import pytest

from console.domain.errors import Invalid
from console.domain.identity.passkeys import ADD, ANSWER_MAX, SIGN_IN
from console.services.identity import passkeys
from tests.services.identity.passkey_support import HERE, add
from tests.support.authenticator import Device, text_of
from tests.support.people import PASSWORD

ODD = [
    *("", "{", "[]", "null", "7", '"text"', "{}", "[" * 5000, '{"id": 1}', '{"response": {"clientDataJSON": 5}}'),
    *('{"response": {"clientDataJSON": "%%%"}}', '{"response": {"clientDataJSON": "\\ud800"}}', "1" * 5000),
    '{"id": "x", "response": {"clientDataJSON": "bnVsbA"}}',
    "x" * (ANSWER_MAX + 1),
]


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_what_has_not_the_form_of_an_answer_is_refused(person, text):
    user, ctx = person()
    add(ctx)

    assert passkeys.use(ctx, HERE, user.id, text, ip="") is False
    assert passkeys.take(ctx, user.id, text, ADD) is None


@pytest.mark.parametrize("place", [("id",), ("rawId",), ("type",), *(("response", part) for part in (
    "clientDataJSON", "authenticatorData", "signature", "userHandle"))], ids=str)  # fmt: skip
@pytest.mark.parametrize("value", [None, 7, "", "\ud800", "%", "AAAA", [], {"a": 1}, "A" * 4000], ids=repr)
def test_every_part_of_an_answer_may_be_nonsense(person, place, value):
    user, ctx = person()
    device, _codes = add(ctx)
    answer = json.loads(device.get(passkeys.question(ctx, HERE, user.id, SIGN_IN)))
    part = answer if len(place) == 1 else answer["response"]
    part[place[-1]] = value
    # Devices may leave out whose passkey it is.
    fine = place[-1] == "userHandle" and value in (None, "")

    assert passkeys.use(ctx, HERE, user.id, json.dumps(answer), ip="") is fine


@pytest.mark.parametrize(
    "value", [None, 7, "", "AAAA", "A" * 4000, text_of(b"\xa1" * 3000), text_of(b"\xbf\xff")], ids=repr
)
def test_a_new_passkey_may_be_nonsense(person, value):
    user, ctx = person()
    answer = json.loads(Device().create(passkeys.begin(ctx, HERE, name="phone", password=PASSWORD)))
    answer["response"]["attestationObject"] = value
    with pytest.raises(Invalid):
        passkeys.add(ctx, HERE, passkeys.take(ctx, user.id, json.dumps(answer), ADD))
