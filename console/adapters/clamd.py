"""Asks a ClamAV daemon about a file (the INSTREAM command of its protocol)."""

from __future__ import annotations

import re
import socket
import struct
import time
from dataclasses import dataclass
from typing import BinaryIO

PIECE = 64 * 1024
# An answer is one short line; whoever sends more is no clamd.
MAX_ANSWER = 4096
_WORD = re.compile(r"[^A-Za-z0-9._-]+")


class ScannerUnavailable(Exception):
    """The scanner gave no verdict: not there, too slow, or an error of its own."""


@dataclass(frozen=True)
class Verdict:
    """What the scanner says; `signature` is the name of what it found, None for a clean file."""

    signature: str | None


@dataclass(frozen=True)
class Scanner:
    """A clamd at `host:port`, or at the path of its socket; the whole talk may take `timeout` seconds."""

    address: str
    timeout: float

    def scan(self, content: BinaryIO) -> Verdict:
        """Send the seekable file from its start; raises ScannerUnavailable when there is no verdict."""
        try:
            return _verdict(self._ask(content))
        except (OSError, ValueError) as error:
            raise ScannerUnavailable(type(error).__name__) from error

    def _ask(self, content: BinaryIO) -> str:
        deadline = time.monotonic() + self.timeout
        content.seek(0)
        with self._connect() as talk:
            _send(talk, b"zINSTREAM\0", deadline)
            while piece := content.read(PIECE):
                _send(talk, struct.pack("!L", len(piece)) + piece, deadline)
            _send(talk, struct.pack("!L", 0), deadline)
            answer = b""
            while not answer.endswith(b"\0") and len(answer) < MAX_ANSWER:
                talk.settimeout(_left(deadline))
                piece = talk.recv(MAX_ANSWER)
                if not piece:
                    break
                answer += piece
        return answer.rstrip(b"\0\n").decode("utf-8", "replace")

    def _connect(self) -> socket.socket:
        text = self.address.strip().removeprefix("unix://").removeprefix("unix:").removeprefix("tcp://")
        if text.startswith("/"):
            talk = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                talk.settimeout(self.timeout)
                talk.connect(text)
            except OSError:
                talk.close()
                raise
            return talk
        host, _colon, port = text.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self.timeout)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _send(talk: socket.socket, data: bytes, deadline: float) -> None:
    talk.settimeout(_left(deadline))
    talk.sendall(data)


def _verdict(answer: str) -> Verdict:
    # Answers end in OK, FOUND (with the name of what was found) or ERROR.
    said = answer.removeprefix("stream:").strip()
    if said == "OK":
        return Verdict(None)
    if said.endswith(" FOUND"):
        return Verdict(_WORD.sub("-", said.removesuffix(" FOUND")).strip("-")[:120] or "unnamed")
    raise ScannerUnavailable(said[:200] or "no answer")
