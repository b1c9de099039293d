"""The door between the network and the application: no thread ever waits for somebody outside.

The server's event loop receives a request whole, within a time and a length, before a thread is taken. A thread makes
the answer in memory before the loop sends it; of a long one the loop sends what is there while the thread goes on (see
`streams.py`). However slowly others write or read, the threads are free for those who do neither.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from granian._granian import RSGIHTTPProtocol as HTTPProtocol
from granian._granian import RSGIProtocolClosed as ProtocolClosed
from granian._granian import RSGIProtocolError as ProtocolError
from granian.rsgi import Scope

from console.web.headers import ALWAYS
from workers.launch.streams import Budget, ReaderLeftError, Stream, TooMuchError

log = structlog.get_logger(__name__)

# An answer of more bytes is sent while it is made; one that takes long already when it has fewer.
IN_MEMORY = 1024 * 1024
LONG_SECONDS, LONG_BYTES = 0.2, 16 * 1024
# Names and values of all headers; the server itself takes at most a hundred of them.
MAX_HEADER_BYTES = 32 * 1024
# Requests that may wait for each thread; the next one is asked to come again.
WAITING_PER_THREAD = 64
# Bytes of all bodies that are on their way at the same time, in each process; small ones are always taken.
BODIES_AT_ONCE = 256 * 1024 * 1024
UNCOUNTED = 64 * 1024
# Of a body that is too large this many times the limit is read and thrown away, so that the refusal arrives.
DRAINED = 2
# Behind the refusal of an even larger one so many bytes more are thrown away, within the time for a body.
LINGERED = 256 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Limits:
    """What a process takes: threads, bytes of a body, seconds until the whole body must be there."""

    threads: int
    body_bytes: int
    body_seconds: float


class RefusedError(Exception):
    """The request is not handed on; `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass
class Answer:
    """What the application answered: the body is in `body`, or comes from `stream` when it is long."""

    status: int = 500
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | bytearray = b""
    stream: Stream | None = None


class Gateway:
    """An RSGI application around a WSGI one."""

    def __init__(self, app: Callable[..., Iterable[bytes]], limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="request")
        self._inside = 0
        self._body_bytes = 0
        self._on_their_way = Budget()

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Let running requests finish when the server ends."""
        self._threads.shutdown()

    async def __call__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        try:
            if sum(len(name) + len(value) for name, value in scope.headers.items()) > MAX_HEADER_BYTES:
                raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            body, length = await self._receive(scope, protocol)
            if self._inside >= self._limits.threads * (1 + WAITING_PER_THREAD):
                raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        except RefusedError as refused:
            _refuse(scope, protocol, refused.status)
            if refused.status != HTTPStatus.REQUEST_TIMEOUT:
                await self._throw_away(protocol)
            return
        except (ProtocolClosed, ProtocolError):
            return  # Whoever sent it is gone.
        answer = await self._answer(environ_of(scope, body, length))
        unread = length is not None and length > self._limits.body_bytes * DRAINED
        if unread:
            answer.headers.append(("connection", "close"))
        if answer.stream is not None:
            await answer.stream.send(scope, protocol, answer.status, _lowered(answer.headers))
        else:
            _send(protocol, answer, head=scope.method == "HEAD")
        if unread:
            await self._throw_away(protocol)

    async def _answer(self, environ: dict[str, Any]) -> Answer:
        """Return the answer as soon as it is whole, or so long that it is sent while a thread still makes it."""
        loop = asyncio.get_running_loop()
        begun: asyncio.Future[Answer] = loop.create_future()
        self._inside += 1
        made = loop.run_in_executor(self._threads, self._make, environ, loop, begun)
        made.add_done_callback(self._leave)
        await asyncio.wait((made, begun), return_when=asyncio.FIRST_COMPLETED)
        return begun.result() if begun.done() else made.result()

    def _leave(self, _made: asyncio.Future[Answer]) -> None:
        self._inside -= 1

    async def _throw_away(self, protocol: HTTPProtocol) -> None:
        """Read on behind a refusal: a connection that is closed while data arrive takes the refusal with it."""
        left = LINGERED
        with suppress(TimeoutError, ProtocolClosed, ProtocolError):
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in protocol:
                    left -= len(chunk)
                    if left < 0:
                        return

    async def _receive(self, scope: Scope, protocol: HTTPProtocol) -> tuple[bytes, int | None]:
        """Return the whole body and its length, None when there is no body.

        A body above the limit is thrown away; the application refuses it by its length.
        """
        headers = scope.headers
        declared = headers.get("content-length")
        if declared is None and "transfer-encoding" not in headers:
            return b"", None
        if declared is None and headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
            # Half a form looks like a whole one, and the server does not tell where chunks were cut off.
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED)
        length = int(declared) if declared is not None else None
        if length is not None and length > self._limits.body_bytes * DRAINED:
            return b"", length
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._read(protocol, length)
        except TimeoutError:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT) from None

    async def _read(self, protocol: HTTPProtocol, length: int | None) -> tuple[bytes, int]:
        most = self._limits.body_bytes
        kept, size, counted = bytearray(), 0, 0
        try:
            async for chunk in protocol:
                size += len(chunk)
                if size > most * DRAINED:
                    break
                if size > most:
                    kept.clear()
                    continue
                kept += chunk
                if size > UNCOUNTED:
                    self._body_bytes += len(chunk)
                    counted += len(chunk)
                    if self._body_bytes > BODIES_AT_ONCE:
                        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE)
        finally:
            self._body_bytes -= counted
        if length is not None and size != length:
            raise ProtocolClosed
        return bytes(kept), size

    def _make(self, environ: dict[str, Any], loop: asyncio.AbstractEventLoop, begun: asyncio.Future[Answer]) -> Answer:
        """Run the application to the end of its answer; a long one is told to `begun` before. Runs in a thread."""
        answer, started = Answer(), time.monotonic()

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[..., Any]:
            answer.status, answer.headers = int(status[:3]), headers
            return _no_write

        def begin() -> Stream:
            answer.stream = stream = Stream(loop, self._on_their_way, answer.body)
            loop.call_soon_threadsafe(begun.set_result, answer)
            return stream

        try:
            parts = self._app(environ, start_response)
            try:
                if environ["REQUEST_METHOD"] == "HEAD":
                    _measure(answer, parts)
                else:
                    _collect(answer, parts, started, begin)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except ReaderLeftError:
            _end(answer, failed=True)
        except TooMuchError:
            log.warning("answers_too_large_together", path=environ["PATH_INFO"][:200])
            _end(answer, failed=True)
            return failure(HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception:
            # Half an answer must not look like a whole one.
            log.exception("answer_failed", path=environ["PATH_INFO"][:200], begun=answer.stream is not None)
            _end(answer, failed=True)
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR)
        else:
            _end(answer, failed=False)
        return answer


def environ_of(scope: Scope, body: bytes, length: int | None) -> dict[str, Any]:
    """Return the WSGI environment of a request whose body has `length` bytes, None for none."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # It would pass for the header with a dash that a proxy in front sets.
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        joint = ";" if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{joint}{value}" if key in environ else value
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def failure(status: HTTPStatus) -> Answer:
    """Return an answer that needs no application."""
    headers = [*_lowered(ALWAYS.items()), ("content-type", "application/json")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("retry-after", "1"))
    return Answer(status, headers, f'{{"detail":"{status.phrase}"}}'.encode())


def _refuse(scope: Scope, protocol: HTTPProtocol, status: HTTPStatus) -> None:
    answer = failure(status)
    # What remains of the body is still on its way: the connection cannot carry another request.
    answer.headers += [("connection", "close"), ("cache-control", "no-store")]
    _send(protocol, answer, head=scope.method == "HEAD")


def _lowered(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers]


def _send(protocol: HTTPProtocol, answer: Answer, *, head: bool) -> None:
    headers = _lowered(answer.headers)
    if head or answer.status in (204, 304):
        protocol.response_empty(answer.status, headers)
    else:
        protocol.response_bytes(answer.status, headers, bytes(answer.body))


def _collect(answer: Answer, parts: Iterable[bytes], started: float, begin: Callable[[], Stream]) -> None:
    """Keep all parts; from the moment on at which they are many or take long they go to the stream that begins."""
    kept = answer.body = bytearray()
    stream: Stream | None = None
    for number, part in enumerate(parts):
        if stream is not None:
            stream.write(part)
            continue
        kept += part
        takes_long = number > 0 and len(kept) > LONG_BYTES and time.monotonic() - started > LONG_SECONDS
        if takes_long or len(kept) > IN_MEMORY:
            stream = begin()
            kept.clear()


def _measure(answer: Answer, parts: Iterable[bytes]) -> None:
    """Say how long the body is that nobody gets."""
    size = sum(map(len, parts))
    if size and not any(name.lower() == "content-length" for name, _ in answer.headers):
        answer.headers.append(("content-length", str(size)))


def _end(answer: Answer, *, failed: bool) -> None:
    if answer.stream is not None:
        answer.stream.end(failed=failed)


def _no_write(_data: bytes) -> None:
    raise RuntimeError("answers are returned, not written")
