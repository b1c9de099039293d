"""The items of failing runbook checks: the daily check opens them, it and every sync bring them in line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from console.core.context import Context
from console.domain.remediation import checks as domain
from console.domain.remediation import sync as changes
from console.domain.remediation.checks import CHECK, COVERED_BY
from console.domain.remediation.plan import Plan
from console.domain.remediation.sync import Change
from console.domain.runbook.runbook import Runbook
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.remediation import apply as store
from console.services.tracker import rows
from console.services.tracker import store as tracker_store

WORSENED = "worsened"


@dataclass(frozen=True)
class Followed:
    """How many items of checks changed on the board, by what happened to them."""

    opened_count: int
    reopened_count: int
    raised_count: int
    resolved_count: int
    covered_count: int


def follow(ctx: Context, book: Runbook) -> Followed:
    """Open an item for every failing check that has none, and close those whose check passes.

    In the transaction of the caller, who has checked the permission. Any number of repetitions changes nothing more,
    and a runbook that is older than what the board knows changes nothing.
    """
    return _bring(ctx, book, ctx.now(), _rules_on_board(ctx), lambda _change: True)


def keep_up(ctx: Context, book: Runbook, plan: Plan) -> Followed:
    """Bring the items in line without opening any: a check that fails for minutes makes work for nobody.

    `plan` is about to be applied: its rules will stand on the board, and those that pass will not.
    """
    expected = {item.rule_id for item in plan.items} | (_rules_on_board(ctx) - plan.passed_rule_ids)
    return _bring(ctx, book, ctx.now(), expected, lambda change: change.row is not None and change.row.is_active)


def _bring(
    ctx: Context, book: Runbook, now: datetime, rules: Collection[str], wanted: Callable[[Change], bool]
) -> Followed:
    run = tracker_store.lock_run(ctx, REMEDIATION)
    known = store.stored(ctx, CHECK)
    plan = domain.plan(book, rules, {row.rule_id for row in known if row.is_active})
    decided = changes.sync(
        known,
        [store.planned(item) for item in plan.items],
        plan.passed,
        book.generated_at,
        now,
        covered=plan.covered,
    )
    chosen = [_quiet(change) for change in decided.changes if wanted(change)]
    store.carry_out(ctx, CHECK, chosen, run.gate_decision or "", now)
    counts = Counter(change.kind for change in chosen)
    made = Followed(
        opened_count=counts[changes.OPENED],
        reopened_count=counts[changes.REOPENED],
        raised_count=counts[changes.RAISED],
        resolved_count=counts[changes.RESOLVED],
        covered_count=counts[changes.COVERED],
    )
    if any(vars(made).values()):
        ctx.session.flush()
        tracker_store.reopen_completion(ctx, REMEDIATION, None, "tracker_synced", now)
    return made


def _quiet(change: Change) -> Change:
    """Give a check that got worse an event of its own: its message is that of the daily check, not that of a rule."""
    return replace(change, kinds=(WORSENED,)) if change.kind == changes.RAISED else change


def _rules_on_board(ctx: Context) -> frozenset[str]:
    covering = sorted(set(COVERED_BY.values()))
    statement = select(TrackerItem.item_key).where(
        store.of_kind(store.RULE), rows.ACTIVE, TrackerItem.item_key.in_(covering)
    )
    return frozenset(ctx.session.scalars(statement))
