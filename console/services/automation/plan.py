"""What a run of the autopilot would do right now, item by item, and why it leaves the others alone.

The run itself decides by the same functions; the fingerprint tells whether a plan that somebody saw still holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, case, func, outerjoin, select

from console.core.context import Context
from console.domain.automation import sla
from console.domain.automation.autopilot import (
    AUTO_ASSIGN,
    ESCALATION,
    LEAVE,
    NOT_TRIGGERED,
    NOTIFY_OFF,
    OVER_LIMIT,
    Plan,
    PlanCount,
    PlanDigest,
    PlanLine,
    fingerprint,
)
from console.domain.automation.kpi import KpiMetrics
from console.domain.automation.workload import LEAST_LOADED, NO_CANDIDATE, RETURNED
from console.domain.text import T, Text
from console.domain.tracker.tracker import REMEDIATION, item_number, title_of
from console.models.automation import ItemEscalation
from console.models.tracker import TrackerItem
from console.services.automation import kpi_sql, sla_sql, workload
from console.services.automation.sla_sql import SENT, Decided, Window
from console.services.automation.workload import Suggestions
from console.services.common import sql
from console.services.policies.automation import Effective
from console.services.tracker import assignees, rows

ESCALATIONS_SHOWN = 50
LEFT_SHOWN = 10


@dataclass(frozen=True)
class Drawn:
    """What was decided about all items at one moment: who gets what, who is told about what."""

    suggestions: Suggestions
    window: Window
    decided: Decided
    digest: PlanDigest

    @property
    def assign_count(self) -> int:
        """Return how many items would be given away."""
        return len(self.digest.assigned)

    @property
    def notify_count(self) -> int:
        """Return how many items people would be told about."""
        return sum(part[2] for part in self.digest.escalated)


def draw(ctx: Context, effective: Effective, planned: Iterable[str]) -> Drawn:
    """Decide about all items under a policy whose evaluation planned these actions; writes nothing."""
    policy, actions = effective.policy, set(planned)
    now = ctx.now()
    found = Suggestions()
    if AUTO_ASSIGN in actions and ctx.config["GOVERNANCE_REMEDIATION_AUTO_ASSIGN_ENABLED"]:
        found = workload.suggestions(ctx, workload.active_people(ctx), most=policy.auto_assign_max_items)
    window = sla_sql.window(ctx, now, policy.escalation)
    decided = sla_sql.decide(ctx, window)
    told = decided.parts if ESCALATION in actions and _notifies(ctx, effective) else ()
    digest = PlanDigest(
        assigned=tuple(
            (one.id, one.recommended_assignee) for one in found.made if one.recommended_assignee is not None
        ),
        escalated=tuple(
            (part.rule, part.level, part.count, part.id_sum, part.newest_id) for part in told if part.rule in SENT
        ),
    )
    return Drawn(found, window, decided, digest)


def _notifies(ctx: Context, effective: Effective) -> bool:
    names = ("ESCALATION_ENABLED", "ESCALATION_NOTIFY_ENABLED")
    return effective.policy.notify_enabled and all(ctx.config[f"GOVERNANCE_REMEDIATION_{name}"] for name in names)


def fingerprint_of(effective: Effective, planned: Iterable[str], drawn: Drawn) -> str:
    """Return the fingerprint of what was decided."""
    return fingerprint(effective.policy, effective.view.revision, tuple(planned), drawn.digest)


def plan(ctx: Context, effective: Effective, planned: Iterable[str], counted: KpiMetrics) -> Plan:
    """Return the plan with its lines; `counted` are the figures of the same moment."""
    actions, open_items = tuple(planned), counted.open_items
    drawn = draw(ctx, effective, actions)
    sent = _escalation_lines(ctx, effective, drawn) if drawn.notify_count else []
    both = _told_among(ctx, drawn, [item_id for item_id, _name in drawn.digest.assigned]) if sent else 0
    acted = drawn.assign_count + drawn.notify_count - both
    left = _left_lines(ctx, effective, drawn)
    return Plan(
        fingerprint=fingerprint_of(effective, actions, drawn),
        lines=(*_assignment_lines(drawn), *sent, *left),
        counts=_counts(ctx, actions, effective, drawn, counted),
        left_alone=max(0, open_items - acted),
        truncated=drawn.notify_count > len(sent) or open_items - acted > len(left),
    )


def _assignment_lines(drawn: Drawn) -> list[PlanLine]:
    lines = []
    for one in (*drawn.suggestions.made, *drawn.suggestions.returned):
        given = one.recommended_assignee is not None
        lines.append(
            PlanLine(
                id=one.id,
                item_id=one.item_id,
                title=one.title,
                action=AUTO_ASSIGN if given else LEAVE,
                rule=one.rule,
                reason=one.reason,
                targets=(one.recommended_assignee,) if one.recommended_assignee is not None else (),
                due_at=one.due_at,
                numbers={"candidates": one.candidates, "owner_role": one.owner_role, "load": dict(one.load_detail),
                         "last_assigned_at": one.last_assigned_at},
            )
        )  # fmt: skip
    return lines


_NAMES = ("id", "number", "item_name", "texts", "action", "item_key", "due_at", "assignee", "sla_hours", "site")
_COLUMNS = tuple(getattr(TrackerItem, name) for name in (*_NAMES, "assignee_user_id"))
_ORDER = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)


def _line(row: Any, action: str, rule: str, reason: Text, **values: Any) -> PlanLine:
    return PlanLine(
        id=row.id,
        item_id=item_number(REMEDIATION.item_prefix, row.number),
        title=title_of(row),
        action=action,
        rule=rule,
        reason=reason,
        due_at=row.due_at,
        **values,
    )


def _escalation_lines(ctx: Context, effective: Effective, drawn: Drawn) -> list[PlanLine]:
    rule = sla_sql.rule(drawn.window.now, drawn.window.policy)
    # Where most of them are told of, the first ones are found soonest in the order they are shown in.
    hint = sql.likely if drawn.notify_count * 2 > drawn.decided.count() else sql.unlikely
    told = (ItemEscalation.told_at, ItemEscalation.level.label("told_level"))
    decided = sla_sql.candidates(ctx, drawn.window, TrackerItem.id, *told, hint=hint)
    first = decided.where(rule.in_(SENT)).order_by(*_ORDER).limit(ESCALATIONS_SHOWN).subquery()
    # The texts are read for the first ones only: everything before is answered by one index.
    statement = select(*_COLUMNS, *(column for column in first.c if column.key != "id"))
    found = ctx.session.execute(statement.join(first, first.c.id == TrackerItem.id).order_by(*_ORDER)).all()
    cannot = assignees.warnings(ctx, found)

    def why(row: Any) -> Text:
        said = _why(row, row.rule, row.level, effective, drawn)
        return T("%(reason)s · %(warning)s", reason=said, warning=cannot[row.id]) if row.id in cannot else said

    return [
        _line(
            row,
            ESCALATION,
            row.rule,
            why(row),
            targets=(row.assignee,) if row.assignee and row.id not in cannot else (),
            level=row.level,
            numbers={
                "minutes_until_due": sla.minutes_until(row.due_at, drawn.window.now),
                "repeat_hours": effective.policy.escalation_repeat_hours,
                "due_soon_effective_minutes": sla.effective_minutes(row.sla_hours, drawn.window.policy),
                "last_told_at": row.told_at,
                "last_told_level": row.told_level or 0,
            },
        )
        for row in found
    ]


def _why(row: Any, rule: str, level: int, effective: Effective, drawn: Drawn) -> Text:
    minutes = sla.minutes_until(row.due_at, drawn.window.now) if row.due_at is not None else 0
    return sla.sentence(rule, level, minutes=minutes, repeat_hours=effective.policy.escalation_repeat_hours)


def _left_lines(ctx: Context, effective: Effective, drawn: Drawn) -> list[PlanLine]:
    """Return some of the items that nothing is done about: those told of last, and those whose deadline is next."""
    given = [item_id for item_id, _name in drawn.digest.assigned]
    # Walked from the newest message on: a deadline as the condition would make the database look at all that is late.
    still = and_(*kpi_sql.scope(ctx), sla_sql.candidate(ctx, drawn.window), TrackerItem.id.not_in(given))
    rule = sla_sql.rule(drawn.window.now, drawn.window.policy)
    told = (
        select(*_COLUMNS, ItemEscalation.told_at, ItemEscalation.level)
        .join(ItemEscalation, ItemEscalation.item_id == TrackerItem.id)
        .where(case((and_(still, rule == sla.TOLD), 1), else_=0) == 1)
        .order_by(ItemEscalation.told_at.desc(), ItemEscalation.item_id.desc())
        .limit(LEFT_SHOWN)
    )
    lines = []
    if drawn.decided.count(sla.TOLD):
        for row in ctx.session.execute(told):
            numbers = {"last_told_at": row.told_at, "repeat_hours": effective.policy.escalation_repeat_hours}
            reason = _why(row, sla.TOLD, row.level, effective, drawn)
            lines.append(_line(row, LEAVE, sla.TOLD, reason, level=row.level, numbers=numbers))
    later = (
        select(*_COLUMNS)
        .where(*kpi_sql.scope(ctx), rows.OPEN, TrackerItem.due_at > _end(drawn), TrackerItem.id.not_in(given))
        .order_by(TrackerItem.due_at, TrackerItem.id)
        .limit(LEFT_SHOWN)
    )
    for row in ctx.session.execute(later):
        numbers = {"minutes_until_due": sla.minutes_until(row.due_at, drawn.window.now)}
        lines.append(_line(row, LEAVE, sla.NOT_DUE, _why(row, sla.NOT_DUE, 0, effective, drawn), numbers=numbers))
    return lines


def _end(drawn: Drawn) -> Any:
    return drawn.window.now + timedelta(hours=drawn.window.policy.due_soon_hours)


def _told_among(ctx: Context, drawn: Drawn, ids: list[int]) -> int:
    """Count the items that get an assignee and a message at once."""
    told = and_(sla_sql.candidate(ctx, drawn.window), sla_sql.rule(drawn.window.now, drawn.window.policy).in_(SENT))
    # Asked of those items one by one: as a condition it would make the database look at everything that is late.
    statement = (
        select(func.sum(case((told, 1), else_=0)))
        .select_from(outerjoin(TrackerItem, ItemEscalation, ItemEscalation.item_id == TrackerItem.id))
        .where(TrackerItem.id.in_(ids))
    )
    return ctx.session.scalar(statement) or 0


def _counts(
    ctx: Context, actions: tuple[str, ...], effective: Effective, drawn: Drawn, counted: KpiMetrics
) -> tuple[PlanCount, ...]:
    """Count the items of each action and rule, and of each reason to leave them alone."""
    made: dict[tuple[str, str], int] = {}

    def add(action: str, rule: str, count: int) -> None:
        if count:
            made[action, rule] = made.get((action, rule), 0) + count

    unassigned = counted.unassigned_open_count
    if AUTO_ASSIGN in actions:
        add(AUTO_ASSIGN, LEAST_LOADED, drawn.assign_count)
        found = drawn.suggestions
        free = sum(one.assignee is None for one in found.made)
        add(LEAVE, NO_CANDIDATE, len(found.made) - drawn.assign_count)
        add(LEAVE, RETURNED, found.returned_count)
        add(LEAVE, OVER_LIMIT, max(0, unassigned - free - found.returned_free))
    else:
        add(LEAVE, f"{AUTO_ASSIGN}_{NOT_TRIGGERED}", unassigned)
    no_deadline = _without_deadline(ctx)
    for part in drawn.decided.parts:
        if part.rule not in SENT:
            add(LEAVE, part.rule, part.count)
        elif ESCALATION not in actions:
            add(LEAVE, f"{ESCALATION}_{NOT_TRIGGERED}", part.count)
        else:
            told = _notifies(ctx, effective)
            add(ESCALATION if told else LEAVE, part.rule if told else NOTIFY_OFF, part.count)
    add(LEAVE, sla.NO_DEADLINE, no_deadline)
    add(LEAVE, sla.NOT_DUE, max(0, counted.open_items - drawn.decided.count() - no_deadline))
    return tuple(PlanCount(action, rule, count) for (action, rule), count in made.items())


def _without_deadline(ctx: Context) -> int:
    none = sql.unlikely(ctx, TrackerItem.due_at.is_(None))
    statement = select(func.count()).select_from(TrackerItem).where(*kpi_sql.scope(ctx), rows.OPEN, none)
    return ctx.session.scalar(statement) or 0
