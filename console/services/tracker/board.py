"""The board: items by status under the same filters as the table, and who carries how much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import func, select

from console.core.context import Context
from console.core.listing import ListQuery
from console.domain.tracker.tracker import TrackerKind
from console.models.identity import User
from console.models.tracker import TrackerItem
from console.services.common import lists
from console.services.tracker import rows, tallies
from console.services.tracker.columns import BOARD_STATUSES, STATUS_LABELS, spec
from console.services.tracker.rows import ItemView

COLUMN_LIMIT = 15
# What is asked for more of a column adds, and how often; the table has the rest.
COLUMN_STEP = 200
COLUMN_STEPS = 3


@dataclass(frozen=True)
class BoardColumn:
    """One status of the board: how many match, and the first of them in order."""

    status: str
    label: str
    count: int
    items: tuple[ItemView, ...]
    steps: int = 0

    @property
    def hidden(self) -> int:
        """How many more there are."""
        return self.count - len(self.items)

    @property
    def following(self) -> int:
        """How many of them the next step shows; 0 where the board ends."""
        return min(self.hidden, COLUMN_STEP) if self.steps < COLUMN_STEPS else 0

    @property
    def further(self) -> str:
        """The `expand` of the next step."""
        return f"{self.status}.{self.steps + 1}" if self.steps else self.status


@dataclass(frozen=True)
class Board:
    """The board under a query; `total` is the sum of its columns."""

    query: ListQuery
    columns: tuple[BoardColumn, ...]
    total: int
    computed_at: datetime


@dataclass(frozen=True)
class Load:
    """How many open items one assignee has; `name` is the display name of the user, else the text."""

    assignee: str
    name: str
    open_items: int


def board(
    ctx: Context,
    programme: TrackerKind,
    query: ListQuery,
    *,
    expand: str = "",
    counts: Mapping[str, int] | None = None,
) -> Board:
    """Return the columns of the board: two queries, each column capped.

    `expand` shows more of one status: its word is one step, `word.3` are three. Whoever has counted the items by status
    already gives the `counts`.
    """
    now = ctx.now()
    longer, steps = _steps(expand)
    most = {status: COLUMN_LIMIT + COLUMN_STEP * steps * (status == longer) for status in BOARD_STATUSES}
    listed = spec(programme, now)
    counted = partial(tallies.by_status, ctx, programme, listed, query)
    items, numbers = lists.groups(ctx, listed, query, TrackerItem.status, most, counts, counted)
    wanted = query.filters.get("status") or BOARD_STATUSES
    columns = tuple(
        BoardColumn(
            status,
            STATUS_LABELS[status],
            numbers.get(status, 0),
            tuple(item for item in items if item.status == status),
            steps if status == longer else 0,
        )
        for status in BOARD_STATUSES
        if status in wanted
    )
    return Board(query, columns, sum(numbers.values()), now)


def _steps(expand: str) -> tuple[str, int]:
    """Read which status is shown longer, and by how many steps; what cannot be read is the first one."""
    status, _dot, number = expand.partition(".")
    steps = int(number) if number.isdecimal() and len(number) <= 3 else 1
    return status, max(1, min(steps, COLUMN_STEPS))


def loads(ctx: Context, programme: TrackerKind, site: str | None = None, *, most: int = 50) -> tuple[Load, ...]:
    """Return the assignees with the most open items, most first."""
    ctx.actor.require(*programme.read)
    open_items = rows.keys(programme, ctx.actor).where(rows.OPEN, TrackerItem.assignee.is_not(None))
    if site:
        open_items = open_items.where(TrackerItem.site_key == site)
    number = func.count().label("open_items")
    grouped = (
        open_items.with_only_columns(TrackerItem.assignee, number)
        .group_by(TrackerItem.assignee)
        .order_by(number.desc(), TrackerItem.assignee)
        .limit(most)
        .subquery()
    )
    statement = (
        select(grouped.c.assignee, User.display_name, grouped.c.open_items)
        .select_from(grouped)
        .outerjoin(User, User.username == grouped.c.assignee)
        .order_by(grouped.c.open_items.desc(), grouped.c.assignee)
    )
    return tuple(Load(text, name or text, number) for text, name, number in ctx.session.execute(statement))
