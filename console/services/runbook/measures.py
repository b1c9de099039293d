"""The installation in figures for a monitoring system: processes, queue, runs, outbox, connections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.pool import QueuePool

from console.core.context import Context
from console.domain.jobs.runs import FINISHED
from console.domain.reliability.alert_rules import FAST, SLOW
from console.domain.runbook.alert_checks import OutboxFacts
from console.domain.runbook.process_checks import ProcessFacts
from console.models.jobs import JobRun
from console.models.runbook import PreflightSnapshot
from console.services.reliability import routes
from console.services.runbook import alert_facts, process_facts
from console.services.runbook.preflight import LIVE_FOR

READ = ("admins:manage", "security:read")
RUNS_OF = timedelta(days=1)


@dataclass(frozen=True)
class Measure:
    """One figure, or one for each combination of labels; `samples` are the values of the labels and the number."""

    name: str
    help: str
    samples: tuple[tuple[tuple[str, ...], float], ...]
    labels: tuple[str, ...] = ()


def read(ctx: Context) -> tuple[Measure, ...]:
    """Return all measures of this moment, in nine queries; raises PermissionDenied."""
    ctx.actor.require(*READ)
    seen, outbox = process_facts.facts(ctx), alert_facts.facts(ctx)
    return (*_processes(ctx, seen), *_queue(seen), _runs(ctx), *_outbox(outbox), *_routes(ctx), *_pool(ctx))


def _one(name: str, text: str, number: float) -> Measure:
    return Measure(name, text, (((), number),))


def _by(name: str, text: str, label: str, numbers: Mapping[str, float]) -> Measure:
    return Measure(name, text, tuple(((key,), number) for key, number in sorted(numbers.items())), (label,))


def _age(now: datetime, since: datetime | None) -> float:
    """Return seconds since an instant, 0 without one."""
    return max((now - since).total_seconds(), 0.0) if since else 0.0


def _processes(ctx: Context, seen: ProcessFacts) -> tuple[Measure, ...]:
    living = (
        select(PreflightSnapshot.kind, func.count())
        .where(PreflightSnapshot.computed_at > seen.now - LIVE_FOR)
        .group_by(PreflightSnapshot.kind)
    )
    counts: dict[str, float] = {"web": 0, "worker": 0, "scheduler": 0}
    counts.update((kind, number) for kind, number in ctx.session.execute(living))
    silent = {
        kind: _age(seen.now, at)
        for kind, at in (("worker", seen.worker_seen_at), ("scheduler", seen.scheduler_seen_at))
        if at is not None
    }
    return (
        _by("console_processes", "Processes that were seen within six minutes, by kind", "kind", counts),
        _by("console_process_silence_seconds", "Seconds since one of this kind was last seen", "kind", silent),
    )


def _queue(seen: ProcessFacts) -> tuple[Measure, ...]:
    return (
        _one("console_queue_waiting_runs", "Runs that could begin and wait for a worker", seen.waiting_count),
        _one("console_queue_age_seconds", "How long the oldest of them has waited", _age(seen.now, seen.waiting_since)),
    )


def _runs(ctx: Context) -> Measure:
    statement = (
        select(JobRun.job_name, JobRun.status, func.count())
        .where(JobRun.state == FINISHED, JobRun.finished_at > ctx.now() - RUNS_OF, JobRun.dry_run.is_(False))
        .group_by(JobRun.job_name, JobRun.status)
        .order_by(JobRun.job_name, JobRun.status)
    )
    samples = tuple(((name, status or ""), float(count)) for name, status, count in ctx.session.execute(statement))
    return Measure("console_job_runs_of_a_day", "Runs that ended within 24 hours", samples, ("job", "outcome"))


def _outbox(outbox: OutboxFacts) -> tuple[Measure, ...]:
    return (
        _one("console_outbox_due_alerts", "Alerts that should have left by now", outbox.due_count),
        _one("console_outbox_age_seconds", "How long the oldest has been due", _age(outbox.now, outbox.oldest_due_at)),
        _one("console_outbox_dead_alerts", "Alerts that were given up within a day", outbox.dead_count),
    )


def _routes(ctx: Context) -> tuple[Measure, ...]:
    """Say the figures of the page of response times; a route with too few requests has no line, not a zero."""
    found = routes.look(ctx)
    burns = tuple(
        ((route.endpoint, judged.rule.name, name), window.burn_rate)
        for route in found.routes
        for judged in route.rules
        for name, window in (("short", judged.short), ("long", judged.long))
        if window.ready
    )
    times = {route.endpoint: route.latency.p95_ms for route in found.routes if not route.few}
    left = {route.endpoint: route.budget.left_percent for route in found.routes}
    open_count = dict.fromkeys((FAST, SLOW), 0.0)
    for alerts in found.alerts.values():
        for alert in alerts:
            open_count[alert.rule] += 1
    return (
        _by("console_route_p95_milliseconds", "P95 of the newest requests of a watched route", "route", _known(times)),
        _by("console_route_budget_left_percent", "What is left of its error budget of 30 days", "route", _known(left)),
        Measure(
            "console_route_burn_rate",
            "How many times faster than allowed its budget is used",
            burns,
            ("route", "rule", "window"),
        ),
        _by("console_burn_alerts", "Alerts on burning budgets that go on", "rule", open_count),
    )


def _known(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {key: number for key, number in numbers.items() if number is not None}


def _pool(ctx: Context) -> tuple[Measure, ...]:
    engine = ctx.session.get_bind()
    pool = engine.pool if isinstance(engine, Engine) else None
    if not isinstance(pool, QueuePool):
        return ()
    numbers = {"in_use": float(pool.checkedout()), "idle": float(pool.checkedin())}
    return (_by("console_database_connections", "Connections of the process that answers", "state", numbers),)
