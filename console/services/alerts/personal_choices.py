"""What people chose: which messages reach them, and when not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from console.core.context import Context
from console.core.records import view_of
from console.domain.alerts import personal as rules
from console.domain.alerts.personal import Choices
from console.domain.alerts.quiet import DAY, Quiet
from console.domain.alerts.routing import LEVELS
from console.domain.errors import Conflict, Invalid
from console.domain.identity.scope import sees
from console.domain.text import T
from console.models.personal_alerts import PersonalChoices
from console.services.alerts.personal import account
from console.services.audit import record as audit

WEEK = tuple(range(7))


@dataclass(frozen=True)
class ChoicesView:
    """What a person chose; quiet hours are minutes after midnight in `zone`, both None without any.

    `quiet_days` are those on which they begin (0 is Monday). Version 0: nothing was chosen yet.
    """

    event_types: tuple[str, ...]
    least_level: str
    sites: tuple[str, ...]
    only_mine: bool
    quiet_start: int | None
    quiet_end: int | None
    quiet_days: tuple[int, ...]
    zone: str
    critical_passes: bool
    version: int


@dataclass(frozen=True)
class Wish:
    """What a person wants; without `zone` it is that of the business."""

    event_types: Sequence[str]
    least_level: str = LEVELS[0]
    sites: Sequence[str] = ()
    only_mine: bool = True
    quiet_start: int | None = None
    quiet_end: int | None = None
    quiet_days: Sequence[int] = WEEK
    zone: str = ""
    critical_passes: bool = True


def own(ctx: Context) -> ChoicesView:
    """Return what the caller chose, or the built-in choices: one query; raises Conflict for who has no account."""
    row = ctx.session.get(PersonalChoices, account(ctx).id, populate_existing=True)
    if row is None:
        zone = str(ctx.config["BUSINESS_TIME_ZONE"])
        events = _in_order(rules.DEFAULT_EVENTS)
        return ChoicesView(events, LEVELS[0], (), True, None, None, WEEK, zone, True, 0)
    return _view(row)


def _view(row: PersonalChoices) -> ChoicesView:
    listed = {"sites": tuple(row.sites), "quiet_days": tuple(row.quiet_days)}
    return view_of(ChoicesView, row, event_types=_in_order(row.event_types), **listed)


def change(ctx: Context, wish: Wish, *, version: int) -> ChoicesView:
    """Keep what the caller wants; sites are within their own.

    Raises Conflict for who has no account and when `version` is not the current one, Invalid for what cannot be.
    """
    user = account(ctx, lock=True)
    found = ctx.session.get(PersonalChoices, user.id, populate_existing=True)
    if version != (found.version if found is not None else 0):
        raise Conflict(T("Your choices were changed meanwhile"), code="version_conflict")
    values = _values(ctx, wish)
    row = found or PersonalChoices(user_id=user.id, version=0)
    before = {name: getattr(row, name, None) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    row.updated_at, row.version = ctx.now(), row.version + 1
    ctx.session.add(row)
    ctx.session.flush()
    changes = {name: {"old": before[name], "new": value} for name, value in values.items() if before[name] != value}
    audit.record(ctx, "personal_choices_update", "admin_user", user.id, detail={"changes": changes})
    return _view(row)


def _values(ctx: Context, wish: Wish) -> dict[str, object]:
    unknown = set(wish.event_types) - rules.EVENTS.keys()
    if unknown:
        raise Invalid.field("event_types", T("There is no such event"))
    if wish.least_level not in LEVELS:
        raise Invalid.field("least_level", T("There is no such level"))
    if not all(sees(ctx.actor.site_scope, site) for site in wish.sites):
        raise Invalid.field("sites", T("Choose among your own sites"))
    zone = wish.zone or str(ctx.config["BUSINESS_TIME_ZONE"])
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid.field("zone", T("There is no such time zone")) from error
    return {
        "event_types": sorted(set(wish.event_types)),
        "least_level": wish.least_level,
        "sites": sorted(set(wish.sites)),
        "only_mine": wish.only_mine,
        **_quiet(wish),
        "zone": zone,
        "critical_passes": wish.critical_passes,
    }


def _quiet(wish: Wish) -> dict[str, object]:
    start, end = wish.quiet_start, wish.quiet_end
    if (start is None) != (end is None) or (start is not None and start == end):
        raise Invalid.field("quiet_end", T("Quiet hours need a beginning and another end"))
    if any(one is not None and not 0 <= one < DAY for one in (start, end)):
        raise Invalid.field("quiet_start", T("This is no time of day"))
    if set(wish.quiet_days) - set(WEEK):
        raise Invalid.field("quiet_days", T("This is no day of the week"))
    return {"quiet_start": start, "quiet_end": end, "quiet_days": sorted(set(wish.quiet_days))}


def choices_of(row: PersonalChoices | None) -> Choices:
    """Return what decides from a stored choice; the built-in one without a row."""
    if row is None:
        return Choices()
    quiet = None
    if row.quiet_start is not None and row.quiet_end is not None and row.quiet_days:
        quiet = Quiet(row.quiet_start, row.quiet_end, frozenset(row.quiet_days), row.zone, row.critical_passes)
    return Choices(frozenset(row.event_types), row.least_level, frozenset(row.sites), row.only_mine, quiet)


def _in_order(words: Iterable[str]) -> tuple[str, ...]:
    chosen = set(words)
    return tuple(word for word in rules.EVENTS if word in chosen)
