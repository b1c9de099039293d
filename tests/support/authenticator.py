"""A device with passkeys, in software: answers the questions of the console as a browser and its device would.

Its CBOR and its signatures are made here, apart from the library that judges them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "http://localhost"


def text_of(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "===")


def cbor(value: Any) -> bytes:
    """Return CBOR of numbers, bytes, texts and maps of these."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(part) for key, part in value.items())


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    if number < 256:
        return bytes([kind << 5 | 24, number])
    return bytes([kind << 5 | 25]) + struct.pack(">H", number)


@dataclass
class Device:
    """A phone or a security key: makes one passkey, signs with it, counts what it signs unless `counter` is None."""

    counter: int | None = 0
    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    handle: str | None = None

    def create(self, question: str, *, fmt: str = "none", **client: Any) -> str:
        """Make the passkey that is asked for; `client` replaces parts of what the browser tells the console."""
        asked = json.loads(question)
        self.handle = asked["user"]["id"]
        point = self.key.public_key().public_numbers()
        public = cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + public
        data = self._data(asked["rp"]["id"], self.flags | ATTESTED) + attested
        return self._answer(
            clientDataJSON=self._client("webauthn.create", asked, client),
            attestationObject=text_of(cbor({"fmt": fmt, "attStmt": {}, "authData": data})),
            transports=["internal", "hybrid", "by-pigeon"],
        )

    def get(self, question: str, *, rp_id: str | None = None, handle: str | None = None, **client: Any) -> str:
        """Sign what is asked for; `client` replaces parts of what the browser tells the console."""
        asked = json.loads(question)
        if self.counter is not None:
            self.counter += 1
        said = self._client("webauthn.get", asked, client)
        data = self._data(rp_id or asked["rpId"], self.flags)
        signature = self.key.sign(data + hashlib.sha256(bytes_of(said)).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=said,
            authenticatorData=text_of(data),
            signature=text_of(signature),
            userHandle=handle or self.handle,
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + struct.pack(">I", self.counter or 0)

    def _client(self, kind: str, asked: dict[str, Any], client: dict[str, Any]) -> str:
        said = {"type": kind, "challenge": asked["challenge"], "origin": self.origin, "crossOrigin": False, **client}
        return text_of(json.dumps(said).encode())

    def _answer(self, **response: Any) -> str:
        key = text_of(self.credential_id)
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})
