"""How tracker items are read: conditions that match the indexes, what a caller may see, and the row that doors get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, func, literal_column, or_, select, true

from console.core.context import Actor, Context
from console.core.records import INTERNAL, Edited, Fact, JsonObject, columns_of, csv_of
from console.core.revisions import ALWAYS
from console.domain.alerts import snooze
from console.domain.automation import workload
from console.domain.errors import NotFound
from console.domain.identity import able
from console.domain.ids import MAX_ID
from console.domain.programme.trackers import programmes
from console.domain.remediation.checks import CHECK, check_of
from console.domain.remediation.site_rules import SITE_RULE
from console.domain.text import N_, Text
from console.domain.tracker.rules import soon_hours
from console.domain.tracker.tracker import TrackerKind, item_number, title_of
from console.models.automation import ItemEscalation
from console.models.identity import User
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.common import snoozes
from console.services.common.sql import likely

# Literals, not parameters: a partial index is used only where the database can prove its condition.
ACTIVE: ColumnElement[bool] = TrackerItem.is_active.expression
OPEN = and_(ACTIVE, TrackerItem.status != literal_column("'done'"))
CRITICAL = and_(OPEN, TrackerItem.required.expression, TrackerItem.rule_status == literal_column("'fail'"))
NO_EVIDENCE = and_(ACTIVE, TrackerItem.evidence_required.expression, TrackerItem.evidence_count == literal_column("0"))
UNASSIGNED = and_(ACTIVE, TrackerItem.assignee.is_(None))
# What keeps a week from being closed.
BLOCKING = or_(OPEN, UNASSIGNED, NO_EVIDENCE, and_(ACTIVE, TrackerItem.completion_checked.is_(False)))
RETURNED = TrackerItem.assignment_source == literal_column(f"'{workload.RETURNED}'")
# What automation may give away: everything but that.
AUTOMATIC = TrackerItem.assignment_source.is_distinct_from(literal_column(f"'{workload.RETURNED}'"))


@dataclass(frozen=True, slots=True)
class ItemView:
    """A tracker item as every door shows it; instants are aware UTC.

    The first 23 fields were published first. `verified` says that the gate passed the rule after the work was
    called done. `assignee_state` is `none`, `user`, `inactive` (that user was switched off) or `unknown` (no user of
    that name). `assignment_source` is `auto`, `manual` or `returned`: a person took an automatic assignment back at
    `assigned_at`, and automation leaves the item alone until somebody assigns it. `overdue`: open and past its due date
    when it was read. `obstacle`: why its assignee cannot work on it, a word of `console/domain/identity/able.py`.
    `escalation_level` is the step that people were told of the present deadline (0: none), `escalation_count` how many
    messages there were since the item exists, `last_escalated_at` when the last was.
    """

    id: int
    item_id: Annotated[str, Fact(N_("No."), sort=TrackerItem.number)]
    rule_id: str
    rule_status: Annotated[str, Fact(N_("Rule"), sort=True, shown=False, history=N_("Rule status"))]
    required: bool
    priority: Annotated[int, Fact(N_("Priority"), sort=True, numeric=True, shown=False)]
    owner_role: Annotated[str, Fact(N_("Owner role"), sort=True, shown=False)]
    sla_hours: Annotated[int, Fact(N_("SLA (hours)"), sort=True, numeric=True, shown=False)]
    due_at: Annotated[datetime | None, Fact(N_("Due"), sort=True, history=True)]
    action: str
    reason: str
    detail: JsonObject
    assignee: Annotated[str | None, Fact(N_("Assignee"), sort=True, history=True)]
    status: Annotated[str, Fact(N_("Status"), sort=True, history=True)]
    completion_checked: bool
    completion_note: Annotated[str, Fact(N_("Note"), history=True, edited=Edited("note", N_("wrote the note")))]
    completed_at: Annotated[datetime | None, Fact(N_("Done at"), sort=True, shown=False)]
    is_active: bool
    gate_generated_at: datetime | None
    created_by: str
    updated_by: str
    created_at: datetime
    updated_at: Annotated[datetime, Fact(N_("Changed"), sort=True, shown=False)]

    site: Annotated[str | None, Fact(N_("Site"), sort=True)]
    item_type: Annotated[str, Fact(N_("Kind"), sort=True, shown=False)]
    item_key: Annotated[str, INTERNAL]
    item_name: str
    texts: Annotated[Mapping[str, Any], INTERNAL]
    opened_at: Annotated[datetime, Fact(N_("Opened"), sort=True, shown=False)]
    first_seen_at: datetime
    due_changed_at: datetime | None
    plan_rank: int | None
    source_decision: str
    gate_run_id: Annotated[int | None, INTERNAL]
    verified_at: datetime | None
    unproven_at: Annotated[datetime | None, INTERNAL]
    reopened_count: int
    assignee_user_id: int | None
    assigned_at: datetime | None
    assignment_source: str | None
    accepted_at: datetime | None
    evidence_required: Annotated[bool, INTERNAL]
    evidence_count: Annotated[int, Fact(N_("Evidence files"), sort=True, numeric=True, key="evidence")]
    comment_count: int
    overdue: bool
    version: int
    tracker: Annotated[str, INTERNAL]
    assignee_name: Annotated[str | None, INTERNAL]
    assignee_active: Annotated[bool | None, INTERNAL]
    obstacle: Annotated[str | None, INTERNAL]
    snoozed_until: Annotated[datetime | None, INTERNAL] = None
    escalation_level: int = 0
    escalation_count: int = 0
    last_escalated_at: datetime | None = None

    def __hash__(self) -> int:
        return hash((self.id, self.version, self.updated_at))

    @property
    def title(self) -> Annotated[str | Mapping[str, Any], Fact(N_("Action"))]:
        """What is to be done, in one line, translatable where it comes from the plan or the catalogue."""
        return title_of(self)

    @property
    def why(self) -> str | Mapping[str, Any]:
        """Why it is there, translatable where it comes from the plan."""
        return self.texts.get("reason") or self.reason

    @property
    def kind(self) -> str | Mapping[str, Any]:
        """Which list of its week it stands in, translatable."""
        return self.texts.get("kind") or self.item_type

    @property
    def verified(self) -> Annotated[bool, Fact(before="verified_at")]:
        """Whether the gate confirmed the work."""
        return self.verified_at is not None

    @property
    def assignee_state(self) -> Annotated[str, Fact(before="assigned_at")]:
        """How the assignee's text relates to the users."""
        if self.assignee is None:
            return "none"
        if self.assignee_user_id is None:
            return "unknown"
        return "user" if self.assignee_active else "inactive"

    @property
    def stranded(self) -> Text | None:
        """Why nobody works on it although it has an assignee, for an open item; else None."""
        if self.obstacle is None or self.assignee is None or not self.is_open:
            return None
        return able.sentence(self.obstacle, self.assignee_name or self.assignee, self.site)

    @property
    def not_begun(self) -> bool:
        """Whether automation gave it to somebody and called it in progress, but nobody has begun."""
        given = self.assignment_source == workload.AUTO and self.accepted_at is None
        return given and self.is_active and self.status == "in_progress"

    @property
    def is_open(self) -> bool:
        """Active and not done."""
        return self.is_active and self.status != "done"

    @property
    def soon_hours(self) -> float:
        """How many hours before its deadline it reads as due soon."""
        return soon_hours(self.sla_hours)

    @property
    def from_gate(self) -> bool:
        """Whether a rule of the gate asks for it, of the platform's or of a site's."""
        return self.item_type in ("rule", SITE_RULE)

    @property
    def check_id(self) -> str | None:
        """Which check of the runbook asks for it, if one does."""
        return check_of(self.item_key) if self.item_type == CHECK else None

    @property
    def manual(self) -> bool:
        """Whether a person made it; the sync never touches such items."""
        return self.item_type == "manual"

    @property
    def in_week(self) -> bool:
        """Whether it comes from the catalogue of a week."""
        return not (self.from_gate or self.check_id or self.manual)

    def owned_by(self, actor: Actor) -> bool:
        """Whether `actor` is its assignee."""
        if actor.user_id is not None and self.assignee_user_id is not None:
            return actor.user_id == self.assignee_user_id
        return self.assignee is not None and self.assignee == actor.username


COLUMNS = columns_of(
    ItemView,
    TrackerItem,
    *("item_id", "title", "item_type", "rule_status", "status", "due_at", "assignee"),
    *("owner_role", "site", "evidence", "priority", "sla_hours", "opened_at", "completed_at", "updated_at"),
)
CSV_COLUMNS = csv_of(ItemView)
_READ = tuple(name for name in ItemView.__dataclass_fields__ if name in TrackerItem.__table__.columns)
_RIGHTS = ("assignee_role", "assignee_permissions", "assignee_sites")
_TOLD = ("told_level", "told_due_at", "escalation_count", "last_escalated_at")
_NAMES = (*_READ, "number", "assignee_name", "assignee_active", *_RIGHTS, "snoozed_until", *_TOLD)


def number_of(prefix: str, text: str) -> int | None:
    """Return the number in `GR-007`, `gr7` or `7`; None for anything else."""
    digits = text.strip().upper().removeprefix(prefix).removeprefix("-").lstrip("0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def numbers_from(prefix: str, text: str) -> tuple[tuple[int, int], ...]:
    """Return the spans of numbers (both ends included) whose form begins with `GR-02`; none without the letters."""
    letters, digits = text.strip().upper().removesuffix("-")[: len(prefix)], text.strip().upper()[len(prefix) :]
    digits = digits.removeprefix("-")
    if letters != prefix or not (digits.isascii() and (digits.isdigit() or not digits)) or len(digits) > 9:
        return ()
    if not digits:
        return ((0, MAX_ID),)
    spans = []
    for width in range(max(3, len(digits)), 10):
        rest = 10 ** (width - len(digits))
        first = int(digits) * rest
        # Numbers have three digits at least, filled up with zeros; longer ones begin with none.
        if width == 3 or not digits.startswith("0"):
            spans.append((first, first + rest - 1))
    return tuple(spans)


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the rows that the caller's site scope shows; items of the platform (no site) are for everybody."""
    if actor.all_sites:
        return true()
    return TrackerItem.site_key.in_(("", *actor.site_scope))


def mine(actor: Actor) -> ColumnElement[bool]:
    """Return the items that the actor is to do: by their account, by their name where they have none."""
    if actor.user_id is not None:
        return TrackerItem.assignee_user_id == actor.user_id
    return TrackerItem.assignee == actor.username


def columns() -> list[Any]:
    """Return what a SELECT must name for `view`."""
    rights = (User.role, User.permissions, User.site_scope)
    person = (User.display_name.label("assignee_name"), User.is_active.label("assignee_active"))
    labelled = (column.label(name) for column, name in zip(rights, _RIGHTS, strict=True))
    quiet = snoozes.until_of(snooze.ITEM, TrackerItem.id.expression).label("snoozed_until")
    told = (ItemEscalation.level, ItemEscalation.due_at, ItemEscalation.count, ItemEscalation.told_at)
    memory = (column.label(name) for column, name in zip(told, _TOLD, strict=True))
    return [*(getattr(TrackerItem, name) for name in _READ), TrackerItem.number, *person, *labelled, quiet, *memory]


def keys(programme: TrackerKind, actor: Actor) -> Select[Any]:
    """Ids of the items of a programme that the caller may see."""
    return select(TrackerItem.id).where(TrackerItem.tracker == programme.key, visible(actor))


def keys_of(programmes: Iterable[TrackerKind], actor: Actor) -> Select[Any]:
    """Ids of the items of several programmes that the caller may see."""
    return select(TrackerItem.id).where(TrackerItem.tracker.in_([one.key for one in programmes]), visible(actor))


def everything() -> Select[Any]:
    """Items of all programmes; the caller must have chosen the ids that may be seen."""
    person = User.id == TrackerItem.assignee_user_id
    found = select(*columns()).select_from(TrackerItem).outerjoin(User, person)
    return found.outerjoin(ItemEscalation, ItemEscalation.item_id == TrackerItem.id)


# Built once: every look at an item and every change of one begins with it.
_ONE = everything().where(TrackerItem.tracker == bindparam("of"), TrackerItem.id == bindparam("item"))
_LOCKED = _ONE.with_for_update(of=TrackerItem)


def mixed(rows: Iterable[Row[Any]], now: datetime) -> tuple[ItemView, ...]:
    """Turn rows of `everything` into items of their programmes; those of a week that is gone are left out."""
    known = {one.key: one for one in programmes()}
    return tuple(view(known[row.tracker], row, now) for row in rows if row.tracker in known)


def base(programme: TrackerKind, actor: Actor) -> Select[Any]:
    """Items of a programme that the caller may see, with what is known of the assignee."""
    return everything().where(TrackerItem.tracker == programme.key, visible(actor))


def view(programme: TrackerKind, row: Row[Any], now: datetime) -> ItemView:
    """Turn a row of `base` into the item that doors show."""
    # Row._asdict would build a view of the keys for each row.
    values = dict(zip(_NAMES, row, strict=True))
    number, due_at = values.pop("number"), values["due_at"]
    level, told_due_at = values.pop("told_level"), values.pop("told_due_at")
    role, permissions, sites = (values.pop(name) for name in _RIGHTS)
    worker = None
    if values["assignee_user_id"] is not None:
        worker = able.Worker(role, permissions, sites, bool(values["assignee_active"]))
    if not snooze.standing(values["snoozed_until"], now):
        values["snoozed_until"] = None
    values["escalation_count"] = values["escalation_count"] or 0
    assigned = values["assignee"] is not None
    return ItemView(
        obstacle=able.obstacle(worker, programme.write, values["site"]) if assigned else None,
        item_id=item_number(programme.item_prefix, number),
        rule_id=values["item_key"],
        overdue=bool(due_at and due_at < now) and values["is_active"] and values["status"] != "done",
        # Another deadline starts afresh.
        escalation_level=level if level is not None and told_due_at == due_at else 0,
        **values,
    )


def views(programme: TrackerKind, rows: Iterable[Row[Any]], now: datetime) -> tuple[ItemView, ...]:
    """Turn rows of `base` into items."""
    return tuple(view(programme, row, now) for row in rows)


def views_hold(items: Iterable[ItemView]) -> datetime:
    """Return the last instant (aware UTC) at which the same of these are overdue and snoozed as when they were read."""
    found = tuple(items)
    steps = [item.due_at for item in found if item.due_at and item.is_open and not item.overdue]
    return min((*steps, *(item.snoozed_until for item in found if item.snoozed_until)), default=ALWAYS)


def load(ctx: Context, programme: TrackerKind, item_id: int, now: datetime, *, lock: bool = False) -> ItemView:
    """Read one item; raises NotFound, or SiteDenied for an item of a site outside the caller's scope."""
    row = None
    if 0 < item_id <= MAX_ID:
        row = ctx.session.execute(_LOCKED if lock else _ONE, {"of": programme.key, "item": item_id}).first()
    if row is None:
        raise NotFound(programme.item_not_found)
    found = view(programme, row, now)
    ctx.actor.require_site(found.site)
    return found


def due_soon(now: datetime, hours: int = 24) -> ColumnElement[bool]:
    """Open and due within `hours`, not yet late."""
    return and_(OPEN, TrackerItem.due_at >= now, TrackerItem.due_at <= now + timedelta(hours=hours))


def overdue(now: datetime) -> ColumnElement[bool]:
    """Open and strictly past the due date."""
    return and_(OPEN, TrackerItem.due_at < now)


def lateness_holds(ctx: Context, programme: TrackerKind, now: datetime) -> datetime:
    """Return the last instant (aware UTC) at which the same items are overdue and due soon as at `now`."""
    due = select(func.min(TrackerItem.due_at)).where(TrackerItem.tracker == programme.key, OPEN)
    soon = now + timedelta(hours=24)
    coming, entering = due.where(TrackerItem.due_at >= now), due.where(TrackerItem.due_at > soon)
    steps = select(coming.scalar_subquery(), entering.scalar_subquery())
    next_late, next_soon = ctx.session.execute(steps).one()
    # An item becomes late after its deadline, and due soon at the very instant a day before it.
    next_soon = next_soon and next_soon - timedelta(hours=24, microseconds=1)
    return min(next_late or ALWAYS, next_soon or ALWAYS)


def became_done(
    ctx: Context, programme: TrackerKind, since: datetime, site: str | None = None
) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for the events since then (aware UTC) by which items that the caller sees became done."""
    found = [
        likely(ctx, TrackerEvent.tracker == programme.key),
        TrackerEvent.to_status == literal_column("'done'"),
        TrackerEvent.at >= since,
    ]
    if site is not None:
        found.append(TrackerEvent.site_key == site)
    elif not ctx.actor.all_sites:
        found.append(TrackerEvent.site_key.in_(("", *ctx.actor.site_scope)))
    return tuple(found)
