"""Requests that are refused by their head alone: the answer arrives, and the connection carries the next one."""

from __future__ import annotations

import http.client
import os

import pytest

ROUNDS = int(os.environ.get("EARLY_REFUSALS", "100"))
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPLOAD = {"Content-Type": "multipart/form-data; boundary=b"}
BODY, FILE = b'{"a": "' + b"x" * 3000 + b'"}', b"--b\r\n" + b"x" * 1_000_000
EVIDENCE = "/api/adoption/w07/tracker/items/1/evidence"
# Status, method, path, headers, body; `{auditor}` is the token of somebody who may only read.
EARLY = {
    "unknown": (404, "POST", "/api/no-such-thing", JSON, BODY),
    "unknown page": (404, "POST", "/no-such-page", JSON, BODY),
    "method": (405, "POST", "/api/auth/me", JSON, BODY),
    "nobody": (401, "POST", "/api/admin/users", JSON, BODY),
    "nobody's upload": (401, "POST", EVIDENCE, UPLOAD, FILE),
    "wrong token": (401, "POST", "/api/admin/users", {**JSON, "X-Admin-Token": "wrong"}, BODY),
    "forbidden upload": (403, "POST", EVIDENCE, {**UPLOAD, "X-Admin-Token": "{auditor}"}, FILE),
    "sent to the sign-in": (303, "POST", "/board/new", FORM, b"title=" + b"x" * 3000),
    "forged": (400, "POST", "/board/new", {**FORM, "Cookie": "{cookie}"}, b"title=" + b"x" * 3000),
    "not json": (422, "POST", "/api/auth/login", JSON, b"{" + b"x" * 3000),
    "too large": (413, "POST", "/api/auth/login", JSON, b"x" * 7_000_000),
}


@pytest.mark.parametrize("kind", EARLY)
def test_every_early_refusal_arrives(web_server, kind):
    status, method, path, headers, body = EARLY[kind]
    known = {"{auditor}": web_server.auditor, "{cookie}": web_server.cookie}
    sent = {name: known.get(value, value) for name, value in headers.items()}
    # Large bodies say the same in fewer rounds.
    rounds = ROUNDS if len(body) < 100_000 else max(1, ROUNDS // 20)
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=60)
    connection.connect()
    first, opened, found = connection.sock, 0, []
    for _ in range(rounds):
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        answer.read()
        found.append(answer.status)
        opened += connection.sock is not first
    connection.close()

    assert found == [status] * rounds
    assert opened == 0


def test_a_refusal_of_far_too_much_arrives_after_all_was_sent(web_server):
    """What is not even thrown away ends the connection, but not before the refusal was read."""
    for _ in range(max(3, ROUNDS // 20)):
        connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=60)
        connection.request("POST", "/api/auth/login", body=b"x" * 20_000_000, headers=JSON)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (413, True)
        connection.close()


def test_a_form_in_chunks_reads_its_refusal_after_all_was_sent(web_server):
    for _ in range(max(3, ROUNDS // 20)):
        connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=60)
        pieces = (b"x" * 100_000 for _ in range(100))
        connection.request("POST", "/sign-in", body=pieces, headers=FORM, encode_chunked=True)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (411, True)
        connection.close()
