"""Servers that are a function of a socket: they break what a proper server could not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Speech = Callable[[socket.socket, threading.Event], None]


@contextmanager
def raw_server(talk: Speech) -> Iterator[int]:
    """Serve connections by `talk(connection, over)` on loopback; returns the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection, over), daemon=True).start()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.close()


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Say nothing."""
    over.wait(30)
    connection.close()


def dripping(connection: socket.socket, over: threading.Event) -> None:
    """Say a letter of a header now and then, for ever."""
    with connection, suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not over.wait(0.05):
            connection.sendall(b"x")


def saying(*parts: bytes) -> Speech:
    """Return a talk that says the parts to a request and hangs up."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            for part in parts:
                connection.sendall(part)
                over.wait(0.05)
            # Closed with words unheard, a socket takes back what it said.
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    return talk
