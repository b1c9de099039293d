"""The escalation's decisions as SQL: the same as `console.domain.automation.sla`, for any number of items at once.

A test compares both item by item.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, outerjoin, select

from console.core.context import Context
from console.domain.alerts import snooze
from console.domain.automation import sla
from console.domain.automation.sla import EscalationPolicy
from console.models.automation import ItemEscalation
from console.models.tracker import TrackerItem
from console.services.automation import kpi_sql
from console.services.common import snoozes, sql
from console.services.common.sql import Hint
from console.services.tracker import rows

CRITICAL = and_(TrackerItem.required.expression, TrackerItem.rule_status == "fail")
SENT = (sla.STEP, sla.REPEAT)
_RULES = (*SENT, sla.TOLD)


@dataclass(frozen=True)
class Part:
    """How many candidates stand at one level under one rule; `id_sum` and `newest_id` tell one set from another."""

    rule: str
    level: int
    critical: bool
    count: int
    id_sum: int
    newest_id: int


@dataclass(frozen=True)
class Decided:
    """All candidates of one moment, by rule, level and whether they are critical."""

    parts: tuple[Part, ...] = ()

    def count(self, *rules: str) -> int:
        """Return how many candidates stand under the rules, all without any named."""
        return sum(part.count for part in self.parts if not rules or part.rule in rules)

    @property
    def critical(self) -> int:
        """Return how many candidates are critical."""
        return sum(part.count for part in self.parts if part.critical)


@dataclass(frozen=True)
class Window:
    """One moment under one policy; `slas` are the SLAs that occur among the items that may be due soon."""

    now: datetime
    policy: EscalationPolicy
    slas: tuple[int, ...] = ()


def window(ctx: Context, now: datetime, policy: EscalationPolicy) -> Window:
    """Return the window of a moment; one query, none without half SLAs."""
    if not policy.due_soon_hours or not policy.half_sla:
        return Window(now, policy)
    near = (TrackerItem.due_at >= now, TrackerItem.due_at <= now + timedelta(hours=policy.due_soon_hours))
    statement = select(TrackerItem.sla_hours).distinct().where(*kpi_sql.scope(ctx), rows.OPEN, *near)
    return Window(now, policy, tuple(ctx.session.scalars(statement)))


def level(now: datetime) -> ColumnElement[int]:
    """Return the step at which a candidate stands."""
    return case((TrackerItem.due_at >= now, sla.DUE_SOON), (CRITICAL, sla.CRITICAL_LATE), else_=sla.LATE)


def rule(now: datetime, policy: EscalationPolicy) -> ColumnElement[str]:
    """Return what is done about a candidate: `step`, `repeat` or `told`."""
    return _chosen(now, policy, *_RULES)


def _chosen(now: datetime, policy: EscalationPolicy, step: Any, repeat: Any, told: Any) -> ColumnElement[Any]:
    known = case(
        (
            and_(ItemEscalation.told_at <= now + sla.SKEW, ItemEscalation.due_at == TrackerItem.due_at),
            ItemEscalation.level,
        ),
        else_=sla.NONE,
    )
    again = timedelta(hours=policy.repeat_hours) - sla.REPEAT_GRACE
    awake = TrackerItem.id.not_in(snoozes.standing_ids(snooze.ITEM, now))
    repeats = [(and_(ItemEscalation.told_at <= now - again, awake), repeat)] if policy.repeat_hours else []
    return case((level(now) > known, step), *repeats, else_=told)


def candidate(ctx: Context, seen: Window, hint: Hint = sql.unlikely) -> ColumnElement[bool]:
    """Return the condition for late and nearly late items; `hint` says whether their deadlines choose the index."""
    now, policy = seen.now, seen.policy
    if not policy.due_soon_hours:
        return and_(rows.OPEN, hint(ctx, TrackerItem.due_at < now))
    end = now + timedelta(hours=policy.due_soon_hours)
    bounds = {hours: now + timedelta(minutes=sla.effective_minutes(hours, policy)) for hours in seen.slas}
    short = {hours: bound for hours, bound in bounds.items() if bound < end}
    soon = hint(ctx, TrackerItem.due_at <= end)
    if short:
        kind = TrackerItem.due_at.type
        bound = case(*((TrackerItem.sla_hours == hours, literal(at, kind)) for hours, at in short.items()), else_=end)
        soon = and_(soon, or_(TrackerItem.due_at < now, TrackerItem.due_at <= bound))
    return and_(rows.OPEN, soon)


def candidates(ctx: Context, seen: Window, *columns: Any, hint: Hint = sql.unlikely) -> Select[Any]:
    """Return the SELECT of the candidates that the caller sees: `columns`, then `level` and `rule`."""
    return (
        select(*columns, level(seen.now).label("level"), rule(seen.now, seen.policy).label("rule"))
        .select_from(outerjoin(TrackerItem, ItemEscalation, ItemEscalation.item_id == TrackerItem.id))
        .where(*kpi_sql.scope(ctx), candidate(ctx, seen, hint))
    )


def decide(ctx: Context, seen: Window) -> Decided:
    """Decide about all items that the caller sees, without writing: one query."""
    # One number for rule, level and critical: tens of thousands of rows are grouped by it.
    place = _chosen(seen.now, seen.policy, 0, 1, 2) * 8 + level(seen.now) * 2 + case((CRITICAL, 1), else_=0)
    found = candidates(ctx, seen, TrackerItem.id, place.label("place")).subquery()
    statement = select(found.c.place, func.count(), func.sum(found.c.id), func.max(found.c.id)).group_by(found.c.place)
    parts = []
    for code, count, total, newest in ctx.session.execute(statement):
        rule_, rest = divmod(int(code), 8)
        parts.append(Part(_RULES[rule_], rest // 2, bool(rest % 2), int(count), int(total), int(newest)))
    return Decided(tuple(sorted(parts, key=lambda part: (part.rule, part.level, part.critical))))
