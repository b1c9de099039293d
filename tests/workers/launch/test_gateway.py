import asyncio
import os
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from types import SimpleNamespace
from typing import ClassVar

import pytest

from workers.launch import gateway, streams
from workers.launch.gateway import Gateway, Limits


class Headers(dict):
    """Headers as the server hands them over."""


class Protocol:
    """The server's side of one request; keeps what it is told to send."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.sent = None
        self.reading = None

    async def __aiter__(self):
        for chunk in self._chunks:
            yield chunk

    def response_bytes(self, status, headers, body):
        self.sent = (status, dict(headers), body)

    def response_empty(self, status, headers):
        self.sent = (status, dict(headers), b"")

    def response_file(self, status, headers, path):
        """Read what comes as the server does: beside the event loop, until nobody writes any more."""
        body, file = Future(), os.open(path, os.O_RDONLY)

        def read():
            with os.fdopen(file, "rb") as opened:
                body.set_result(opened.read())

        self.sent, self.reading = (status, dict(headers), body), Thread(target=read)
        self.reading.start()

    async def client_disconnect(self):
        await asyncio.Event().wait()


class Sleepy(Protocol):
    """A server whose reader takes nothing after the first piece."""

    held: ClassVar[list[int]] = []

    def response_file(self, status, headers, path):
        self.held.append(os.open(path, os.O_RDONLY))
        os.read(self.held[-1], streams.PIECE)


def ask(app, *chunks, method="GET", path="/", query="", threads=1, kind=Protocol, **headers):
    """Return status, headers and body of one request to a WSGI application."""
    scope = SimpleNamespace(
        method=method, path=path, query_string=query, server="127.0.0.1:8001", client="[::1]:4711", scheme="http",
        http_version="1.1", headers=Headers(headers),
    )  # fmt: skip
    protocol = kind(*chunks)

    async def answered():
        await Gateway(app, Limits(threads, body_bytes=100, body_seconds=60))(scope, protocol)

    # In a thread of its own: the browser's tests may have left a loop that runs in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(answered())).result()
    if protocol.reading is not None:
        protocol.reading.join()
        status, sent, body = protocol.sent
        return status, sent, body.result()
    return protocol.sent


def says(*parts, status="200 OK", headers=()):
    """Return an application that answers these parts."""

    def app(_environ, start_response):
        start_response(status, list(headers))
        return iter(parts)

    return app


def seen(environ_parts):
    """Return an application that keeps its environment in `environ_parts`."""

    def app(environ, start_response):
        environ_parts.update(environ, body=environ["wsgi.input"].read())
        start_response("204 No Content", [])
        return []

    return app


def test_a_small_answer_is_sent_from_memory():
    assert ask(says(b"a", b"b", headers=[("X-Kind", "small")])) == (200, {"x-kind": "small"}, b"ab")


@pytest.mark.parametrize("headers", [[], [("Content-Length", "2000000"), ("Content-Encoding", "br")]])
def test_a_long_answer_is_sent_while_it_is_made_with_its_headers(headers):
    parts = [b"x" * 400_000] * 5

    status, sent, body = ask(says(*parts, headers=headers))

    assert (status, sent, body) == (200, {name.lower(): value for name, value in headers}, b"".join(parts))


def test_an_answer_that_takes_long_is_sent_before_it_is_long(monkeypatch):
    monkeypatch.setattr(gateway, "LONG_SECONDS", -1)
    begun = []
    monkeypatch.setattr(streams.Stream, "write", lambda self, part: begun.append(part))

    ask(says(b"x" * 70_000, b"y", b"z"))

    assert begun == [b"z"]


def test_an_answer_in_one_piece_stays_in_memory_however_long_it_took(monkeypatch):
    monkeypatch.setattr(gateway, "LONG_SECONDS", -1)
    monkeypatch.setattr(gateway, "Stream", None)

    assert ask(says(b"x" * 70_000)) == (200, {}, b"x" * 70_000)


def test_the_head_of_a_large_answer_has_its_length_alone():
    assert ask(says(*[b"x" * 400_000] * 5), method="HEAD") == (200, {"content-length": "2000000"}, b"")


def breaking(before):
    """Return an application that breaks behind so many bytes."""

    def breaks():
        yield b"x" * before
        raise RuntimeError("the database is gone")

    def app(_environ, start_response):
        start_response("200 OK", [])
        return breaks()

    return app


def test_an_answer_that_breaks_before_it_began_is_a_failure():
    status, headers, body = ask(breaking(1))

    assert (status, body) == (500, b'{"detail":"Internal Server Error"}')
    assert headers["x-frame-options"] == "DENY"


def test_half_an_answer_never_looks_like_a_whole_one(monkeypatch, tmp_path):
    monkeypatch.setattr(streams.tempfile, "tempdir", str(tmp_path))
    broken = []
    monkeypatch.setattr(streams, "break_off", broken.append)
    logged = []
    monkeypatch.setattr(gateway.log, "exception", lambda event, **said: logged.append((event, said["begun"])))

    assert ask(breaking(2_000_000))[0] == 200

    assert (len(broken), logged) == (1, [("answer_failed", True)])
    assert not list(tmp_path.iterdir())


def test_a_reader_who_takes_nothing_for_long_is_sent_no_more(monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.01)
    broken = []
    monkeypatch.setattr(streams, "break_off", broken.append)

    ask(says(b"x" * 2_000_000), kind=Sleepy)
    os.close(Sleepy.held.pop())

    assert len(broken) == 1


@pytest.mark.parametrize("bound", ["AT_ONCE", "BYTES_AT_ONCE"])
def test_the_answers_on_their_way_are_bounded_together(bound, monkeypatch):
    monkeypatch.setattr(streams, bound, 0)

    status, headers, _body = ask(says(b"x" * 2_000_000))

    assert (status, headers["retry-after"]) == (503, "1")


def test_an_answer_that_grows_beyond_the_bound_is_broken_off(monkeypatch):
    monkeypatch.setattr(streams, "BYTES_AT_ONCE", 2_500_000)
    broken = []
    monkeypatch.setattr(streams, "break_off", broken.append)

    ask(says(*[b"x" * 400_000] * 50))

    assert len(broken) == 1


def test_the_application_gets_the_request_as_it_was_sent():
    environ = {}
    ask(
        seen(environ), b"ab", b"c", method="POST", path="/가\\b", query="q=%20a",
        **{"content-length": "3", "content-type": "text/plain", "x-one": "1"},
    )  # fmt: skip

    assert environ["PATH_INFO"] == "/가\\b".encode().decode("latin-1")
    wanted = {"QUERY_STRING": "q=%20a", "CONTENT_LENGTH": "3", "CONTENT_TYPE": "text/plain", "HTTP_X_ONE": "1"}
    assert {name: environ[name] for name in wanted} == wanted
    assert (environ["body"], environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == (b"abc", "::1", "8001")


def test_a_header_with_an_underscore_does_not_pass_for_one_with_a_dash():
    environ = {}
    ask(seen(environ), **{"x-forwarded-for": "203.0.113.7", "x_forwarded_for": "127.0.0.1", "content_length": "5"})

    assert environ["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"
    assert "CONTENT_LENGTH" not in environ


def test_a_body_in_chunks_has_a_length_for_the_application():
    environ = {}
    ask(seen(environ), b"ab", b"c", method="POST", **{"transfer-encoding": "chunked"})

    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("3", b"abc")
    assert "HTTP_TRANSFER_ENCODING" not in environ


@pytest.mark.parametrize("sent", [b"", b"ab", b"abcd"])
def test_a_body_of_another_length_is_not_handed_on(sent):
    assert ask(says(b"never"), sent, method="POST", **{"content-length": "3"}) is None


def test_too_large_a_body_is_handed_on_as_its_length_alone():
    environ = {}
    ask(seen(environ), b"x" * 90, b"x" * 30, method="POST", **{"content-length": "120"})

    assert (environ["CONTENT_LENGTH"], environ["body"]) == ("120", b"")


def test_the_bodies_on_their_way_are_bounded_together(monkeypatch):
    monkeypatch.setattr(gateway, "BODIES_AT_ONCE", 50)
    monkeypatch.setattr(gateway, "UNCOUNTED", 20)

    refused = ask(says(b"never"), b"x" * 60, method="POST", **{"content-length": "60"})
    small = ask(says(b"taken"), b"x" * 20, method="POST", **{"content-length": "20"})

    assert (refused[0], refused[1]["retry-after"]) == (503, "1")
    assert small[0] == 200


def test_the_requests_that_wait_for_a_thread_are_bounded(monkeypatch):
    monkeypatch.setattr(gateway, "WAITING_PER_THREAD", -1)

    assert ask(says(b"never"))[0] == 503


def test_headers_are_bounded_together():
    assert ask(says(b"never"), **{"x-long": "x" * gateway.MAX_HEADER_BYTES})[0] == 431
