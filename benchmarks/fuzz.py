"""Requests that no sensible client sends, made from the route table, the API document and the forms of the pages.

Chance decides, from a seed, so that a run can be repeated. Speaks to loopback addresses only.
"""

from __future__ import annotations

import html
import http.client
import json
import random
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from console import ConsoleApp
from tests.contract.routes import Route, routes

HOST = "127.0.0.1"
# What ends the caller's own session, or the account that the fuzz needs.
ENDS_ITSELF = ("/api/auth/logout", "/api/auth/me", "/sign-out", "/account/sessions", "/account/password")
API, PAGE, FRAGMENT, FORM = "API", "pages", "fragments", "forms"
KINDS = (API, PAGE, FRAGMENT, FORM)
WEIGHTS = (40, 20, 20, 20)
LONG = "가" * 5_000
TEXTS: tuple[str, ...] = (
    *("", " ", "0", "-1", "1e9", "99999999999999999999", "NaN", "Infinity", "true", "null", "²", "٣", "\x00", "a\x00b"),
    *(
        "\ud800",
        "\u200b",
        "\u202e",
        "=1+1",
        "＝1+1",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "%00",
        "' OR 1=1 --",
    ),
    *("*", "본관", "2026-03-02", "2026-02-30", "0001-01-01T00:00", "9999-12-31T23:59:59Z", "2026-03", "24:00", "P1D"),
    *("desc", "done", "pending", "owner", "all", "overdue", "-title", "title", "{{7*7}}", "\r\nX-Injected: 1", LONG),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 2**31, 2**63, 10**30, 1.5, 1e308, [], {}, [[]], {"a": {}}, [None], ["a"] * 200),
    *TEXTS,
)
NUMBERS = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "7",
    "12",
    "20",
    "30",
    "987654321",
    "2147483648",
    "9223372036854775808",
    "1" + "0" * 30,
)
BROKEN = (b"", b"{", b"[]", b"null", b'"text"', b"1e999", b"\xff\xfe", b'{"a": NaN}', b"[" * 5_000 + b"]" * 5_000)
FILES = (
    b"",
    b"%PDF-1.7\n1 0 obj <</J#53 1>>",
    b"\x89PNG\r\n\x1a\n" + b"\x00" * 64,
    b"PK\x03\x04" + b"\xff" * 90,
    b"a,b\n=1,2\n",
)
NAMES = ("q", "site", "page", "per_page", "sort", "columns", "status", "assignee", "lang", "cursor", "month", "limit")
WEEKS = ("w02", "w07", "w12", "w99")
_ARGUMENT = re.compile(r"<(?:(\w+):)?(\w+)>")
_FORM = re.compile(r"<form\b[^>]*\baction=\"([^\"]+)\"[^>]*>(.*?)</form>", re.DOTALL | re.IGNORECASE)
_INPUT = re.compile(r"<(?:input|textarea|select|button)\b[^>]*\bname=\"([^\"]+)\"(?:[^>]*\bvalue=\"([^\"]*)\")?")
_QUERY = re.compile(r"[?&;](\w+)=")
_CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Caller:
    """Somebody who asks: a person by session cookie, a program by token, or nobody. One thread uses it at a time."""

    name: str
    cookie: str = ""
    token: str = ""
    csrf: str = ""


@dataclass(frozen=True)
class Sent:
    """One request, enough to send it again."""

    kind: str
    caller: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Knowledge:
    """What was learnt from the answers so far; shared by all threads."""

    forms: dict[str, dict[str, str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=lambda: set(NAMES))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, text: str) -> None:
        """Keep the forms of a page, and the parameters of its links."""
        found = {}
        for action, inside in _FORM.findall(text):
            found[html.unescape(action)] = {name: html.unescape(value) for name, value in _INPUT.findall(inside)}
        names = set(_QUERY.findall(text))
        with self.lock:
            # The forms of hundreds of items are alike.
            if len(self.forms) < 2_000:
                self.forms.update(found)
            self.names |= names


class Fuzz:
    """Makes requests for an application; each thread has one of its own, with the same `known`."""

    def __init__(self, app: ConsoleApp, known: Knowledge, seed: int) -> None:
        self._chance = random.Random(seed)
        self._known = known
        every = [route for route in routes(app) if not route.rule.startswith(ENDS_ITSELF)]
        self._api = [route for route in every if route.is_api]
        self._pages = [route for route in every if not route.is_api and route.method == "GET"]
        self._posts = [route for route in every if not route.is_api and route.method != "GET"]
        self._fields = {str(route): _fields(app.api_doc, route) for route in self._api}

    def request(self, caller: Caller) -> Sent:
        """Return the next request of a caller."""
        (kind,) = self._chance.choices(KINDS, WEIGHTS)
        if kind == API:
            return self._api_request(caller)
        if kind == FORM:
            return self._form(caller)
        headers = {"Accept": "text/html", "Cookie": caller.cookie}
        if kind == FRAGMENT:
            headers |= {"HX-Request": "true", "HX-Request-Type": "partial"}
        path = self._address(self._chance.choice(self._pages).rule) + self._query(sorted(self._known.names))
        return Sent(kind, caller.name, "GET", path, headers, b"")

    def _api_request(self, caller: Caller) -> Sent:
        route = self._chance.choice(self._api)
        query, fields = self._fields[str(route)]
        headers = {"X-Admin-Token": caller.token} if caller.token else {}
        path = self._address(route.rule) + self._query(query or NAMES)
        if route.method == "GET":
            return Sent(API, caller.name, "GET", path, headers, b"")
        if route.rule.endswith("/evidence") and self._chance.random() < 0.7:
            body, content = self._upload()
        elif self._chance.random() < 0.15:
            body, content = self._chance.choice(BROKEN), "application/json"
        else:
            chosen = self._some(fields, 4)
            body = json.dumps({name: self._chance.choice(VALUES) for name in chosen}).encode()
            content = "application/json"
        return Sent(API, caller.name, route.method, path, {**headers, "Content-Type": content}, body)

    def _form(self, caller: Caller) -> Sent:
        with self._known.lock:
            forms = list(self._known.forms.items())
        if forms and self._chance.random() < 0.7:
            action, values = self._chance.choice(forms)
            path = quote(action, safe="/?&=%+:;,")
            fields = dict(values)
        else:
            path, fields = self._address(self._chance.choice(self._posts).rule), {}
        if path.startswith(ENDS_ITSELF) or not path.startswith("/"):
            path = "/preferences"
        for name in self._some([*fields, *sorted(self._known.names)], 4):
            fields[name] = self._chance.choice((*TEXTS, *NUMBERS))
        if caller.csrf and self._chance.random() < 0.95:
            fields["csrf_token"] = caller.csrf
        headers = {"Accept": "text/html", "Cookie": caller.cookie, "Origin": f"http://{HOST}"}
        if self._chance.random() < 0.5:
            headers["HX-Request"] = "true"
        if path.partition("?")[0].endswith("/evidence") and self._chance.random() < 0.7:
            body, content = self._upload(fields)
        else:
            body, content = urlencode(fields, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
        return Sent(FORM, caller.name, "POST", path, {**headers, "Content-Type": content}, body)

    def _upload(self, fields: Mapping[str, str] | None = None) -> tuple[bytes, str]:
        name = self._chance.choice(("a.pdf", "사진.png", "../x.csv", ".jpg", "a" * 300 + ".zip", "", "x.exe"))
        kind = self._chance.choice(("application/pdf", "image/png", "", "text/csv", "application/zip", "a/b/c"))
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
            for key, value in (fields or {}).items()
        ]
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
        text = ("".join(parts) + head).encode("utf-8", "surrogatepass")
        return text + self._chance.choice(FILES) + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"

    def _address(self, rule: str) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] == "week":
                return self._chance.choice(WEEKS)
            if found[1] == "int" or found[2].endswith("_id"):
                return self._chance.choice(NUMBERS[2:9] * 3 + NUMBERS) if self._chance.random() < 0.95 else _quoted("²")
            return _quoted(self._chance.choice(("2026-03", "ops_governance_gate", "js", *TEXTS[1:24])))

        return _ARGUMENT.sub(value, rule)

    def _query(self, names: Sequence[str]) -> str:
        if self._chance.random() < 0.3:
            return ""
        pairs = [(name, self._chance.choice((*TEXTS, *NUMBERS))) for name in self._some(names, 3)]
        if self._chance.random() < 0.05 and names:
            pairs += [(self._chance.choice(names), f"u{number}") for number in range(self._chance.choice((5, 40, 700)))]
        return "?" + "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in pairs)

    def _some(self, names: Sequence[str], most: int) -> list[str]:
        return self._chance.sample(names, min(len(names), self._chance.randint(0, most)))


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _fields(document: Mapping[str, Any], route: Route) -> tuple[list[str], list[str]]:
    """Return the parameters and the fields of the body that the API document names for a route."""
    described = document["paths"].get(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule), {})
    operation = described.get(route.method.lower(), {})
    query = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"]
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    return query, list(document["components"]["schemas"].get(name, schema).get("properties", ()))


class Connection:
    """One keep-alive connection of one thread."""

    def __init__(self, port: int, timeout: float = 120.0) -> None:
        self.port = port
        self._connection = http.client.HTTPConnection(HOST, port, timeout=timeout)

    def send(self, sent: Sent) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; give status, headers and body. Raises OSError or HTTPException when nothing comes back."""
        headers = {name: value for name, value in sent.headers.items() if value}
        try:
            # A head that is too long is refused while it is being sent: the answer is there all the same.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._connection.request(sent.method, sent.path, body=sent.body or None, headers=headers)
            answer = self._connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def learn(caller: Caller, known: Knowledge, headers: Mapping[str, str], body: bytes) -> None:
    """Keep what an answer brought: the renewed cookie, forms and parameters of a page."""
    for name, value in headers.items():
        if name.lower() == "set-cookie" and caller.cookie and value.startswith(caller.cookie.partition("=")[0]):
            caller.cookie = value.partition(";")[0]
    if b"<form" in body or b"<html" in body:
        text = body.decode("utf-8", "replace")
        known.read(text)
        token = _CSRF.search(text)
        if token and caller.cookie:
            caller.csrf = html.unescape(token[1])
