"""The unit of work of a request, and what a route demands of its caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from flask import Response, current_app, g, request
from sqlalchemy.orm import Session

from console.core.clock import Clock
from console.core.config import Config
from console.core.context import ANONYMOUS, Actor, Context, start_writing
from console.domain.errors import PermissionDenied
from console.domain.identity.addresses import escaped_path
from console.web.extensions import db

View = TypeVar("View", bound=Callable[..., Any])
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Access:
    """What a route demands: any of `permissions`, unless it is public.

    A permission may name values of the address, as in `adoption_{week}:read`. `rate` overrides the class of the rate
    limit, `writes` opens a writing transaction for a GET.
    """

    permissions: tuple[str, ...] = ()
    public: bool = False
    rate: str | None = None
    writes: bool | None = None

    def at(self, values: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Return the permissions that the address with these values demands."""
        return tuple(name.format_map(values or {}) if "{" in name else name for name in self.permissions)


SIGNED_IN = Access()


def access(
    *permissions: str, public: bool = False, rate: str | None = None, writes: bool | None = None
) -> Callable[[View], View]:
    """Declare what a view demands; write it directly below the route decorator.

    Without arguments any signed-in caller may enter. The permission is checked before the body is looked at; the
    service checks it again for the other doors.
    """
    demand = Access(permissions, public, rate, writes)

    def mark(view: View) -> View:
        # Route decorators wrap with functools.wraps, which carries attributes along.
        vars(view)["access"] = demand
        return view

    return mark


def demanded() -> Access:
    """Return what the current route demands; an unmarked one wants a signed-in caller."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "access", SIGNED_IN)


def check_access(actor: Actor) -> None:
    """Raise PermissionDenied unless the actor holds one of the permissions of the current route."""
    demand = demanded()
    if demand.public or not demand.permissions:
        return
    permissions = demand.at(request.view_args)
    if actor.kind == "anonymous":
        raise PermissionDenied.missing(permissions[0])
    actor.require(*permissions)


def nearest_page(path: str) -> str | None:
    """Return the nearest address at or above `path` that can be opened, such as the item of a comment, or None."""
    adapter = current_app.create_url_adapter(request)
    while adapter is not None and len(path) > 1:
        if adapter.test(path, "GET"):
            return escaped_path(path)
        path = path.rstrip("/").rpartition("/")[0]
    return None


def app_config() -> Config:
    """Return the settings of the running application."""
    return current_app.extensions["console_config"]


def app_clock() -> Clock:
    """Return the clock of the running application."""
    return current_app.extensions["console_clock"]


def request_id() -> str:
    """Return the id of the current request; a well-formed one of a proxy is kept."""
    if "request_id" not in g:
        sent = request.headers.get("X-Request-Id", "")
        plain = sent.isascii() and sent.replace("-", "").isalnum() and 8 <= len(sent) <= 64
        g.request_id = sent if plain else uuid4().hex
    return g.request_id


def own_address() -> str:
    """Return the address of the current request, as a link that leads to this console and nowhere else."""
    query = request.query_string.decode("utf-8", "replace")
    return escaped_path(request.path) + ("?" + query if query else "")


def current_actor() -> Actor:
    """Return the caller that `security` resolved, or the anonymous one."""
    return g.get("actor", ANONYMOUS)


def writes() -> bool:
    """Return whether the current request may write."""
    demand = demanded()
    return request.method in UNSAFE if demand.writes is None else demand.writes


def web_context() -> Context:
    """Return the context of this request; it is committed once, after the view, unless the answer is an error."""
    if "ctx" not in g:
        session = db.session()
        # An error page only reads; with the right to write it would keep the record of the refusal waiting.
        writing = writes() and not g.get("abandoned", False)
        g.ctx = Context(session, app_clock(), current_actor(), app_config(), request_id(), only_reads=not writing)
        if writing:
            _turn_to_writing(session)
    return g.ctx


def _turn_to_writing(session: Session) -> None:
    """Let a session that read who is calling write.

    SQLite needs a new transaction for that. On PostgreSQL every statement sees what is committed anyway: what was
    read is forgotten, and two round trips are spared.
    """
    if session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        session.expunge_all()
    else:
        session.rollback()
    start_writing(session)


def read_anew() -> None:
    """End what this request read so far: it now sees what was committed beside it. For requests that only read."""
    db.session.rollback()


def abandon() -> None:
    """Undo what this request wrote so far; from here on it may only read."""
    g.abandoned = True
    ctx: Context | None = g.pop("ctx", None)
    if ctx is not None:
        ctx.rollback()


def finish(response: Response) -> None:
    """Commit the request's transaction, or undo it when the answer is an error."""
    ctx: Context | None = g.get("ctx")
    if ctx is None:
        return
    if response.status_code < 400:
        ctx.commit()
    else:
        ctx.rollback()
