"""Shadow mode: a proposed policy looks at every run beside the live one, decides, and touches nothing.

What it would have done is compared with what the live policy did and with what people did afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.dialects import postgresql, sqlite

from console.core.context import Context
from console.domain.automation import autopilot as domain
from console.domain.automation import guard as guard_rules
from console.domain.automation.autopilot import AUTO_ASSIGN, ESCALATION
from console.domain.automation.guard import Anchor
from console.models.automation import ShadowDecision, ShadowRun
from console.models.tracker import TrackerEvent, TrackerItem
from console.services.automation import plan as autopilot_plan
from console.services.automation import sla_sql
from console.services.automation.plan import Drawn
from console.services.automation.preview import Assessment
from console.services.automation.sla_sql import SENT
from console.services.jobs.progress import current
from console.services.policies import policies
from console.services.policies import proposals as policy_proposals
from console.services.policies.automation import AUTOPILOT, READ, Effective, typed
from console.services.policies.proposals import Proposal

# Of very many decisions these are compared with what people did.
DECISIONS_MOST = 500
# Who did nothing about an item for so long did not mean to.
TIME_TO_ACT = timedelta(days=1)
_ORDER = (TrackerItem.priority, TrackerItem.due_at, TrackerItem.id)
# What somebody does about an item after a message; made by the machine itself are the other kinds.
_BY_PEOPLE = ("assigned", "status", "note", "comment", "due", "evidence")


def settings_of(ctx: Context, proposal: Proposal) -> Effective:
    """Return the policy as it would be with a proposal."""
    return typed(policies.merged(ctx, AUTOPILOT, proposal.sent))


def observe(ctx: Context, seen: Assessment, live: Drawn, live_skip: str | None) -> None:
    """Let the shadow policy, if there is one, decide about the run that is under way.

    `seen` is what the live policy looked at before acting, `live` what it decided, `live_skip` why it does nothing.
    """
    proposal = policy_proposals.open_proposal(ctx, AUTOPILOT)
    handle = current(ctx)
    if proposal is None or not proposal.shadow or handle is None:
        return
    settings = settings_of(ctx, proposal)
    evaluation = domain.evaluate(settings.policy, seen.metrics, force=seen.force)
    anchor = _anchor(ctx, proposal.id, seen.checked_at)
    guard = guard_rules.guard(
        settings.policy.cooldown_minutes, last=anchor, anchor=anchor, now=seen.checked_at, force=seen.force
    )
    reason = domain.skip_reason(settings.policy, guard, evaluation)
    drawn = autopilot_plan.draw(ctx, settings, evaluation.planned_actions if reason is None else ())
    live_counts = (0, 0) if live_skip is not None else (live.assign_count, live.notify_count)
    counts = (drawn.assign_count, drawn.notify_count)
    ctx.session.add(
        ShadowRun(
            proposal_id=proposal.id,
            run_id=handle.run_id,
            at=seen.checked_at,
            live_skip_reason=live_skip,
            live_assign_count=live_counts[0],
            live_notify_count=live_counts[1],
            shadow_skip_reason=reason,
            shadow_assign_count=counts[0],
            shadow_notify_count=counts[1],
            agrees=counts == live_counts,
            acted=any(counts),
        )
    )
    ctx.session.flush()
    acted = live if live_skip is None else None
    _remember(ctx, proposal.id, seen.checked_at, [*_assignments(drawn, acted), *_messages(ctx, drawn, acted)])


def _anchor(ctx: Context, proposal_id: int, now: datetime) -> Anchor | None:
    """Return the last run in which the shadow would have acted: its own cooldown counts from there."""
    newest = (
        select(ShadowRun.run_id, ShadowRun.at)
        .where(
            ShadowRun.proposal_id == proposal_id,
            ShadowRun.acted.is_(True),
            ShadowRun.at <= now + guard_rules.SKEW,
        )
        .order_by(ShadowRun.at.desc(), ShadowRun.id.desc())
        .limit(1)
    )
    row = ctx.session.execute(newest).first()
    return Anchor(row.run_id, row.at) if row is not None else None


def _assignments(drawn: Drawn, live: Drawn | None) -> list[dict[str, Any]]:
    did = set(live.digest.assigned) if live else set()
    return [
        {"item_id": item_id, "action": AUTO_ASSIGN, "level": 0, "assignee": name, "live": (item_id, name) in did}
        for item_id, name in drawn.digest.assigned
    ]


def _messages(ctx: Context, drawn: Drawn, live: Drawn | None) -> list[dict[str, Any]]:
    if not drawn.notify_count:
        return []
    told = set(_sent(ctx, live)) if live and live.notify_count else set()
    return [
        {"item_id": item_id, "action": ESCALATION, "level": level, "assignee": None, "live": (item_id, level) in told}
        for item_id, level in _sent(ctx, drawn)
    ]


def _sent(ctx: Context, drawn: Drawn) -> Sequence[tuple[int, int]]:
    rule = sla_sql.rule(drawn.window.now, drawn.window.policy)
    found = sla_sql.candidates(ctx, drawn.window, TrackerItem.id).where(rule.in_(SENT))
    return [(row.id, row.level) for row in ctx.session.execute(found.order_by(*_ORDER).limit(DECISIONS_MOST))]


def _remember(ctx: Context, proposal_id: int, at: datetime, decisions: Sequence[dict[str, Any]]) -> None:
    """Keep each decision once: the first time it would have been made."""
    if not decisions:
        return
    dialect = postgresql if ctx.session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [{"proposal_id": proposal_id, "at": at, **decision} for decision in decisions]
    ctx.session.execute(dialect.insert(ShadowDecision).on_conflict_do_nothing(), rows)


@dataclass(frozen=True)
class People:
    """What became of the decisions of one action: people did the same, something else, nothing yet."""

    same: int = 0
    other: int = 0
    open: int = 0

    @property
    def percent(self) -> int | None:
        """Return how often people did the same, None as long as nothing can be said."""
        return round(100 * self.same / (self.same + self.other)) if self.same + self.other else None


@dataclass(frozen=True)
class Comparison:
    """A proposed policy beside the live one since `since` (aware UTC).

    `agreeing_runs` are runs in which both would have done the same to as many items.
    """

    proposal: Proposal
    since: datetime | None
    days: int
    runs: int
    agreeing_runs: int
    live_runs_acted: int
    shadow_runs_acted: int
    live_assign_count: int
    live_notify_count: int
    shadow_assign_count: int
    shadow_notify_count: int
    assignments: People
    messages: People

    @property
    def percent(self) -> int | None:
        """Return in how many percent of the runs both agree, None before the first."""
        return round(100 * self.agreeing_runs / self.runs) if self.runs else None


def comparison(ctx: Context) -> Comparison | None:
    """Compare the open shadow proposal with the live policy and with people: four queries; None without one."""
    ctx.actor.require(*READ)
    ctx.actor.require_all_sites()
    proposal = policy_proposals.open_proposal(ctx, AUTOPILOT)
    if proposal is None:
        return None
    live_acted = ShadowRun.live_assign_count + ShadowRun.live_notify_count > 0
    flags = (ShadowRun.agrees.expression, live_acted, ShadowRun.acted.expression)
    sums = (*(case((flag, 1), else_=0) for flag in flags), *_SUMS)
    row = ctx.session.execute(
        select(func.min(ShadowRun.at), func.count(), *(func.coalesce(func.sum(part), 0) for part in sums)).where(
            ShadowRun.proposal_id == proposal.id
        )
    ).one()
    since, runs, agreeing, live, shadowed, *counts = tuple(row)
    return Comparison(
        proposal=proposal,
        since=since,
        days=(ctx.now() - since).days + 1 if since is not None else 0,
        runs=runs,
        agreeing_runs=int(agreeing),
        live_runs_acted=int(live),
        shadow_runs_acted=int(shadowed),
        **{column.key: int(count) for column, count in zip(_SUMS, counts, strict=True)},
        assignments=_people_assigned(ctx, proposal.id),
        messages=_people_moved(ctx, proposal.id),
    )


_SUMS = (
    ShadowRun.live_assign_count,
    ShadowRun.live_notify_count,
    ShadowRun.shadow_assign_count,
    ShadowRun.shadow_notify_count,
)


def _people_assigned(ctx: Context, proposal_id: int) -> People:
    """Compare who the shadow would have chosen with the first assignment afterwards."""
    first = (
        select(TrackerEvent.new["assignee"].as_string())
        .where(
            TrackerEvent.item_id == ShadowDecision.item_id,
            TrackerEvent.at >= ShadowDecision.at,
            TrackerEvent.kind.in_(("assigned", "auto_assigned")),
        )
        .order_by(TrackerEvent.id)
        .limit(1)
        .correlate(ShadowDecision)
        .scalar_subquery()
    )
    mine = (
        select(ShadowDecision.assignee.label("wanted"), first.label("got"))
        .where(ShadowDecision.proposal_id == proposal_id, ShadowDecision.action == AUTO_ASSIGN)
        .subquery()
    )
    counts = [
        func.count(case((mine.c.got == mine.c.wanted, 1))),
        func.count(case((mine.c.got != mine.c.wanted, 1))),
        func.count(case((mine.c.got.is_(None), 1))),
    ]
    same, other, waiting = tuple(ctx.session.execute(select(*counts)).one())
    return People(same, other, waiting)


def _people_moved(ctx: Context, proposal_id: int) -> People:
    """Tell for how many of the items that the shadow would have named somebody did something afterwards.

    Where nobody did for a day, people did something else; before that nothing can be said.
    """
    moved = (
        select(TrackerEvent.id)
        .where(
            TrackerEvent.item_id == ShadowDecision.item_id,
            TrackerEvent.at >= ShadowDecision.at,
            TrackerEvent.kind.in_(_BY_PEOPLE),
        )
        .correlate(ShadowDecision)
        .exists()
    )
    wanted = (ShadowDecision.proposal_id == proposal_id, ShadowDecision.action == ESCALATION)
    mine = select(moved.label("moved"), (ShadowDecision.at > ctx.now() - TIME_TO_ACT).label("fresh"))
    found = mine.where(*wanted).subquery()
    counts = [
        func.count(case((found.c.moved, 1))),
        func.count(case((~found.c.moved & ~found.c.fresh, 1))),
        func.count(case((~found.c.moved & found.c.fresh, 1))),
    ]
    same, other, waiting = tuple(ctx.session.execute(select(*counts)).one())
    return People(same, other, waiting)
