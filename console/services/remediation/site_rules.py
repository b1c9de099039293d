"""The items of the rules of sites: every sync brings them in line, under their site."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from console.core.context import Context
from console.domain.remediation import sync as changes
from console.domain.remediation.site_rules import KIND_NAME, SITE_RULE, items_of
from console.domain.remediation.sync import PlannedItem
from console.domain.text import T
from console.domain.tracker.tracker import REMEDIATION
from console.models.tracker import TrackerItem
from console.services.gate import site_gate
from console.services.remediation import apply as store
from console.services.tracker import rows
from console.services.tracker import store as tracker_store


def keep_up(ctx: Context, *, include_warnings: bool = True) -> int:
    """Open, raise and resolve the items of the sites that the caller sees; returns how many changed.

    In the transaction of the caller, who has checked the permission and holds the tracker. Any number of repetitions
    with the same facts changes nothing more.
    """
    now, changed = ctx.now(), 0
    known = set(
        ctx.session.scalars(
            select(TrackerItem.site_key)
            .where(TrackerItem.tracker == REMEDIATION.key, TrackerItem.item_type == SITE_RULE, rows.ACTIVE)
            .distinct()
        )
    )
    for verdict in site_gate.verdicts(ctx):
        planned = [_named(store.planned(one)) for one in items_of(verdict, include_warnings=include_warnings)]
        if not planned and verdict.site not in known:
            continue
        passed = {rule.id for rule in verdict.rules if rule.passed}
        stored = store.stored(ctx, SITE_RULE, site=verdict.site)
        decided = changes.sync(stored, planned, passed, verdict.generated_at, now)
        store.carry_out(ctx, SITE_RULE, decided.changes, verdict.decision, now, site=verdict.site)
        changed += sum(decided.counts.values())
    if changed:
        ctx.session.flush()
        tracker_store.reopen_completion(ctx, REMEDIATION, None, "tracker_synced", now)
    return changed


def _named(item: PlannedItem) -> PlannedItem:
    return replace(item, texts={**item.texts, "kind": T(KIND_NAME).as_dict()})
