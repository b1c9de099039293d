"""What must be true before the launcher starts anything, each failing with one sentence."""

from __future__ import annotations

import errno
import fcntl
import http.client
import os
import socket
import tempfile
from pathlib import Path
from typing import IO


class StartError(Exception):
    """The console cannot start; the text is one sentence for the person at the terminal."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def check_folder(folder: Path) -> None:
    """Make the data folder, for us alone, if need be; raises StartError when it cannot be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        reason = (error.strerror or "it cannot be written").lower()
        raise StartError(f"DATA_DIR: {folder} cannot be used ({reason}): mend it, or name another folder.") from None


class Lock:
    """The mark that one launcher runs on a data folder; the kernel drops it with the process that holds it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "running.lock"
        self._file: IO[str] | None = None

    def acquire(self, address: str) -> None:
        """Take the mark; raises StartError when another launcher has it."""
        while True:
            file = self.path.open("a+", encoding="utf-8")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                where = file.read().strip() or "another process"
                file.close()
                raise StartError(
                    f"The console already runs on {self.path.parent} ({where}): stop it, or name another DATA_DIR."
                ) from None
            # The one before us may have removed the file between our opening and locking it.
            if self._same_file(file):
                break
            file.close()
        file.truncate(0)
        file.write(f"process {os.getpid()}, {address}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Return the mark back and remove its file."""
        if self._file is not None:
            self.path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _same_file(self, file: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            return False


def check_port(host: str, port: int) -> None:
    """Raise StartError when nothing of ours can listen on that address."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise StartError(f"HOST: {host!r} is not an address of this machine.", code=2) from None
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = f"Port {port} is taken: stop what listens there, or name another one with PORT=..."
                raise StartError(sentence) from None
            if error.errno == errno.EACCES:
                raise StartError(f"PORT: {port} is not allowed for this user: choose one above 1023.", code=2) from None
            raise StartError(f"HOST: {host!r} is not an address of this machine.", code=2) from None


def answers(host: str, port: int) -> bool:
    """Return whether the web server answers its health check."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    connection = http.client.HTTPConnection(own, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def address(host: str, port: int) -> str:
    """Return the address that a person types into the browser."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
