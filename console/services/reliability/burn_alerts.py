"""Alerts on burning budgets: each burn is told once when it begins and once when it has ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import select, update

from console.core.context import Context
from console.core.i18n import DEFAULT_LOCALE, text_in
from console.domain.alerts.alerts import BURNS
from console.domain.reliability.alert_rules import NAMES, Judged, next_step
from console.domain.reliability.budget import Budget
from console.domain.text import T, Text
from console.models.reliability import BurnAlert
from console.services.alerts import outbox
from console.services.audit import record as audit
from console.services.jobs.progress import current
from console.services.reliability import latency, routes


@dataclass(frozen=True)
class Checked:
    """What a look at all rules found; names are `METHOD /path · rule`. `notify_error` says why nobody was told."""

    checked_at: datetime
    endpoint_count: int
    burning_count: int
    begun: tuple[str, ...]
    ended: tuple[str, ...]
    notified_count: int
    notify_error: str | None


def check(ctx: Context, *, dry_run: bool = False) -> Checked:
    """Begin, go on and end the alerts of all watched routes; with `dry_run` nothing is written or told."""
    now, policy = ctx.now(), latency.policy_of(ctx.config)
    keys = [target.key for target in latency.targets_of(ctx.config)] if policy.enabled else []
    rules = routes.judged(ctx, policy, keys) if keys else {}
    left = routes.budgets_of(ctx, policy, rules) if keys else {}
    known = {(row.endpoint_key, row.rule): row for row in ctx.session.scalars(_open())}
    begun, ended, told, error = [], [], 0, None
    for key, rule in _all_rules(rules, known):
        row, found = known.get((key, rule)), next((one for one in rules.get(key, ()) if one.rule.name == rule), None)
        state = found.state if found else "quiet"
        quiet_since = row.quiet_since if row else None
        step = next_step(state, is_open=row is not None, quiet_since=quiet_since, now=now)
        if step == "begin":
            begun.append(f"{key} · {rule}")
        elif step == "end":
            ended.append(f"{key} · {rule}")
        if dry_run or step == "nothing":
            continue
        if step == "begin" and found:
            row = _begin(ctx, key, found, now)
        if row is not None:
            sent = _move(ctx, row, step, found, left.get(key), now)
            told += sent.queued if sent else 0
            error = sent.error if sent and sent.error and step in ("begin", "end") else error
    result = Checked(
        checked_at=now,
        endpoint_count=len(keys),
        burning_count=sum(one.state == "burning" for found in rules.values() for one in found),
        begun=tuple(begun),
        ended=tuple(ended),
        notified_count=told,
        notify_error=error,
    )
    if (begun or ended) and not dry_run:
        detail = {"begun": list(begun), "ended": list(ended), "notified_count": told, "notify_error": error}
        audit.record(ctx, "ops_api_burn_alert_check", "ops_performance", "burn_alerts", detail=detail)
    return result


def _open() -> Any:
    return select(BurnAlert).where(BurnAlert.ended_at.is_(None)).order_by(BurnAlert.id)


def _all_rules(rules: Any, known: Any) -> list[tuple[str, str]]:
    """Return route and rule of everything that is judged, and of alerts whose route is no longer watched."""
    watched = [(key, one.rule.name) for key, found in rules.items() for one in found]
    return [*watched, *(pair for pair in known if pair not in watched)]


def _begin(ctx: Context, key: str, found: Judged, now: datetime) -> BurnAlert:
    handle = current(ctx)
    row = BurnAlert(
        endpoint_key=key,
        rule=found.rule.name,
        started_at=now,
        short_burn=found.short.burn_rate,
        long_burn=found.long.burn_rate,
        told_json=[],
        run_id=handle.run_id if handle else None,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _move(
    ctx: Context, row: BurnAlert, step: str, found: Judged | None, left: Budget | None, now: datetime
) -> outbox.Raised | None:
    """Write one step of an alert down and tell what has to be told."""
    sent = None
    values: dict[str, Any] = {"quiet_since": (row.quiet_since or now) if step in ("calm", "end") else None}
    if found and step in ("begin", "go_on"):
        # The worst that it was is what people ask for afterwards.
        values |= {
            "short_burn": max(row.short_burn, found.short.burn_rate),
            "long_burn": max(row.long_burn, found.long.burn_rate),
        }
    if step == "end":
        values["ended_at"] = row.quiet_since
        # Whoever was never told that it began need not hear that it is over.
        sent = _tell(ctx, row, step, found, left) if row.told_json else None
    elif not row.told_json and step in ("begin", "go_on"):
        sent = _tell(ctx, row, step, found, left)
        values["told_json"] = _told(sent)
    statement = update(BurnAlert).where(BurnAlert.id == row.id, BurnAlert.ended_at.is_(None)).values(**values)
    ctx.session.execute(statement)
    return sent


def _told(sent: outbox.Raised) -> list[dict[str, Any]]:
    told = zip(sent.channels, sent.delivery_ids, strict=True)
    return [{"target": one.target, "delivery_id": number} for one, number in told]


def _tell(ctx: Context, row: BurnAlert, step: str, found: Judged | None, left: Budget | None) -> outbox.Raised:
    over = step == "end"
    said = _sentence(row, found, left, over)
    base: str = ctx.config["PUBLIC_URL"].rstrip("/")
    payload = {
        "event": BURNS,
        "text": text_in(DEFAULT_LOCALE, said),
        "state": "ended" if over else "begun",
        "endpoint": row.endpoint_key,
        "rule": row.rule,
        "since": row.started_at,
        "ended_at": row.quiet_since if over else None,
        "burn_rate_short": found.short.burn_rate if found else None,
        "burn_rate_long": found.long.burn_rate if found else None,
        "budget_left_percent": left.left_percent if left else None,
        **({"url": f"{base}/ops/latency?{urlencode({'route': row.endpoint_key})}"} if base else {}),
    }
    return outbox.raise_alert(ctx, BURNS, payload)


def _sentence(row: BurnAlert, found: Judged | None, left: Budget | None, over: bool) -> Text:
    name = Text(NAMES[row.rule])
    if over or found is None:
        return T("%(rule)s of %(route)s is over.", rule=(name,), route=row.endpoint_key)
    return T(
        "%(rule)s at %(route)s: %(short)s and %(long)s times the allowed pace. %(budget)s",
        rule=(name,),
        route=row.endpoint_key,
        short=found.short.burn_rate,
        long=found.long.burn_rate,
        budget=(left.sentence if left else T("Too few samples to speak of a budget."),),
    )
