"""The automation at its full size: assignment, escalation and delivery of alerts, as their jobs call them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from benchmarks.receiver import receiver
from console.adapters.webhooks import Sender
from console.core.clock import SystemClock
from console.core.config import Config
from console.core.context import SYSTEM, Context, unit_of_work
from console.services.alerts import delivery as alert_delivery
from console.services.alerts import outbox as alerts
from console.services.automation import assignment, escalation
from console.services.automation.escalation import EscalationWish
from console.services.policies import automation as autopilot_policy
from tests.support.statements import statements

ASSIGNED = 5_000
DELIVERIES = 1_000


def measure(engine: Engine, environ: Mapping[str, str], *, scale: float) -> list[tuple[str, str, str]]:
    """Assign, escalate and deliver once; returns `(what, measured, goal)`. The database is another one afterwards."""
    with receiver() as address:
        config = Config.load({**environ, "ALERT_WEBHOOK_URL": address, "ALERT_ALLOW_PRIVATE_TARGETS": "1"})
        return [_assignment(engine, config, scale), _escalation(engine, config), _deliveries(engine, config, scale)]


def _once(engine: Engine, config: Config, work: Callable[[Context], Any]) -> tuple[Any, float, int]:
    """Do something in one unit of work; give its result, its seconds and its statements."""
    factory: sessionmaker[Session] = sessionmaker(engine)
    with statements(engine) as seen:
        start = time.perf_counter()
        with unit_of_work(factory, actor=SYSTEM, clock=SystemClock(), config=config) as ctx:
            result = work(ctx)
        seconds = time.perf_counter() - start
    return result, seconds, len(seen)


def _assignment(engine: Engine, config: Config, scale: float) -> tuple[str, str, str]:
    most = max(1, int(ASSIGNED * min(1.0, scale)))

    def assign(ctx: Context) -> assignment.AutoAssigned:
        return assignment.auto_assign(ctx, autopilot_policy.effective(ctx), most, dry_run=False)

    made, seconds, count = _once(engine, config, assign)
    return f"assignment of {made.assigned_count:,} items, {count} statements", f"{seconds:.2f} s", "≤ 3 s"


def _escalation(engine: Engine, config: Config) -> tuple[str, str, str]:
    def escalate(ctx: Context) -> escalation.Escalated:
        return escalation.escalate(ctx, autopilot_policy.effective(ctx), EscalationWish(notify=True), dry_run=False)

    made, seconds, count = _once(engine, config, escalate)
    what = f"escalation, {made.notified_count:,} of {made.candidate_count:,} candidates told, {count} statements"
    return what, f"{seconds:.2f} s", "≤ 3 s, ≤ 20 statements"


def _deliveries(engine: Engine, config: Config, scale: float) -> tuple[str, str, str]:
    factory: sessionmaker[Session] = sessionmaker(engine)

    def transaction() -> Any:
        return unit_of_work(factory, actor=SYSTEM, clock=SystemClock(), config=config)

    count = max(10, int(DELIVERIES * min(1.0, scale)))
    with transaction() as ctx:
        for number in range(count):
            alerts.raise_alert(ctx, "benchmark", {"number": number, "text": "변전실 절연저항 점검"})
    with transaction() as ctx:
        channels = alert_delivery.channel_map(ctx)
    start = time.perf_counter()
    done = alert_delivery.deliver(
        transaction, Sender(config), channels, most_attempts=config["ALERT_MAX_ATTEMPTS"], limit=2 * count
    )
    minutes = (time.perf_counter() - start) / 60
    what = f"alerts delivered by one worker, {done.success_count:,} of {done.processed_count:,} received"
    return what, f"{done.success_count / minutes:,.0f} per minute", "≥ 1,000 per minute"
