"""W06: the rhythm of the week: who works on three days of it, handovers, and keys that run out (API contract, W06)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from console.domain.days import begins, last_days
from console.domain.programme.judge import NO_DATA, OK, rate
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot, advised
from console.domain.text import N_, T
from console.models.audit import AuditLog
from console.models.identity import Token, User
from console.services.identity import sites
from console.services.programme import orders, people
from console.services.programme.scope import Scope

TARGET_ACTIVE, TARGET_CADENCE = 75.0, 80.0
ROLES = ("owner", "manager", "operator")
WEEK_DAYS, ACTIVE_DAYS = 7, 3
EXPIRING, STALE = timedelta(days=7), timedelta(days=14)
SITES_MOST = 8
HANDOVERS = ("ops_handover_brief_view", "report_handover_export_csv", "report_handover_export_pdf")


@dataclass(frozen=True)
class _Person:
    id: int
    username: str
    role: str
    site_scope: tuple[str, ...]


def snapshot(scope: Scope) -> Snapshot:
    """Return the rhythm: six queries. Active is who did something on three days of the last seven."""
    found = _eligible(scope)
    active, in_window = _active(scope, found)
    handovers, covered = _handovers(scope)
    expected = workdays(scope.start, scope.end, scope)
    cadence = min(100.0, rate(covered, expected))
    tokens = _tokens(scope, found)
    soon = sum(one.expires_at is not None and one.expires_at <= scope.end + EXPIRING for one in tokens)
    stale = sum(one.last_used_at is None or one.last_used_at < scope.end - STALE for one in tokens)
    without = len({one.id for one in found} - {one.user_id for one in tokens})
    overdue = orders.open_total(orders.open_by_site(scope)).overdue
    share = rate(len(active), len(found))
    metrics = {
        "eligible_users": len(found),
        "active_users": len(active),
        "weekly_active_rate_percent": share,
        "target_met": bool(found) and share >= TARGET_ACTIVE,
        "handover_brief_views": handovers,
        "handover_days_covered": covered,
        "cadence_adherence_percent": cadence,
        "overdue_open_work_orders": overdue,
        "active_tokens": len(tokens),
        "tokens_expiring_7d": soon,
        "tokens_stale_14d": stale,
        "users_without_active_token": without,
        "active_users_in_window": len(in_window),
        "handover_days_expected": expected,
    }
    roles = [
        {
            "role": role,
            "user_count": sum(one.role == role for one in found),
            "active_user_count": sum(one.role == role and one.username in active for one in found),
        }
        for role in ROLES
    ]
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=scope.days,
        head={"target_weekly_active_rate_percent": TARGET_ACTIVE},
        metrics=metrics,
        parts={
            "role_coverage": roles,
            "site_activity": [{"site": site, "activity_events": n} for site, n in people.by_site(scope)[:SITES_MOST]],
        },
        advice=_advice(share if found else None, cadence, without, soon + stale, overdue),
        no_data=(
            *(() if found else ("weekly_active_rate_percent",)),
            *(() if handovers else ("cadence_adherence_percent",)),
        ),
        data_state=OK if found else NO_DATA,
    )


def active_rate(scope: Scope) -> float | None:
    """Return how many percent of those who should work here do; None when nobody should. Two queries."""
    found = _eligible(scope)
    active, _in_window = _active(scope, found)
    return rate(len(active), len(found)) if found else None


def active_rates(scope: Scope, ends: Sequence[datetime]) -> list[float | None]:
    """Return the same as it was at `ends`, for the people of now: two queries for all of them."""
    names = {one.username for one in _eligible(scope)}
    if not names:
        return [None] * len(ends)
    zone = sites.zone_of(scope.ctx, scope.site)
    after = timedelta(microseconds=1)
    weeks = [[(start, min(until, end + after)) for start, until in _last_days(end, zone)] for end in ends]
    # Whole days are days of several weeks; the database looks at each of them once.
    spans = list(dict.fromkeys(span for week in weeks for span in week))
    places = [[spans.index(span) for span in week] for week in weeks]
    found = people.flags(scope.ending(scope.end, WEEK_DAYS + 1).covering(ends), spans)
    seen = [flags for name, flags in found.items() if name in names]
    active = [sum(sum(flags[place] for place in week) >= ACTIVE_DAYS for flags in seen) for week in places]
    return [rate(count, len(names)) for count in active]


def _active(scope: Scope, found: Sequence[_Person]) -> tuple[set[str], set[str]]:
    """Return who did something on three days of the last seven, and who did anything in the window."""
    names = {one.username for one in found}
    wide = scope.ending(scope.end, max(scope.days, WEEK_DAYS + 1))
    seen = people.flags(wide, [scope_span(scope), *_last_days(scope.end, sites.zone_of(scope.ctx, scope.site))])
    in_window = {name for name, (within, *_days) in seen.items() if within} & names
    return {name for name, (_within, *each) in seen.items() if sum(each) >= ACTIVE_DAYS} & names, in_window


def scope_span(scope: Scope) -> tuple[datetime, datetime]:
    """Return the window as a span that holds its end."""
    return scope.start, scope.end + timedelta(microseconds=1)


def _advice(share: float | None, cadence: float, without: int, worn: int, overdue: int) -> tuple[Advice, ...]:
    tokens = RowsOf("tokens")
    return advised(
        (
            Advice("low_weekly_active", T(N_("Too few people work here on three days of the week.")))
            if share is not None and share < TARGET_ACTIVE
            else None,
            Advice("low_cadence", T(N_("The handover brief is not looked at every working day.")))
            if cadence < TARGET_CADENCE
            else None,
            Advice("users_without_token", T(N_("People without a live token: %(count)s."), count=without), tokens)
            if without
            else None,
            Advice("worn_tokens", T(N_("Tokens that run out or lie idle: %(count)s."), count=worn), tokens)
            if worn
            else None,
            Advice(
                "overdue_orders",
                T(N_("Orders past their due date: %(count)s."), count=overdue),
                RowsOf("work_orders", {"due": "late"}),
            )
            if overdue
            else None,
        )
    )


def _eligible(scope: Scope) -> list[_Person]:
    wanted = select(User.id, User.username, User.role, User.site_scope).where(
        User.is_active.is_(True), User.is_bootstrap.is_(False), User.role.in_(ROLES)
    )
    found = (_Person(*row) for row in scope.ctx.session.execute(wanted))
    return [one for one in found if _matches(scope, one.site_scope)]


def _matches(scope: Scope, held: Sequence[str]) -> bool:
    """Return whether somebody with these sites works at those that are looked at."""
    if scope.site is not None:
        return "*" in held or scope.site in held
    actor = scope.ctx.actor
    return actor.all_sites or (bool(actor.site_scope) and ("*" in held or bool(set(held) & set(actor.site_scope))))


def _last_days(end: datetime, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return the last seven days in a zone, that of `end` the newest."""
    return list(itertools.pairwise(begins(last_days(end, zone, WEEK_DAYS), zone)))


def workdays(start: datetime, end: datetime, scope: Scope) -> int:
    """Return how many days from Monday to Friday begin in the window, in the zone of the site; at least one."""
    return _workdays(start, end, sites.zone_of(scope.ctx, scope.site))


def _workdays(start: datetime, end: datetime, zone: ZoneInfo) -> int:
    first, last = start.astimezone(zone).date() + timedelta(days=1), end.astimezone(zone).date()
    return max(1, sum(_day(first, n).weekday() < 5 for n in range((last - first).days + 1)))


def _day(first: date, number: int) -> date:
    return first + timedelta(days=number)


def cadence_at(scope: Scope, ends: Sequence[datetime]) -> list[float | None]:
    """Return on how many percent of the working days before each instant the brief was looked at: one query."""
    zone = sites.zone_of(scope.ctx, scope.site)
    seen = [(at, at.astimezone(zone).date()) for at in _looks(scope.covering(ends))]
    windows = [scope.ending(end) for end in ends]
    covered = [len({day for at, day in seen if one.start <= at <= one.end}) for one in windows]
    expected = [_workdays(one.start, one.end, zone) for one in windows]
    return [min(100.0, rate(*both)) for both in zip(covered, expected, strict=True)] if seen else [None] * len(ends)


def _handovers(scope: Scope) -> tuple[int, int]:
    """Return how often the brief was looked at or taken along, and on how many days."""
    zone = sites.zone_of(scope.ctx, scope.site)
    seen = _looks(scope)
    return len(seen), len({at.astimezone(zone).date() for at in seen})


def _looks(scope: Scope) -> list[datetime]:
    wanted = select(AuditLog.resource_id, AuditLog.created_at).where(
        AuditLog.action.in_(HANDOVERS), AuditLog.status == "success", *scope.entries()
    )
    # `<site or ALL>`, and behind a colon when it was made. A brief of all sites covers none of them alone.
    rows = [(str(name).partition(":")[0], at) for name, at in scope.ctx.session.execute(wanted)]
    everywhere = {"all", "ALL"} if scope.everything else set()
    return [at for site, at in rows if site in everywhere or scope.holds(site)]


def _tokens(scope: Scope, found: Sequence[_Person]) -> list[Any]:
    held = {one.id: one.site_scope for one in found}
    wanted = select(Token.user_id, Token.site_scope, Token.expires_at, Token.last_used_at).where(
        Token.is_active.is_(True)
    )
    live = [row for row in scope.ctx.session.execute(wanted) if row.expires_at is None or row.expires_at > scope.end]
    return [
        row
        for row in live
        if row.user_id in held and _matches(scope, held[row.user_id] if row.site_scope is None else row.site_scope)
    ]
