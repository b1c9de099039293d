"""What the page of a week shows beside its items: measures with goal and rows, advice, the policy and its origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from console.core.context import Context
from console.domain.programme import kpi_policy
from console.domain.programme.indicators import INDICATORS
from console.domain.programme.judge import GREEN, HIGHER, LOWER, NO_DATA, RED
from console.domain.programme.measures import OF_WEEK, PERCENT, SCORE, WINDOW, Measure, Metric
from console.domain.programme.repeats import REPEATS, TARGET
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot
from console.domain.text import N_, T, Text
from console.services.common.query_cache import cached_query_until
from console.services.policies import policies as engine
from console.services.policies.policies import Revision
from console.services.programme import policies, trends
from console.services.programme.metrics import COMPUTED
from console.services.programme.scope import Scope, scope_of
from console.services.programme.trends import Trend

GOOD, BAD, PLAIN = "ok", "late", "plain"
# Figures of the moment stand this long on a page before they are counted again, if nothing changed.
FRESH = timedelta(minutes=1)
_KPI_UNITS = {"report_discipline_score": SCORE}
# Where the rows of the KPIs of W09 to W15 are.
_KPI_ROWS = {
    "escalation_rate_percent": RowsOf("work_orders", {WINDOW: "1", "state": "all", "escalated": "1"}),
    "report_discipline_score": RowsOf("work_orders", {WINDOW: "1", "state": "all"}),
    "data_quality_issue_rate_percent": RowsOf("work_orders", {WINDOW: "1", "state": "all"}),
    "repeat_ticket_rate_percent": RowsOf("work_orders", {WINDOW: "1", "state": "all"}),
}


@dataclass(frozen=True)
class Shown:
    """One measure as the page shows it. `state` is `ok`, `late`, `plain` without a goal, or `no_data`.

    `goal` says the goal or the limit; `note` what is worth knowing beside it; `trend` is oldest first.
    """

    key: str
    name: str
    unit: str
    value: float | None
    state: str
    formula: str
    goal: Text | None = None
    note: Text | None = None
    rows: RowsOf | None = None
    trend: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sign:
    """One indicator as the page shows it; `value` is a number, an instant (aware UTC) or nothing."""

    key: str
    name: str
    unit: str
    value: Any
    state: str
    rows: RowsOf | None = None


@dataclass(frozen=True)
class PolicyShown:
    """By which values a week is judged, and where they come from: `site`, `global`, `built_in`, `settings`, `fixed`.

    `values` are names with their number and unit.
    """

    source: str
    inherited: bool
    values: tuple[tuple[str, float, str], ...]
    enabled: bool = True
    changeable: bool = False


@dataclass(frozen=True)
class Measured:
    """The measures of a week at a site, or of all sites of the reader, at `computed_at` (aware UTC)."""

    metric: Metric
    site: str | None
    computed_at: datetime
    start: datetime
    window_days: int
    measures: tuple[Shown, ...]
    advice: tuple[Advice, ...]
    policy: PolicyShown
    data_state: str
    signs: tuple[Sign, ...] = ()

    @property
    def missed(self) -> int:
        """Return how many measures miss their goal."""
        return sum(one.state == BAD for one in self.measures)


def measured(ctx: Context, code: str, site: str | None) -> Measured:
    """Return the measures of a week; they are remembered until a table that they came from changes.

    Raises PermissionDenied, SiteDenied.
    """
    metric = OF_WEEK[code]
    scope = scope_of(ctx, code, site, metric.default)

    def look() -> tuple[Measured, datetime]:
        return _look(scope, metric), scope.end + FRESH

    return cached_query_until(ctx, ("week_measures", code, ctx.actor.site_scope, scope.site), scope.end, look)


def _look(scope: Scope, metric: Metric) -> Measured:
    found = COMPUTED[metric.key](scope)
    policy = policy_of(scope.ctx, metric.code, scope.site, found)
    lines = trends.of_week(scope, metric.code)
    shown = _measures(found, metric, lines) if metric.measures else _kpis(found, lines, metric.code)
    return Measured(
        metric=metric,
        site=scope.site,
        computed_at=found.generated_at,
        start=found.generated_at - timedelta(days=found.window_days),
        window_days=found.window_days,
        measures=shown,
        advice=tuple(found.advice),
        policy=policy,
        data_state=found.data_state,
        signs=_signs(found, metric.code),
    )


def _signs(found: Snapshot, code: str) -> tuple[Sign, ...]:
    rows = {one.key: one.rows for one in INDICATORS.get(code, ())}
    return tuple(
        Sign(one["key"], one["name"], one["unit"], one["value"], one["status"], rows[one["key"]])
        for one in found.parts.get("indicators", ())
    )


def _measures(found: Snapshot, metric: Metric, lines: Trend) -> tuple[Shown, ...]:
    return tuple(_shown(found, one, lines.get(one.key, ())) for one in metric.measures)


def _shown(found: Snapshot, measure: Measure, line: Sequence[float | None]) -> Shown:
    value, limit = found.metrics[measure.key], threshold(found, measure)
    state = PLAIN
    if found.lacks(measure.key) or value is None:
        value, state = None, NO_DATA
    elif limit is not None:
        met = value >= limit if measure.direction == HIGHER else value <= limit
        state = GOOD if met else BAD
    note = None
    if measure.key == "median_ack_minutes" and value is not None:
        state, note = _answers(found)
    return Shown(
        key=measure.key,
        name=measure.name,
        unit=measure.unit,
        value=value,
        state=state,
        formula=measure.formula,
        goal=_goal(measure.direction, measure.unit, limit) if limit is not None else None,
        note=note,
        rows=measure.rows,
        trend=_known(line),
    )


def _known(line: Sequence[float | None]) -> tuple[float, ...]:
    """Return the points of a trend; one alone is none."""
    points = tuple(point for point in line if point is not None)
    return points if len(points) > 1 else ()


def threshold(found: Snapshot, measure: Measure) -> float | None:
    """Return the goal of a measure: a number, or one that the answer names."""
    if not isinstance(measure.threshold, str):
        return measure.threshold
    group, name = measure.threshold.split(".")
    value: float = found.head[group][name]
    return value


def _answers(found: Snapshot) -> tuple[str, Text | None]:
    """Return how the first answer of W07 stands against the window before: that is what its goal is about."""
    better = found.metrics["response_time_improvement_percent"]
    before = found.metrics["baseline_median_ack_minutes"]
    if better is None:
        return PLAIN, T(N_("no window before to compare with"))
    values = {"before": f"{before:g}", "percent": f"{abs(better):g}"}
    text = (
        N_("%(before)s min before, %(percent)s %% faster")
        if better >= 0
        else N_("%(before)s min before, %(percent)s %% slower")
    )
    return (GOOD if found.metrics["target_met"] else BAD), T(text, **values)


def _goal(direction: str, unit: str, limit: float) -> Text:
    text = {HIGHER: N_("goal %(limit)s or more"), LOWER: N_("limit %(limit)s")}[direction]
    return T(text, limit=f"{limit:g} %" if unit == PERCENT else f"{limit:g}")


def _unknown(found: Snapshot, code: str) -> set[str]:
    """Return the KPIs that have nothing behind them, by the names that the board gives them."""
    unknown, names = set(found.no_data), REPEATS.get(code)
    if names is not None and names.rate_key in unknown:
        unknown.add(names.kpi_names[0][0])
    if names is not None and found.data_state == NO_DATA:
        unknown.add(names.score_key)
    return unknown


def _kpis(found: Snapshot, lines: Trend, code: str) -> tuple[Shown, ...]:
    shown, unknown = [], _unknown(found, code)
    for kpi in found.parts["kpis"]:
        key, light = kpi["kpi_key"], kpi["status"]
        unit = SCORE if key.endswith("score") else _KPI_UNITS.get(key, PERCENT)
        nothing = kpi.get("data_state") == NO_DATA or key in unknown
        value = None if nothing else kpi["actual_value"]
        state = NO_DATA if value is None else GOOD if light == GREEN else BAD if light == RED else "soon"
        shown.append(
            Shown(
                key=key,
                name=kpi["kpi_name"],
                unit=unit,
                value=value,
                state=state,
                formula=kpi["kpi_name"],
                goal=_goal(kpi["direction"], unit, kpi["green_threshold"]),
                rows=_KPI_ROWS.get(key),
                note=T(N_("red %(count)s days in a row"), count=days) if (days := kpi.get("red_days", 0)) > 1 else None,
                trend=_known(lines.get(key, ())),
            )
        )
    return tuple(shown)


def policy_of(ctx: Context, code: str, site: str | None, found: Snapshot) -> PolicyShown:
    """Return by which values a week is judged at a site; permissions are the caller's business."""
    metric = OF_WEEK[code]
    if code not in policies.KINDS:
        values = tuple(
            (one.name, limit, one.unit) for one in metric.measures if (limit := threshold(found, one)) is not None
        )
        return PolicyShown("settings" if code == "w07" else "fixed", False, values)
    view = engine.resolve(ctx, policies.KINDS[code], site)
    return PolicyShown(view.source, view.inherited, _values(code, view.values), view.values["enabled"], True)


def _values(code: str, values: Mapping[str, Any]) -> tuple[tuple[str, float, str], ...]:
    if code == "w09":
        return tuple(
            (kpi.name, values[kpi_policy.field_of(kpi.key, "green_threshold")], _KPI_UNITS.get(kpi.key, PERCENT))
            for kpi in kpi_policy.KPIS
        )
    names = REPEATS[code]
    greens = zip(names.kpi_names[:3], names.rules, strict=True)
    return (
        *((name, values[f"{start}_green_threshold"], PERCENT) for (_key, name), (start, *_rest) in greens),
        (names.kpi_names[3][1], values[TARGET], SCORE),
    )


def at_sites(ctx: Context, code: str) -> tuple[Measured, ...]:
    """Return a week at each site of the reader, the one that misses most first: who needs coaching most."""
    names = scope_of(ctx, code, None, OF_WEEK[code].default).names
    found = [measured(ctx, code, name) for name in names]
    return tuple(sorted(found, key=lambda one: (one.data_state == NO_DATA, -one.missed, one.site or "")))


def history(ctx: Context, code: str, site: str | None) -> tuple[Revision, ...]:
    """Return the changes of the policy of a week, newest first."""
    return policies.revisions(ctx, code, site)
