"""Passkeys by the library webauthn: the questions that browsers get, and what their answers prove.

The library is loaded with its first use; everything it needs takes half a second, and most requests need none of it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from console.domain.identity.passkeys import ANSWER_MAX, CHALLENGE_SECONDS, Place, is_base64url

CREDENTIAL_ID_MAX = 1400
CHALLENGE_MAX = 64
HANDLE_MAX = 128
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Known:
    """A passkey that exists: its id (base64url) and the ways by which its device can be reached."""

    credential_id: str
    transports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What a browser sent, read but not believed: which passkey, which challenge, and the whole of it."""

    credential_id: str
    challenge: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A new passkey whose maker signed the right challenge."""

    credential_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]


def creation_question(
    place: Place, *, product: str, handle: str, username: str, challenge: str, known: Sequence[Known]
) -> str:
    """Return the options for `navigator.credentials.create()` as JSON; devices that hold one of `known` refuse."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=place.host,
        rp_name=product,
        user_id=handle.encode(),
        user_name=username,
        challenge=_bytes(challenge),
        timeout=CHALLENGE_SECONDS * 1000,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_described(known),
    )
    return options_to_json(options)


def request_question(place: Place, *, challenge: str, known: Sequence[Known]) -> str:
    """Return the options for `navigator.credentials.get()` as JSON: any of `known` may answer."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=place.host,
        challenge=_bytes(challenge),
        timeout=CHALLENGE_SECONDS * 1000,
        allow_credentials=_described(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def read(text: str) -> Answer | None:
    """Return what a browser sent, or None when it has not the form of an answer; nothing is proven by that."""
    if len(text) > ANSWER_MAX:
        return None
    try:
        body = json.loads(text)
        client = json.loads(_bytes(body["response"]["clientDataJSON"]))
        credential_id, challenge, framed = body["id"], client["challenge"], client.get("crossOrigin")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if not (is_base64url(credential_id, CREDENTIAL_ID_MAX) and is_base64url(challenge, CHALLENGE_MAX)):
        return None
    # No page of ours stands in a frame of somebody else's.
    return None if framed else Answer(credential_id, challenge, body)


def made(answer: Answer, place: Place, *, challenge: str) -> Made | None:
    """Return the passkey that an answer brings; None when it was made for something else, or nobody was verified."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url, parse_attestation_object, parse_registration_credential_json
    from webauthn.helpers.structs import AttestationFormat

    try:
        credential = parse_registration_credential_json(answer.body)
        attested = parse_attestation_object(credential.response.attestation_object)
        # Whose make the device is does not matter here: what brings certificates is not read any further.
        if attested.fmt not in (AttestationFormat.NONE, AttestationFormat.PACKED) or attested.att_stmt.x5c:
            return None
        found = verify_registration_response(
            credential=credential,
            expected_challenge=_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
        transports = tuple(way.value for way in credential.response.transports or ())
        key = bytes_to_base64url(found.credential_id)
    except Exception as error:
        log.info("passkey_not_made", error=type(error).__name__)
        return None
    if key != answer.credential_id or not is_base64url(key, CREDENTIAL_ID_MAX):
        return None
    return Made(key, found.credential_public_key, found.sign_count, tuple(dict.fromkeys(transports)))


def signed(answer: Answer, place: Place, *, challenge: str, handle: str, public_key: bytes) -> int | None:
    """Return the counter of the device that signed the challenge with this key; None when it is not proven.

    Whether the counter went on is for the caller to tell, in the statement that stores it.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json

    try:
        credential = parse_authentication_credential_json(answer.body)
        # Devices may leave out for whom the passkey was made.
        whose = answer.body["response"].get("userHandle")
        if whose and not (is_base64url(whose, HANDLE_MAX) and _bytes(whose) == handle.encode()):
            return None
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=_bytes(challenge),
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:
        log.info("passkey_not_proven", error=type(error).__name__)
        return None
    return found.new_sign_count


def _described(known: Sequence[Known]) -> list[Any]:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    ways = {way.value: way for way in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=_bytes(one.credential_id), transports=[ways[name] for name in one.transports if name in ways] or None
        )
        for one in known
    ]


def _bytes(text: str) -> bytes:
    # Browsers leave the padding out; too much of it is passed over.
    return urlsafe_b64decode(f"{text}===")
