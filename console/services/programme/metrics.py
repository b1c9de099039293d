"""The metrics of all weeks: computed on demand, kept until a table that they came from changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from console.core.context import Context
from console.domain.programme.measures import METRICS, Metric
from console.domain.programme.repeats import REPEATS
from console.domain.programme.snapshot import Snapshot
from console.services.audit import record as audit
from console.services.programme import consistency, discipline, funnel, kpis, quality, repeats, rhythm
from console.services.programme.scope import Scope, scope_of

COMPUTED: Mapping[str, Callable[[Scope], Snapshot]] = {
    "w04/funnel": funnel.snapshot,
    "w05/consistency": consistency.snapshot,
    "w06/rhythm": rhythm.snapshot,
    "w07/sla-quality": quality.snapshot,
    "w08/report-discipline": discipline.snapshot,
    "w09/kpi-operation": kpis.snapshot,
    **{f"{code}/{names.path}": partial(repeats.snapshot, code=code) for code, names in REPEATS.items()},
}


def snapshot(ctx: Context, key: str, site: str | None, days: int) -> Snapshot:
    """Return a metric of a site, or of all that the caller sees.

    Raises PermissionDenied, SiteDenied, and Invalid for what is no site.
    """
    metric = METRICS[key]
    found = COMPUTED[key](scope_of(ctx, metric.code, site, days))
    _viewed(ctx, metric, found.site, days)
    return found


def blockers(ctx: Context, site: str | None, days: int, most: int) -> dict[str, Any]:
    """Return what stands in the way of the first success (API contract, W04 blockers)."""
    metric = METRICS["w04/blockers"]
    scope = scope_of(ctx, metric.code, site, days)
    counts, top = funnel.blockers(scope, most)
    _viewed(ctx, metric, scope.site, days)
    return {
        "generated_at": scope.end,
        "site": scope.site,
        "window_days": days,
        "top": [{**vars(one), "title": str(one.title), "recommendation": str(one.recommendation)} for one in top],
        "counts": counts,
    }


def benchmark(ctx: Context, site: str | None, days: int, limit: int) -> dict[str, Any]:
    """Return the sites by their discipline, the best first (API contract, W08 site benchmark)."""
    metric = METRICS["w08/site-benchmark"]
    found = discipline.snapshot(scope_of(ctx, metric.code, site, days))
    items = found.parts["site_benchmark"][:limit]
    _viewed(ctx, metric, found.site, days)
    return {
        "generated_at": found.generated_at,
        "site": found.site,
        "window_days": days,
        "count": len(items),
        "items": items,
        "thresholds": discipline.THRESHOLDS,
    }


def _viewed(ctx: Context, metric: Metric, site: str | None, days: int) -> None:
    audit.viewed(ctx, metric.action, f"adoption_{metric.code}_metric", site or "all", days=days)
