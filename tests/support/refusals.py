"""Requests that are refused by their head alone, while their body is on its way."""

from __future__ import annotations

import http.client

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPLOAD = {"Content-Type": "multipart/form-data; boundary=b"}
BODY, FILE = b'{"a": "' + b"x" * 3000 + b'"}', b"--b\r\n" + b"x" * 1_000_000
EVIDENCE = "/api/adoption/w07/tracker/items/1/evidence"
# Status, method, path, headers, body; `{auditor}` is the token of somebody who may only read, `{cookie}` a session.
EARLY: dict[str, tuple[int, str, str, dict[str, str], bytes]] = {
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


def refused(port: int, kind: str, rounds: int, known: dict[str, str]) -> tuple[list[int], int]:
    """Send requests of a kind over one connection; return their statuses, and how often it had to be opened again.

    Raises OSError or HTTPException for an answer that does not come.
    """
    _status, method, path, headers, body = EARLY[kind]
    sent = {name: known.get(value, value) for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    first, opened, found = connection.sock, 0, []
    for _ in range(rounds):
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        answer.read()
        found.append(answer.status)
        opened += connection.sock is not first
    connection.close()
    return found, opened
