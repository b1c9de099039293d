import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest

from workers.launch import gateway
from workers.launch.gateway import Gateway, Limits


class Headers(dict):
    """Headers as the server hands them over."""


class Protocol:
    """The server's side of one request; keeps what it is told to send."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.sent = None

    async def __aiter__(self):
        for chunk in self._chunks:
            yield chunk

    def response_bytes(self, status, headers, body):
        self.sent = (status, dict(headers), body)

    def response_empty(self, status, headers):
        self.sent = (status, dict(headers), b"")

    def response_file(self, status, headers, path):
        self.sent = (status, dict(headers), Path(path).read_bytes())


def ask(app, *chunks, method="GET", path="/", query="", threads=1, **headers):
    """Return status, headers and body of one request to a WSGI application."""
    scope = SimpleNamespace(
        method=method, path=path, query_string=query, server="127.0.0.1:8001", client="[::1]:4711", scheme="http",
        http_version="1.1", headers=Headers(headers),
    )  # fmt: skip
    protocol = Protocol(*chunks)

    async def answered():
        await Gateway(app, Limits(threads, body_bytes=100, body_seconds=60))(scope, protocol)

    asyncio.run(answered())
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


def test_a_large_answer_is_sent_from_a_file_with_its_length(monkeypatch):
    monkeypatch.setattr(gateway, "FORGET_FILE_SECONDS", 0)
    parts = [b"x" * 400_000] * 5

    status, headers, body = ask(says(*parts))

    assert (status, headers["content-length"], body) == (200, "2000000", b"".join(parts))


def test_the_head_of_a_large_answer_has_its_length_alone():
    assert ask(says(*[b"x" * 400_000] * 5), method="HEAD") == (200, {"content-length": "2000000"}, b"")


@pytest.mark.parametrize("before", [1, 2_000_000])
def test_half_an_answer_never_looks_like_a_whole_one(before, tmp_path, monkeypatch):
    monkeypatch.setattr(gateway.tempfile, "tempdir", str(tmp_path))

    def breaks():
        yield b"x" * before
        raise RuntimeError("the database is gone")

    def app(_environ, start_response):
        start_response("200 OK", [])
        return breaks()

    status, headers, body = ask(app)

    assert (status, body) == (500, b'{"detail":"Internal Server Error"}')
    assert headers["x-frame-options"] == "DENY"
    assert not list(tmp_path.iterdir())


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
