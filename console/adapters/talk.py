"""A talk over HTTP that ends: bounded in time whatever the other side does, and never whole when it was cut off."""

from __future__ import annotations

import http.client
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class BrokenOffError(http.client.HTTPException):
    """The answer ended in the middle of its headers."""


class _Lines(io.BufferedReader):
    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        self.last = super().readline(size)
        return self.last


class _Answer(http.client.HTTPResponse):
    """An answer whose head came whole; `http.client` takes the end of the talk for the end of the headers."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._lines = _Lines(self.fp.detach())
        self.fp = self._lines

    def begin(self) -> None:
        super().begin()
        if self._lines.last not in (b"\r\n", b"\n"):
            # RFC 9112, 8: what such an answer was going to say cannot be known.
            raise BrokenOffError


class Talk(http.client.HTTPConnection):
    """A connection whose answers raise BrokenOffError when they end in the middle of their headers."""

    response_class = _Answer


@contextmanager
def ended_after(connection: http.client.HTTPConnection, seconds: float) -> Iterator[None]:
    """Hang up when the talk inside takes longer: whoever reads from it gets an error at once.

    Each read may take the whole timeout of a socket: a server that sends a letter now and then would hold us for hours.
    """
    watch = threading.Timer(seconds, _hang_up, [connection])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        connection.close()


def _hang_up(connection: http.client.HTTPConnection) -> None:
    talk = connection.sock
    if talk is not None:
        with suppress(OSError):
            talk.shutdown(socket.SHUT_RDWR)
