"""Conditional reads: who holds the newest state of a list already is told so in a few bytes.

The answer to a GET in which a list was read carries a tag: `ETag` for programs, `HX-PTag` for the live parts of pages.
It is a hash of everything the answer depends on: who reads, in which rights, language and look, at which address and
minute, and the tokens of the tables that were really read. A page names none of it. Nothing is kept of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from threading import Lock
from typing import Any

from cachetools import LRUCache
from flask import Flask, Response, g, request, session

from console.core import revisions
from console.core.context import Actor
from console.web.negotiation import wants_fragment, wants_json
from console.web.request import app_clock, current_actor, web_context, writes

PTAG = "HX-PTag"
# Answers whose tables are remembered; an address that is not among them is simply answered in full.
MOST = 1024
_SENT = re.compile(r'(?:W/)?"?([0-9a-f]{32})')


@dataclass(frozen=True, slots=True)
class _Known:
    """What an answer was made of, and until when it reads the same (aware UTC)."""

    tables: frozenset[str]
    until: datetime


_known: LRUCache[Hashable, _Known] = LRUCache(MOST)
_lock = Lock()


def init_app(app: Flask) -> None:
    """Answer 304 before the view where nothing changed; must come after the check of the credential."""
    app.before_request(_before)
    app.after_request(_after)
    app.teardown_request(_end)


def _before() -> Response | None:
    """Begin to collect what the view reads; answer 304 when the tag that was sent still says the same."""
    if request.method != "GET" or request.endpoint is None or writes() or current_actor().kind == "anonymous":
        return None
    # Asked for before the view reads anything, so that its rows are at least as new.
    g.tokens = tokens = revisions.tokens(web_context().session.connection())
    sent = _SENT.match(request.headers.get(PTAG) or request.headers.get("If-None-Match", ""))
    g.conditional = key = _key_of(current_actor())
    # A message waits to be shown once.
    if sent is not None and "toasts" not in session:
        with _lock:
            known = _known.get(key)
        if known is not None and app_clock().now() <= known.until and sent[1] == _tag(key, known.tables, tokens):
            return _unchanged(sent[1])
    g.reading = revisions.Reading()
    g.reading_before = revisions.begin_reading(g.reading)
    return None


def _key_of(actor: Actor) -> Hashable:
    """Return everything but the database that the answer to this request depends on."""
    # The dates of a credential move with its use; what it may do is in the rest.
    dates: dict[str, Any] = dict.fromkeys(("token_rotate_due_at", "token_idle_due_at", "token_expires_at"))
    reader = (replace(actor, grants=frozenset(), **dates), tuple(sorted(actor.grants)))
    shape = (wants_fragment(), "text/html" in request.headers.get("Accept", ""))
    cookies = tuple(request.cookies.get(name) for name in ("lang", "theme"))
    look = () if wants_json() else (request.headers.get("Accept-Language"), *cookies, session.get("csrf_token"))
    minute = int(app_clock().now().timestamp() // 60)
    return (reader, request.full_path, shape, look, minute)


def _tag(key: Hashable, tables: frozenset[str], tokens: revisions.Tokens) -> str:
    said = (key, [(name, tokens.get(name)) for name in sorted(tables)])
    return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _unchanged(tag: str) -> Response:
    response = Response(status=304)
    response.headers.set(PTAG if wants_fragment() else "ETag", tag if wants_fragment() else f'W/"{tag}"')
    return response


def _after(response: Response) -> Response:
    reading: revisions.Reading | None = g.get("reading")
    if reading is None or not reading.lists or not _plain(response):
        return response
    tables = frozenset(reading.tables)
    with _lock:
        _known[g.conditional] = _Known(tables, reading.until)
    # Those of before the view: its own transaction has ended by now.
    tag = _tag(g.conditional, tables, g.tokens)
    if wants_json():
        response.headers.setdefault("ETag", f'W/"{tag}"')
    else:
        response.headers[PTAG] = tag
    return response


def _plain(response: Response) -> bool:
    """Return whether an answer is the whole state: no error, no download, no message that is shown once."""
    once = "HX-Trigger" in response.headers or session.modified
    return response.status_code == 200 and not response.is_streamed and not once


def _end(_error: BaseException | None) -> None:
    if (before := g.pop("reading_before", None)) is not None:
        revisions.end_reading(before)
