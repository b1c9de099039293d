"""Work that somebody can no longer do: left behind by who leaves, moves to other sites or loses a right."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from console.core.context import Context
from console.domain.errors import Invalid
from console.domain.programme.trackers import programmes
from console.domain.text import T
from console.domain.tracker.requests import BulkChange, Selection
from console.models.tracker import TrackerItem
from console.services.identity import users
from console.services.tracker import assignees, bulk, rows
from console.services.tracker.assignees import Candidate
from console.services.tracker.rows import ItemView

# One person hardly holds more; what is left is shown again after the first were handed over.
MOST = 1000


@dataclass(frozen=True)
class Held:
    """The open items of one person over all trackers, the nearest deadline first; `stranded` they cannot work on."""

    items: tuple[ItemView, ...]

    @property
    def stranded(self) -> tuple[ItemView, ...]:
        """Those that they cannot work on."""
        return tuple(item for item in self.items if item.obstacle)


@dataclass(frozen=True)
class HandedOver:
    """How many items somebody else has now, and how many were left because that person could not work on them."""

    changed: int
    refused: int


def held(ctx: Context, user_id: int) -> Held:
    """Return the open work of a user, of what the caller sees."""
    users.get(ctx, user_id)
    mine = rows.everything().where(TrackerItem.assignee_user_id == user_id, rows.OPEN, rows.visible(ctx.actor))
    found = ctx.session.execute(mine.order_by(TrackerItem.due_at.asc().nulls_last(), TrackerItem.id).limit(MOST))
    return Held(rows.mixed(found, ctx.now()))


def takers(ctx: Context, items: tuple[ItemView, ...]) -> tuple[tuple[Candidate, int], ...]:
    """Return who could take some of the items, with how many: those for most of them first, then by name."""
    places: dict[tuple[str, str | None], int] = defaultdict(int)
    for item in items:
        places[item.tracker, item.site] += 1
    fit: dict[str, int] = defaultdict(int)
    people: dict[str, Candidate] = {}
    for programme in programmes():
        wanted = {site: number for (key, site), number in places.items() if key == programme.key}
        for person in assignees.candidates(ctx, programme=programme) if wanted else ():
            people[person.username] = person
            fit[person.username] += sum(count for site, count in wanted.items() if person.can_work(programme, site))
    found = ((people[name], number) for name, number in fit.items() if number)
    return tuple(sorted(found, key=lambda one: (-one[1], one[0].name)))


def hand_over(ctx: Context, user_id: int, to: str) -> HandedOver:
    """Give somebody else what a user holds and cannot work on; raises Invalid without a person.

    What the other one could not work on either stays and is counted.
    """
    if not to.strip():
        raise Invalid.field("to", T("Choose who takes the work"))
    stranded = held(ctx, user_id).stranded
    changed = refused = 0
    for programme in programmes():
        ids = tuple(item.id for item in stranded if item.tracker == programme.key)
        if ids:
            change = BulkChange("assign", assignee=to, only_able=True)
            result = bulk.apply(ctx, Selection(ids), change, programme)
            changed, refused = changed + result.changed, refused + result.refused
    return HandedOver(changed, refused)
