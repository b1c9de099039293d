"""Who acts, in which transaction, at what time: the one argument of every use case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from console.core.clock import Clock
from console.core.config import Config
from console.domain.errors import GlobalScopeRequired, PermissionDenied, SiteDenied

ALL_SITES = ("*",)
# Where the session of a dry run says so: other contexts on the same session are part of the same run.
DRY_RUN = "dry_run"
ActorKind = Literal["token", "session", "env", "local", "system", "anonymous"]


@dataclass(frozen=True)
class Actor:
    """The principal of a use case (API contract, kinds of principal).

    `permissions` is the published effective list, `grants` what roles gained later; `site_scope` is `("*",)` for all
    sites and empty for none. Instants are aware UTC.
    """

    kind: ActorKind
    username: str
    display_name: str = ""
    role: str = ""
    permissions: tuple[str, ...] = ()
    grants: frozenset[str] = frozenset()
    site_scope: tuple[str, ...] = ()
    user_id: int | None = None
    token_id: int | None = None
    session_id: int | None = None
    is_legacy: bool = False
    token_label: str | None = None
    token_created_at: datetime | None = None
    token_expires_at: datetime | None = None
    token_rotate_due_at: datetime | None = None
    token_idle_due_at: datetime | None = None
    token_must_rotate: bool = False
    must_change_password: bool = False
    has_second_factor: bool = False
    locale: str | None = None

    def can(self, permission: str) -> bool:
        """Return whether `permission` is held: as `*`, literally, as `namespace:*`, or as a later grant."""
        held = self.permissions
        namespace = permission.partition(":")[0]
        return "*" in held or permission in held or f"{namespace}:*" in held or permission in self.grants

    def require(self, permission: str, *alternatives: str) -> None:
        """Raise PermissionDenied, naming the first permission, unless any of them is held."""
        if not any(self.can(name) for name in (permission, *alternatives)):
            raise PermissionDenied.missing(permission)

    @property
    def all_sites(self) -> bool:
        """Return whether the scope is every site."""
        return "*" in self.site_scope

    def sees(self, site: str | None) -> bool:
        """Return whether a record of `site` may be read; None is a record of the platform."""
        return site is None or self.all_sites or site in self.site_scope

    def require_site(self, site: str | None) -> None:
        """Raise SiteDenied for a site outside the scope."""
        if not self.sees(site):
            raise SiteDenied

    def require_all_sites(self) -> None:
        """Raise GlobalScopeRequired unless the scope is every site."""
        if not self.all_sites:
            raise GlobalScopeRequired


SYSTEM = Actor("system", "system", "System", "owner", ("*",), frozenset(), ALL_SITES)
ANONYMOUS = Actor("anonymous", "anonymous")


@dataclass
class Context:
    """Session, clock, actor, settings and request id of one use case.

    Services flush and never commit; the door that opened the context commits once. `only_reads` promises that the
    session writes nothing, so that what is found may be kept (see `services/common/query_cache.py`).
    """

    session: Session
    clock: Clock
    actor: Actor
    config: Config
    request_id: str = field(default_factory=lambda: uuid4().hex)
    only_reads: bool = False
    _after_commit: list[Callable[[], None]] = field(default_factory=list, repr=False)
    _on_rollback: list[Callable[[], None]] = field(default_factory=list, repr=False)

    def now(self) -> datetime:
        """Return the present instant, aware UTC; a use case reads it once."""
        return self.clock.now()

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of the installation: of working hours, days and weeks where no site says another."""
        return ZoneInfo(self.config["BUSINESS_TIME_ZONE"])

    @property
    def dry_run(self) -> bool:
        """Return whether everything written will be undone: files and messages must not leave then."""
        return bool(self.session.info.get(DRY_RUN))

    def begin_write(self, patience: float | None = None) -> None:
        """End the reading transaction, if one is open, and take the right to write; `patience` as in start_writing.

        SQLite lets one writer in at a time; taking the lock first avoids the failure of a stale reader that turns
        into a writer. Whatever was read before must be checked again by the conditions of the updates.
        """
        self.session.rollback()
        self.only_reads = False
        start_writing(self.session, patience)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once the transaction has been committed; it is dropped on a rollback."""
        self._after_commit.append(action)

    def on_rollback(self, action: Callable[[], None]) -> None:
        """Run `action` if the transaction is undone: for what was made outside the database; dropped on a commit.

        After a commit that failed it is not known whether it took place: the action must look.
        """
        self._on_rollback.append(action)

    @property
    def writing(self) -> bool:
        """Return whether the open transaction has the right to write already."""
        session = self.session
        return session.in_transaction() and "sqlite_begin" in session.connection().get_execution_options()

    def commit(self) -> None:
        """Commit, then run what waited for it. For doors only."""
        self.session.commit()
        self._on_rollback.clear()
        waiting, self._after_commit = self._after_commit, []
        for action in waiting:
            action()

    def rollback(self) -> None:
        """Undo everything since the last commit and forget what waited for it. For doors only."""
        self._after_commit.clear()
        waiting, self._on_rollback = self._on_rollback, []
        self.session.rollback()
        for action in waiting:
            action()


def start_writing(session: Session, patience: float | None = None) -> None:
    """Open the session's transaction as a writer; on SQLite this must come before its first statement.

    With `patience` it waits for the one writer that SQLite admits no longer than so many seconds and then raises
    OperationalError: for what can be written later just as well.
    """
    options: dict[str, object] = {"sqlite_begin": "IMMEDIATE"}
    if patience is not None:
        options["write_patience"] = patience
    if session.in_transaction() and session.get_bind().dialect.name == "postgresql":
        # PostgreSQL lets a reader turn into a writer; the transaction only has to know that it is one.
        session.connection().execution_options(**options)
    else:
        session.connection(execution_options=options)


@contextmanager
def unit_of_work(
    factory: sessionmaker[Session] | Callable[[], Session],
    *,
    actor: Actor,
    clock: Clock,
    config: Config,
    write: bool = True,
    patience: float | None = None,
    request_id: str | None = None,
) -> Iterator[Context]:
    """Return a context around one transaction: committed at the end, rolled back on any error.

    A writing one waits for other writers no longer than `patience`, as `start_writing` says.
    """
    session = factory()
    ctx = Context(session, clock, actor, config, request_id or uuid4().hex)
    try:
        if write:
            start_writing(session, patience)
        yield ctx
        ctx.commit()
    except BaseException:
        ctx.rollback()
        raise
    finally:
        session.close()
