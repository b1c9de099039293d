"""The bounds of the web server: whoever exceeds them is refused, and everybody else is answered meanwhile.

The short form holds 64 bodies of each kind back once; SOAK=1 twenty times, and lets go of them in between.
"""

import http.client
import json
import os
from contextlib import ExitStack, closing

import pytest

from tests.support.halves import CHUNKED, FORM, HALVES, JSON, LONG, post

TIMES = 20 if os.environ.get("SOAK") == "1" else 1


def answer_of(connection) -> tuple[int, dict[str, str], bytes]:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    return answer.status, dict(answer.headers.items()), answer.read()


@pytest.mark.parametrize("kind", HALVES)
def test_half_sent_bodies_take_no_thread(web_server, kind):
    token = f"X-Admin-Token: {web_server.token}\r\n".encode() if kind == "upload" else b""
    path, headers, begin = HALVES[kind]
    for _turn in range(TIMES):
        with ExitStack() as held:
            for _ in range(64):
                held.enter_context(closing(web_server.opened(post(path, token + headers, begin))))

            assert web_server.get("/health")[0] == 200
            assert web_server.get("/admin/sites")[0] == 200


@pytest.mark.parametrize("begin", [b"", b"GE", b"GET /health HTTP/1.1\r\nHost: con", post(b"/sign-in", b"", b"")[:-4]])
def test_half_sent_heads_take_no_thread(web_server, begin):
    with ExitStack() as held:
        for _ in range(64):
            held.enter_context(closing(web_server.opened(begin)))

        assert web_server.get("/health")[0] == 200
        assert web_server.get("/admin/sites")[0] == 200


def test_slow_readers_take_no_thread(web_server):
    """Each asks for more than the buffers of a connection hold, and reads nothing of it."""
    assert len(web_server.get("/openapi.json")[1]) * 60 > 10_000_000
    ask = b"GET /openapi.json HTTP/1.1\r\nHost: console\r\n\r\n" * 60
    with ExitStack() as held:
        for _ in range(32):
            held.enter_context(closing(web_server.opened(ask)))

        assert web_server.get("/health")[0] == 200
        assert web_server.get("/admin/sites")[0] == 200


@pytest.mark.parametrize("kind", HALVES)
def test_a_body_that_is_late_is_refused(strict_server, kind):
    path, headers, begin = HALVES[kind]
    with closing(strict_server.opened(post(path, headers, begin))) as late:
        assert strict_server.get("/health")[0] == 200
        status, sent, body = answer_of(late)

        assert (status, json.loads(body)) == (408, {"detail": "Request Timeout"})
        assert sent["connection"] == "close"
        assert sent["x-content-type-options"] == "nosniff"
        assert late.recv(1) == b""


def test_a_trickle_does_not_prolong_the_time_for_a_body(strict_server):
    with closing(strict_server.opened(post(b"/sign-in", FORM + LONG, b"u"))) as late:
        late.settimeout(0.2)
        sent = 1
        while sent < 4000:
            try:
                if late.recv(1, 2):  # MSG_PEEK
                    break
            except TimeoutError:
                late.sendall(b"x")
                sent += 1

        assert answer_of(late)[0] == 408


def test_a_head_that_is_late_ends_the_connection(strict_server):
    with closing(strict_server.opened(b"GET /health HTTP/1.1\r\nHost: con")) as late:
        assert strict_server.get("/health")[0] == 200
        assert late.recv(1) == b""


def test_a_head_that_is_too_long_is_refused(strict_server):
    head = b"GET /health HTTP/1.1\r\nHost: console\r\nX-Long: " + b"x" * 33_000 + b"\r\n\r\n"
    with closing(strict_server.opened(head)) as long:
        assert answer_of(long)[0] == 431


@pytest.mark.parametrize("size", [20_001, 39_000, 5_000_000, 5_000_000_000])
def test_a_body_that_is_too_large_is_refused_and_the_refusal_arrives(strict_server, size):
    token = f"X-Admin-Token: {strict_server.token}\r\n".encode()
    headers = token + JSON + b"Content-Length: %d\r\n" % size
    with closing(strict_server.opened(post(b"/api/admin/users", headers, b"x" * min(size, 39_000)))) as large:
        assert answer_of(large)[0] == 413


def test_a_body_in_chunks_that_is_too_large_is_refused(strict_server):
    token = f"X-Admin-Token: {strict_server.token}\r\n".encode()
    body = (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 4 + b"0\r\n\r\n"
    with closing(strict_server.opened(post(b"/api/admin/users", token + JSON + CHUNKED, body))) as large:
        assert answer_of(large)[0] == 413


def test_a_body_in_chunks_is_read(strict_server):
    token = f"X-Admin-Token: {strict_server.token}\r\n".encode()
    body = b'15\r\n{"username": "chunks_\r\n' + b'3\r\na"}\r\n0\r\n\r\n'
    with closing(strict_server.opened(post(b"/api/admin/users", token + JSON + CHUNKED, body))) as good:
        status, _headers, made = answer_of(good)

    assert status == 201
    assert json.loads(made)["username"] == "chunks_a"


def test_a_form_in_chunks_is_refused(strict_server):
    """Half of it could not be told from the whole."""
    with closing(strict_server.opened(post(b"/sign-in", FORM + CHUNKED, b"3\r\nabc\r\n"))) as form:
        assert answer_of(form)[0] == 411


def test_a_body_that_breaks_off_changes_nothing(strict_server):
    token = f"X-Admin-Token: {strict_server.token}\r\n".encode()
    body = b'{"username": "broken_off"}'
    headers = token + JSON + b"Content-Length: %d\r\n" % (len(body) + 1)
    with closing(strict_server.opened(post(b"/api/admin/users", headers, body))) as broken:
        broken.shutdown(1)
        broken.recv(1000)

    status, users = strict_server.get("/api/admin/users", {"X-Admin-Token": strict_server.token, "Cookie": ""})
    assert status == 200
    assert "broken_off" not in users.decode()
