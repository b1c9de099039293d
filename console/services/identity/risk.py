"""Security dashboard and risk score, from aggregates over users, tokens and the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Text,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)

from console.core.context import Context
from console.domain.identity import risk as security
from console.domain.identity.risk import Anomaly, Risk, RiskNumbers
from console.domain.runbook.checks import TOKEN_EXPIRY_DAYS
from console.models.audit import AuditLog
from console.models.identity import Token, User
from console.models.types import UtcDateTime
from console.services.audit.append import LOGS
from console.services.common.sql import rows_parameter, rows_value

READ = ("admins:manage", "security:read")
SYSTEM_ACTOR = "system"
EVENTS = 20


@dataclass(frozen=True)
class TokenNumbers:
    """Counts of tokens. All but `active_tokens` look at tokens of active users that have not expired."""

    active_tokens: int
    expiring_7d: int
    stale_14d: int
    dormant_30d: int
    rotate_overdue: int
    wildcard_scope_tokens: int
    non_owner_wildcard_tokens: int


@dataclass(frozen=True)
class UserNumbers:
    """Counts of users."""

    total_users: int
    active_users: int


@dataclass(frozen=True)
class Coverage:
    """Active users who have neither a live token nor a password."""

    active_users_without_token: int


@dataclass(frozen=True)
class ActionNumbers:
    """Counts of audited actions in the window."""

    total: int
    failed_or_warning: int
    sensitive_total: int
    off_hours_total: int
    unique_actors: int


@dataclass(frozen=True)
class ActorCount:
    """How many actions one actor has on record in the window."""

    actor: str
    action_count: int


@dataclass(frozen=True)
class SensitiveEvent:
    """One sensitive action; `off_hours` by the business zone."""

    id: int
    actor: str
    action: str
    status: str
    created_at: datetime
    off_hours: bool


@dataclass(frozen=True)
class Dashboard:
    """The security dashboard (API contract, admin security dashboard); instants are aware UTC."""

    generated_at: datetime
    window_days: int
    window_start: datetime
    window_end: datetime
    overall_status: str
    risk: Risk
    risk_points: dict[str, int]
    users: UserNumbers
    tokens: TokenNumbers
    coverage: Coverage
    actions: ActionNumbers
    anomalies: tuple[Anomaly, ...]
    top_actors: tuple[ActorCount, ...]
    recent_sensitive_events: tuple[SensitiveEvent, ...]
    business_time_zone: str


@dataclass(frozen=True)
class _Window:
    """The part of the audit log that a window covers, as places in the chain; ends are exclusive."""

    first: int
    end: int
    nights: tuple[tuple[int, int], ...]

    @property
    def total(self) -> int:
        return max(self.end - self.first, 0)


def dashboard(ctx: Context, *, days: int = 30) -> Dashboard:
    """Return the dashboard for the last `days` days; raises PermissionDenied."""
    ctx.actor.require(*READ)
    now, zone = ctx.now(), ctx.zone
    start = now - timedelta(days=days)
    window = _window(ctx, start, now, zone)
    users, tokens, coverage = _accounts(ctx, now)
    failed, sensitive, night = _action_counts(ctx, window)
    actors = _actors(ctx, window)
    numbers = _risk_numbers(tokens, coverage, failed, night)
    score = security.risk(numbers)
    found = security.anomalies(numbers, sensitive_total=sensitive, stale_14d=tokens.stale_14d, days=days)
    return Dashboard(
        generated_at=now,
        window_days=days,
        window_start=start,
        window_end=now,
        overall_status=security.overall(found, score.level),
        risk=score,
        risk_points=security.risk_points(numbers),
        users=users,
        tokens=tokens,
        coverage=coverage,
        actions=ActionNumbers(window.total, failed, sensitive, night, len(actors)),
        anomalies=found,
        top_actors=tuple(actors[:10]),
        recent_sensitive_events=_sensitive_events(ctx, window, zone),
        business_time_zone=zone.key,
    )


def risk_of_window(ctx: Context, *, days: int) -> Risk:
    """Return the risk score of the last `days` days with three queries; the same score as the dashboard's."""
    now = ctx.now()
    window = _window(ctx, now - timedelta(days=days), now, ctx.zone)
    _users, tokens, coverage = _accounts(ctx, now)
    failed, _sensitive, night = _action_counts(ctx, window)
    return security.risk(_risk_numbers(tokens, coverage, failed, night))


def expiring(now: datetime, *, days: int = TOKEN_EXPIRY_DAYS) -> ScalarSelect[int]:
    """Return the number of live tokens of active users that expire within `days` days, as part of a statement.

    `now` is aware UTC.
    """
    query = (
        select(func.count())
        .select_from(Token)
        .join(User, User.id == Token.user_id)
        .where(*_usable(now), Token.expires_at <= now + timedelta(days=days))
    )
    return query.scalar_subquery()


def _risk_numbers(tokens: TokenNumbers, coverage: Coverage, failed: int, night: int) -> RiskNumbers:
    return RiskNumbers(
        failed_or_warning=failed,
        off_hours_total=night,
        expiring_7d=tokens.expiring_7d,
        rotate_overdue=tokens.rotate_overdue,
        active_users_without_token=coverage.active_users_without_token,
        dormant_30d=tokens.dormant_30d,
        non_owner_wildcard_tokens=tokens.non_owner_wildcard_tokens,
    )


def _usable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Token.is_active.is_(True),
        User.is_active.is_(True),
        or_(Token.expires_at.is_(None), Token.expires_at > now),
    )


def _everywhere(scope: Any) -> ColumnElement[bool]:
    return type_coerce(scope, Text).like('%"*"%')


def _accounts(ctx: Context, now: datetime) -> tuple[UserNumbers, TokenNumbers, Coverage]:
    """Count users and tokens in one statement."""
    usable = and_(*_usable(now))
    used = func.coalesce(Token.last_used_at, Token.created_at)
    rotate = now - timedelta(days=ctx.config["ADMIN_TOKEN_ROTATE_AFTER_DAYS"])
    # The effective scope: a token without one of its own sees what its user sees, and never more.
    wildcard = and_(
        usable, _everywhere(User.site_scope), or_(Token.site_scope.is_(None), _everywhere(Token.site_scope))
    )
    conditions = (
        Token.is_active.is_(True),
        and_(usable, Token.expires_at <= now + timedelta(days=7)),
        and_(usable, used <= now - timedelta(days=14)),
        and_(usable, used <= now - timedelta(days=30)),
        and_(usable, Token.created_at <= rotate),
        wildcard,
        and_(wildcard, User.role.not_in(("owner", "admin"))),
    )
    sums = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0) for condition in conditions]
    counted = select(*(each.label(f"n{place}") for place, each in enumerate(sums))).select_from(Token)
    tokens = counted.join(User, User.id == Token.user_id).where(Token.is_active.is_(True)).subquery()
    has_token = (
        select(Token.id)
        .where(
            Token.user_id == User.id,
            Token.is_active.is_(True),
            or_(Token.expires_at.is_(None), Token.expires_at > now),
        )
        .exists()
    )
    without = and_(User.is_active.is_(True), User.password_hash.is_(None), ~has_token)
    people = select(
        func.count().label("total"),
        func.coalesce(func.sum(case((User.is_active.is_(True), 1), else_=0)), 0).label("active"),
        func.coalesce(func.sum(case((without, 1), else_=0)), 0).label("without"),
    ).subquery()
    total, active, missing, *counts = ctx.session.execute(
        select(people, tokens).join_from(people, tokens, true())
    ).one()
    return UserNumbers(total, active), TokenNumbers(*counts), Coverage(missing)


def _window(ctx: Context, start: datetime, end: datetime, zone: ZoneInfo) -> _Window:
    """Find the places in the chain at which the window and its nights begin and end, in one statement.

    Places have no gaps and follow the time, so differences of places are counts of entries, however many there are.
    """
    nights = list(security.off_hours(start, end, zone))
    instants = sorted({start, *(at for night in nights for at in night)})
    dialect = ctx.session.get_bind().dialect.name
    marks = rows_value(dialect, [{"place": place, "at": at} for place, at in enumerate(instants)])
    rows = ctx.session.connection().execute(_places(dialect), {"marks": marks}).all()
    after_last = (rows[0][2] or 0) + 1
    places = {instants[place]: after_last if seq is None else seq for place, seq, _ in rows}
    # The end of the window is now; entries that other processes add meanwhile still belong to it.
    places[end] = after_last
    return _Window(places[start], after_last, tuple((places[begin], places[until]) for begin, until in nights))


@cache
def _places(dialect: str) -> Select[*tuple[Any, ...]]:
    mark = rows_parameter(dialect, "marks", place=Integer(), at=UtcDateTime())
    first_at = (
        select(LOGS.c.seq)
        .where(LOGS.c.created_at >= mark.c.at)
        .order_by(LOGS.c.created_at, LOGS.c.seq)
        .limit(1)
        .correlate(mark)
        .scalar_subquery()
    )
    return select(mark.c.place, first_at, select(func.max(LOGS.c.seq)).scalar_subquery())


def _action_counts(ctx: Context, window: _Window) -> tuple[int, int, int]:
    """Return failed changes, sensitive actions and actions of people at night, in one statement.

    What the system does at night by schedule is nobody working at night.
    """
    dialect = ctx.session.get_bind().dialect.name
    busy = [{"begin": begin, "until": until} for begin, until in window.nights if until > begin]
    given = {"first": window.first, "nights": rows_value(dialect, busy)}
    counts = ctx.session.connection().execute(_counts(dialect), given).one()
    night = sum(until - begin for begin, until in window.nights if until > begin)
    return counts[0], counts[1], night - counts[2]


@cache
def _counts(dialect: str) -> Select[*tuple[Any, ...]]:
    first = bindparam("first", type_=BigInteger())
    failed = select(func.count()).where(
        LOGS.c.status != "success",
        LOGS.c.status.in_(security.FAILED_STATUSES),
        LOGS.c.seq >= first,
        LOGS.c.action.not_in(security.VERDICT_ACTIONS),
        LOGS.c.action.not_like("%\\_view", escape="\\"),
    )
    sensitive = select(func.count()).where(LOGS.c.action.in_(security.SENSITIVE_ACTIONS), LOGS.c.seq >= first)
    night = rows_parameter(dialect, "nights", begin=BigInteger(), until=BigInteger())
    within = and_(LOGS.c.actor_username == SYSTEM_ACTOR, LOGS.c.seq >= night.c.begin, LOGS.c.seq < night.c.until)
    by_schedule = select(func.count()).select_from(night).join(LOGS, within)
    return select(*(each.scalar_subquery() for each in (failed, sensitive, by_schedule)))


def _actors(ctx: Context, window: _Window) -> Sequence[ActorCount]:
    number = func.count().label("number")
    rows = ctx.session.execute(
        select(AuditLog.actor_username, number)
        .where(AuditLog.seq >= window.first)
        .group_by(AuditLog.actor_username)
        .order_by(number.desc(), AuditLog.actor_username)
    )
    return [ActorCount(actor, count) for actor, count in rows]


def _sensitive_events(ctx: Context, window: _Window, zone: ZoneInfo) -> tuple[SensitiveEvent, ...]:
    # The newest of each action: a range of the index for every one of them, instead of a walk through the window.
    newest = [
        select(AuditLog.seq)
        .where(AuditLog.action == action, AuditLog.seq >= window.first)
        .order_by(AuditLog.seq.desc())
        .limit(EVENTS)
        .subquery()
        for action in security.SENSITIVE_ACTIONS
    ]
    rows = ctx.session.execute(
        select(AuditLog.id, AuditLog.actor_username, AuditLog.action, AuditLog.status, AuditLog.created_at)
        .where(AuditLog.seq.in_(union_all(*(select(part) for part in newest))))
        .order_by(AuditLog.seq.desc())
        .limit(EVENTS)
    )
    return tuple(SensitiveEvent(*row, off_hours=security.is_off_hours(row.created_at, zone)) for row in rows)
