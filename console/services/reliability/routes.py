"""The watched routes with budget, alerts and trend, read from sums: the number of samples does not matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from console.core.context import Context
from console.core.serialize import CsvColumn
from console.domain.errors import NotFound
from console.domain.reliability import budget as budgets
from console.domain.reliability.alert_rules import Judged, judge_rule, rules_of
from console.domain.reliability.buckets import FINE, HOUR, Point, floor, trend
from console.domain.reliability.latency import LatencySnapshot
from console.domain.reliability.policy import LatencyPolicy, WindowCounts
from console.domain.reliability.routes import Route, slower_since, worst_first
from console.domain.remediation.checks import key_of
from console.domain.text import T
from console.domain.tracker.tracker import REMEDIATION, item_number
from console.models.jobs import JobRun
from console.models.reliability import BurnAlert
from console.models.tracker import TrackerItem
from console.services.alerts import marks, outbox
from console.services.reliability import buckets, latency
from console.services.reliability.latency import MemorySamples
from console.services.tracker import rows

READ = latency.READ
DEPLOY_SMOKE = "deploy_smoke"
DEPLOYS_MOST = 12
ENDED_MOST = 5
# What a look back in days is drawn from, and the minutes of one of its points.
PERIODS: Mapping[int, tuple[int, int]] = {1: (FINE, 15), 7: (HOUR, 120), 30: (HOUR, 480)}
# The checks of the runbook whose items are about response times, the nearest first.
CHECKS = tuple(key_of(check_id) for check_id in ("api_burn_rate", "api_latency_p95"))


@dataclass(frozen=True)
class Told:
    """A channel (masked) that the begin of a burn was queued for, and the delivery of that message."""

    channel: str
    delivery_id: int


@dataclass(frozen=True)
class Alert:
    """A burn that was noticed: since when (UTC), whom its begin was queued for, when it ended."""

    id: int
    endpoint: str
    rule: str
    started_at: datetime
    quiet_since: datetime | None
    ended_at: datetime | None
    told: tuple[Told, ...]


@dataclass(frozen=True)
class Routes:
    """All watched routes, worst first, at one moment; `alerts` are those that go on, by route."""

    generated_at: datetime
    snapshot: LatencySnapshot
    routes: tuple[Route, ...]
    alerts: Mapping[str, tuple[Alert, ...]]

    def count(self, state: str) -> int:
        """Return the number of routes in a state."""
        return sum(route.state == state for route in self.routes)


@dataclass(frozen=True)
class Deploy:
    """A deploy that was recorded: when it ended (UTC), and the version of its checklist."""

    run_id: int
    at: datetime
    version: str


@dataclass(frozen=True)
class Item:
    """An item of the board that is about response times."""

    id: int
    item_id: str


@dataclass(frozen=True)
class RouteDetail:
    """One route over `days`: trend, deploys, alerts.

    `risen_since` is the deploy that made it slower, `mended_by` the one that made that good. `marked_false` are the
    deliveries of its alerts that people called false, as far as the caller may read deliveries.
    """

    route: Route
    days: int
    points: tuple[Point, ...]
    step_minutes: int
    deploys: tuple[Deploy, ...]
    risen_since: Deploy | None
    mended_by: Deploy | None
    open_alerts: tuple[Alert, ...]
    ended_alerts: tuple[Alert, ...]
    marked_false: frozenset[int]
    item: Item | None

    @property
    def step(self) -> timedelta:
        """Return how long a stretch is that a point of the trend tells of."""
        return timedelta(minutes=self.step_minutes)

    def alert_of(self, rule: str) -> Alert | None:
        """Return the alert of a rule that goes on."""
        return next((one for one in self.open_alerts if one.rule == rule), None)


def judged(ctx: Context, policy: LatencyPolicy, keys: Sequence[str]) -> dict[str, tuple[Judged, ...]]:
    """Return the alert rules of each route at this moment, in one query."""
    rules = rules_of(policy)
    lengths = [minutes for rule in rules for minutes in (rule.short_minutes, rule.long_minutes)]
    found = buckets.windows(ctx, keys, lengths, policy.warning_ms, ctx.now())
    return {
        key: tuple(
            judge_rule(rule, found[key][2 * at], found[key][2 * at + 1], policy) for at, rule in enumerate(rules)
        )
        for key in keys
    }


def budgets_of(
    ctx: Context, policy: LatencyPolicy, rules: Mapping[str, tuple[Judged, ...]]
) -> dict[str, budgets.Budget]:
    """Return the budget of 30 days of each route, in one query; its pace is that of the fast rule's long window."""
    month = buckets.totals(ctx, list(rules), ctx.now() - budgets.PERIOD)
    found = {}
    for key, (fast, *_others) in rules.items():
        pace = WindowCounts(fast.long.sample_count, fast.long.error_count, fast.long.slow_count)
        found[key] = budgets.budget(month.get(key, WindowCounts()), pace, fast.long.window_minutes, policy)
    return found


def read(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> Routes:
    """Return all watched routes, worst first, in five queries; raises PermissionDenied."""
    ctx.actor.require(*READ)
    return look(ctx, memory)


def look(ctx: Context, memory: Mapping[str, MemorySamples] | None = None) -> Routes:
    """Return the same for use cases that have checked their own permission."""
    seen, policy = latency.snapshot(ctx, memory), latency.policy_of(ctx.config)
    rules = judged(ctx, policy, [row.endpoint for row in seen.endpoints])
    left = budgets_of(ctx, policy, rules)
    routes = worst_first(Route(row, rules[row.endpoint], left[row.endpoint]) for row in seen.endpoints)
    going_on: dict[str, tuple[Alert, ...]] = {}
    for row in ctx.session.scalars(select(BurnAlert).where(BurnAlert.ended_at.is_(None)).order_by(BurnAlert.id)):
        going_on[row.endpoint_key] = (*going_on.get(row.endpoint_key, ()), _alert(row))
    return Routes(ctx.now(), seen, routes, going_on)


def detail(ctx: Context, found: Routes, endpoint: str, days: int) -> RouteDetail:
    """Return one of the routes over the last 1, 7 or 30 days; raises NotFound for a route that is not watched."""
    route = next((one for one in found.routes if one.endpoint == endpoint), None)
    if route is None:
        raise NotFound(T("This route is not watched"))
    width, step = PERIODS[days]
    now, least = ctx.now(), latency.policy_of(ctx.config).burn_min_samples
    since = floor(now - timedelta(days=days), step)
    parts = buckets.of(ctx, endpoint, width, since)
    deploys = _deploys(ctx, since)
    risen, mended = slower_since(parts, [floor(one.at, width) for one in deploys], least)
    ended = select(BurnAlert).where(BurnAlert.endpoint_key == endpoint, BurnAlert.ended_at.is_not(None))
    newest = ended.order_by(BurnAlert.started_at.desc(), BurnAlert.id.desc()).limit(ENDED_MOST)
    open_alerts = found.alerts.get(endpoint, ())
    ended_alerts = tuple(_alert(row) for row in ctx.session.scalars(newest))
    return RouteDetail(
        route=route,
        days=days,
        points=trend(parts, since, now, step, least),
        step_minutes=step,
        deploys=deploys,
        risen_since=None if risen is None else deploys[risen],
        mended_by=None if mended is None else deploys[mended],
        open_alerts=open_alerts,
        ended_alerts=ended_alerts,
        marked_false=_marked_false(ctx, (*open_alerts, *ended_alerts)),
        item=_item(ctx),
    )


def _alert(row: BurnAlert) -> Alert:
    told = tuple(Told(one["target"], one["delivery_id"]) for one in row.told_json)
    return Alert(row.id, row.endpoint_key, row.rule, row.started_at, row.quiet_since, row.ended_at, told)


def _marked_false(ctx: Context, alerts: Sequence[Alert]) -> frozenset[int]:
    if not any(map(ctx.actor.can, outbox.READ)):
        return frozenset()
    return marks.marked_false(ctx, [one.delivery_id for alert in alerts for one in alert.told])


def _deploys(ctx: Context, since: datetime) -> tuple[Deploy, ...]:
    statement = (
        select(JobRun.id, JobRun.finished_at, JobRun.detail_json)
        .where(JobRun.job_name == DEPLOY_SMOKE, JobRun.finished_at >= since, JobRun.dry_run.is_(False))
        .order_by(JobRun.finished_at.desc(), JobRun.id.desc())
        .limit(DEPLOYS_MOST)
    )
    found = [
        Deploy(run_id, at, str(detail.get("checklist_version") or detail.get("deploy_id") or f"#{run_id}")[:40])
        for run_id, at, detail in ctx.session.execute(statement)
        if at is not None
    ]
    return tuple(reversed(found))


def _item(ctx: Context) -> Item | None:
    """Return the open item of the board about response times that the caller may see."""
    statement = (
        rows.base(REMEDIATION, ctx.actor)
        .where(TrackerItem.is_active, TrackerItem.status != "done", TrackerItem.item_key.in_(CHECKS))
        .with_only_columns(TrackerItem.id, TrackerItem.number)
        .order_by(TrackerItem.item_key, TrackerItem.id)
        .limit(1)
    )
    row = ctx.session.execute(statement).first()
    return Item(row.id, item_number(REMEDIATION.item_prefix, row.number)) if row else None


def _hours(route: Route) -> float | None:
    lasts = route.budget.lasts
    return round(lasts / timedelta(hours=1), 1) if lasts is not None else None


CSV_COLUMNS = (
    CsvColumn("endpoint", lambda route: route.endpoint),
    CsvColumn("state", lambda route: route.state),
    CsvColumn("recent_count", lambda route: route.recent_count),
    CsvColumn("p95_ms", lambda route: None if route.few else route.latency.p95_ms),
    CsvColumn("p99_ms", lambda route: None if route.few else route.latency.p99_ms),
    CsvColumn("burn_rate_short", lambda route: route.rules[0].short.burn_rate if route.rules[0].short.ready else None),
    CsvColumn("burn_rate_long", lambda route: route.rules[0].long.burn_rate if route.rules[0].long.ready else None),
    CsvColumn("fast_rule", lambda route: route.rules[0].state),
    CsvColumn("slow_rule", lambda route: route.rules[1].state),
    CsvColumn("budget_kind", lambda route: route.budget.kind),
    CsvColumn("budget_allowed", lambda route: route.budget.allowed),
    CsvColumn("budget_used", lambda route: route.budget.used),
    CsvColumn("budget_left_percent", lambda route: route.budget.left_percent),
    CsvColumn("budget_lasts_hours", _hours),
)
