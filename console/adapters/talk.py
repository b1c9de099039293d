"""A talk over HTTP that ends: bounded in time whatever the other side does."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


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
