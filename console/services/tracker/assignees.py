"""Who can be given an item: people who may really work on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.identity import able
from console.domain.identity.able import Worker
from console.domain.identity.scope import ALL_SITES
from console.domain.text import Text
from console.domain.tracker.tracker import REMEDIATION, TrackerKind
from console.models.identity import User
from console.models.tracker import TrackerItem
from console.services.common.query_cache import cached_query
from console.services.tracker import rows
from console.services.tracker.change import Person, person


@dataclass(frozen=True)
class Candidate:
    """A person to choose from; `own` says that they work at the very site and not at all of them."""

    username: str
    name: str
    worker: Worker
    own: bool = False

    def can_work(self, programme: TrackerKind, site: str | None) -> bool:
        """Return whether they may work on items of `site`."""
        return able.obstacle(self.worker, programme.write, site) is None


@dataclass(frozen=True)
class Whom:
    """Whom the text of an assignee names, and what decides about them; a text of nobody has no obstacle."""

    person: Person
    name: str = ""
    worker: Worker | None = None
    write: tuple[str, ...] = ()

    def obstacle(self, site: str | None) -> Text | None:
        """Return why they cannot work on an item of `site`, or None."""
        if self.person.text is None:
            return None
        word = able.obstacle(self.worker, self.write, site)
        return able.sentence(word, self.name, site) if word else None

    def elsewhere(self) -> ColumnElement[bool]:
        """Return the condition of the items that they cannot work on."""
        if self.person.text is None:
            return false()
        if self.worker is None or able.obstacle_anywhere(self.worker, self.write):
            return true()
        return false() if self.worker.sites == ALL_SITES else TrackerItem.site_key.not_in(("", *self.worker.sites))


NOBODY = Whom(Person(None, None))


def whom(ctx: Context, text: str, programme: TrackerKind) -> Whom:
    """Return whom a text names, and what decides about them."""
    return worker_named(ctx, text, programme.write)


def worker_named(ctx: Context, text: str, write: tuple[str, ...]) -> Whom:
    """Return whom a text names; they can work where they hold one of the permissions `write` and see the site."""
    named = person(ctx, text)
    row = None if named.user_id is None else ctx.session.execute(_people().where(User.id == named.user_id)).first()
    if row is None:
        return Whom(named, named.text or "", None, write)
    return Whom(named, row.display_name or row.username, _worker(row), write)


def require_able(ctx: Context, text: str | None, site: str | None, programme: TrackerKind = REMEDIATION) -> None:
    """Raise Invalid when the named person could not work on an item of `site`; for pages, the API takes any text."""
    told = whom(ctx, text, programme).obstacle(site) if text else None
    if told is not None:
        raise Invalid.field("assignee", told)


def candidates(ctx: Context, site: str | None = None, programme: TrackerKind = REMEDIATION) -> tuple[Candidate, ...]:
    """Return the people who may work on items of `site` (None: of the platform): its own people first, then by name."""
    ctx.actor.require(*programme.read)
    return cached_query(ctx, ("candidates", site, programme.write), lambda: _candidates(ctx, site, programme))


def _candidates(ctx: Context, site: str | None, programme: TrackerKind) -> tuple[Candidate, ...]:
    people = ctx.session.execute(_people().where(User.is_active).order_by(User.display_name, User.username))
    found = []
    for row in people:
        worker = _worker(row)
        if able.obstacle(worker, programme.write, site) is None:
            own = site is not None and worker.sites != ALL_SITES
            found.append(Candidate(row.username, row.display_name or row.username, worker, own))
    return tuple(sorted(found, key=lambda person: not person.own))


def _people() -> Select[Any]:
    wanted: list[Any] = [User.id, User.username, User.display_name, User.is_active]
    return select(*wanted, User.role, User.permissions, User.site_scope)


def _worker(row: Any) -> Worker:
    return Worker(row.role, row.permissions, row.site_scope, row.is_active)


def warnings(ctx: Context, found: Iterable[Any], programme: TrackerKind = REMEDIATION) -> dict[int, Text]:
    """Return why the assignees of these rows cannot work on their items, by item id; one query, none for no rows.

    The rows tell `id`, `assignee`, `assignee_user_id` and `site`.
    """
    given = [row for row in found if row.assignee is not None]
    ids = {row.assignee_user_id for row in given if row.assignee_user_id is not None}
    people = {row.id: row for row in ctx.session.execute(_people().where(User.id.in_(ids)))} if ids else {}
    made = {}
    for row in given:
        known = people.get(row.assignee_user_id)
        word = able.obstacle(_worker(known) if known else None, programme.write, row.site)
        if word is not None:
            name = known.display_name or known.username if known else row.assignee
            made[row.id] = able.sentence(word, name, row.site)
    return made


def stranded(ctx: Context, programme: TrackerKind, usernames: Collection[str] = ()) -> ColumnElement[bool]:
    """Return the condition of open items whose assignee cannot work on them, of these people only if they are given.

    The rule is asked once for each person, and their sites become part of the condition.
    """
    nowhere: list[int] = []
    elsewhere: dict[tuple[str, ...], list[int]] = defaultdict(list)
    people = _people().where(User.username.in_(usernames)) if usernames else _people()
    for row in ctx.session.execute(people):
        worker = _worker(row)
        if able.obstacle_anywhere(worker, programme.write):
            nowhere.append(row.id)
        elif worker.sites != ALL_SITES:
            elsewhere[worker.sites].append(row.id)
    known = TrackerItem.assignee_user_id
    found = [
        known.in_(nowhere),
        *(and_(known.in_(ids), TrackerItem.site_key.not_in(("", *sites))) for sites, ids in elsewhere.items()),
    ]
    if not usernames:
        found.append(and_(TrackerItem.assignee.is_not(None), known.is_(None)))
    return and_(rows.OPEN, or_(*found))
