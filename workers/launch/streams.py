"""Answers that are sent while they are still being made, without a thread that waits for their reader.

A thread writes what it makes into a file without a name and goes on. The event loop copies what is there into a pipe,
from which the server takes as much as its reader takes. Neither file nor pipe has a name that could be left behind.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import stat
import struct
import tempfile
import termios
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from threading import Lock

from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian.rsgi import Scope

# Answers that are on their way at the same time, and the bytes kept for all of them, in each process.
AT_ONCE = 128
BYTES_AT_ONCE = 2 * 1024 * 1024 * 1024
# A reader who takes nothing for so long is sent no more.
PATIENCE_SECONDS = 60.0
# How often it is looked whether the server has opened the pipe.
OPENED_EVERY = 0.002
PIECE = 64 * 1024
OPEN_FILES = Path("/dev/fd")


class ReaderLeftError(Exception):
    """Nobody takes the answer any more; what makes it may stop."""


class TooMuchError(Exception):
    """The answers on their way have reached their bounds together."""


@dataclass
class Budget:
    """What the answers on their way take in one process; threads and the event loop count here."""

    answers: int = 0
    size: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take(self, *, answers: int = 0, size: int = 0) -> None:
        """Count what joins; raises TooMuchError, having counted nothing, where that is more than there may be."""
        with self._lock:
            if self.answers + answers > AT_ONCE or self.size + size > BYTES_AT_ONCE:
                raise TooMuchError
            self.answers += answers
            self.size += size

    def give(self, *, answers: int, size: int) -> None:
        """Count what has gone."""
        with self._lock:
            self.answers -= answers
            self.size -= size


class Stream:
    """One answer on its way: a thread writes and ends it, the event loop sends it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, budget: Budget, begin: bytes | bytearray) -> None:
        """Begin in the thread that makes the answer. Raises TooMuchError where too much is on its way."""
        budget.take(answers=1, size=len(begin))
        self._loop, self._budget = loop, budget
        try:
            # Without a name in any folder: nothing is left however the process ends.
            with tempfile.TemporaryFile(prefix="kaos-answer-") as file:
                file.write(begin)
                file.flush()
                self._file = os.dup(file.fileno())
        except OSError:
            budget.give(answers=1, size=len(begin))
            raise
        self._kept = self._made = len(begin)
        self._sent, self._pipe = 0, -1
        self._ended = self._failed = self._left = False
        self._news = asyncio.Event()
        # The thread and the loop: whoever lets go last closes the file.
        self._hands, self._lock = 2, Lock()

    def write(self, part: bytes | bytearray) -> None:
        """Keep what was made; raises ReaderLeftError where nobody wants it, TooMuchError where it is too much."""
        if self._left:
            raise ReaderLeftError
        self._budget.take(size=len(part))
        self._kept += len(part)
        rest = memoryview(part)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        # What is counted as made can be read.
        self._made += len(part)
        self._tell()

    def end(self, *, failed: bool) -> None:
        """Say that no more is made; what `failed` must not look like a whole answer."""
        self._failed, self._ended = failed, True
        self._tell()
        self._let_go()

    def _tell(self) -> None:
        with suppress(RuntimeError):  # The loop has ended, and the process with it.
            self._loop.call_soon_threadsafe(self._news.set)

    def _let_go(self) -> None:
        with self._lock:
            self._hands -= 1
            last = self._hands == 0
        if last:
            os.close(self._file)
            self._budget.give(answers=1, size=self._kept)

    async def send(self, scope: Scope, protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]]) -> None:
        """Send it as fast as it is made and taken; what is not whole breaks the connection off."""
        whole = False
        try:
            await self._open(protocol, status, headers)
            whole = await self._copy()
        except (BrokenPipeError, TimeoutError):
            pass  # The reader is gone, or as good as.
        finally:
            self._left = True
            if not whole:
                break_off(scope)
            # To the server this is the end of the answer, so it comes last.
            if self._pipe >= 0:
                os.close(self._pipe)
            self._let_go()

    async def _open(self, protocol: HTTPProtocol, status: int, headers: list[tuple[str, str]]) -> None:
        """Hand the server one end of the pipe; returns once it holds that alone, so that its leaving is noticed."""
        reading, self._pipe = os.pipe()
        gone = asyncio.ensure_future(protocol.client_disconnect())
        try:
            os.set_blocking(self._pipe, False)
            await self._push()
            protocol.response_file(status, headers, str(OPEN_FILES / str(reading)))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while _waiting_in(reading) and not gone.done():
                    await asyncio.wait((gone,), timeout=OPENED_EVERY)
        finally:
            gone.cancel()
            os.close(reading)

    async def _copy(self) -> bool:
        """Send what is there until there will be no more; return whether that is all."""
        while not self._failed:
            self._news.clear()
            ended = self._ended
            while self._sent < self._made:
                await self._push()
            if ended:
                return not self._failed
            await self._news.wait()
        return False

    async def _push(self) -> None:
        """Put the next piece into the pipe, as soon as there is room; raises BrokenPipeError where nobody reads."""
        piece = os.pread(self._file, min(PIECE, self._made - self._sent), self._sent)
        try:
            self._sent += os.write(self._pipe, piece)
        except BlockingIOError:
            room = asyncio.Event()
            self._loop.add_writer(self._pipe, room.set)
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await room.wait()
            finally:
                self._loop.remove_writer(self._pipe)


def _waiting_in(pipe: int) -> int:
    """Return how many bytes of a pipe nobody has read yet."""
    count: int = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
    return count


def break_off(scope: Scope) -> None:
    """End the connection of a request: the server alone would end a body of unknown length as if it were whole."""
    for file in OPEN_FILES.iterdir():
        with suppress(OSError, ValueError):
            number = int(file.name)
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                with socket.socket(fileno=os.dup(number)) as one:
                    if _is_of(one, scope):
                        one.shutdown(socket.SHUT_RDWR)


def _is_of(one: socket.socket, scope: Scope) -> bool:
    if one.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    return [_end(*one.getpeername()[:2]), one.getsockname()[1]] == [
        _end(*scope.client.rsplit(":", 1)),
        int(scope.server.rpartition(":")[2]),
    ]


def _end(host: str, port: str | int) -> tuple[str, int]:
    return ip_address(host.strip("[]").partition("%")[0]).compressed, int(port)
