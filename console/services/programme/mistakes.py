"""How often the common mistakes were seen at the sites of somebody who may know it (API contract, common mistakes)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.core.context import Context
from console.domain.programme.measures import METRICS
from console.domain.programme.week import permissions
from console.services.programme import files, metrics, policies, publish
from console.services.programme.editions import edition

# The blockers that a mistake shows in (API contract, common mistakes).
SEEN_IN: Mapping[str, tuple[str, ...]] = {
    "missing_assignee": ("w04_tracker_open_items",),
    "missing_evidence": ("w04_tracker_open_items",),
    "slow_first_action": ("median_ttv_over_target", "low_inspection_conversion"),
    "wo_completion_delay": ("overdue_open_work_orders", "low_completion_conversion"),
    "alert_delivery_failures": ("failed_alert_deliveries",),
}
TOP_MOST = 3


def may_know(ctx: Context, code: str, site: str | None) -> bool:
    """Return whether figures of a site (None: of all that the caller sees) are for the caller at all."""
    if ctx.actor.kind == "anonymous" or f"{code}/blockers" not in METRICS or not ctx.actor.can(permissions(code)[0]):
        return False
    return ctx.actor.sees(policies.site_of(ctx, site))


def observed(ctx: Context, code: str, language: str, *, site: str | None, days: int) -> dict[str, Any]:
    """Return the common mistakes of a week with what was counted, the most frequent first, as of now.

    A mistake that nobody counts has no number and stands last. Raises NotFound for a week without mistakes,
    PermissionDenied, SiteDenied.
    """
    found = edition(ctx)
    document = files.mistakes_of(found, code)
    seen = metrics.blockers(ctx, site, days, TOP_MOST)
    told = publish.mistakes(found, document, language, site=seen["site"], days=days)
    counts = {key: sum(seen["counts"][name] for name in names) for key, names in SEEN_IN.items()}
    items = [{**one, "observed_count": counts.get(one["mistake_key"])} for one in told["items"]]
    items.sort(key=lambda one: (one["observed_count"] is None, -(one["observed_count"] or 0)))
    return {**told, "generated_at": seen["generated_at"], "items": items, "top_blockers": seen["top"]}
