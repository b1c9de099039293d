"""The objective for recoveries of channels: its policy, its check, what a breach sets off (API contract, MTTR SLO)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.core.config import Config
from console.core.context import Context
from console.core.serialize import plain
from console.domain.alerts import incidents as incident_rules
from console.domain.alerts import slo as rules
from console.domain.alerts.incidents import Window
from console.domain.alerts.slo import SloPolicy
from console.domain.errors import Conflict, NotFound
from console.domain.jobs import names as job_names
from console.domain.jobs.runs import Outcome
from console.inputs.policies import MttrSloPolicyModel
from console.models.alerts import AlertNotice
from console.services.alerts import channels, delivery, figures, notices, outbox
from console.services.jobs import engine as run_engine
from console.services.jobs import registry, runs
from console.services.jobs.runs import Run
from console.services.policies import policies
from console.services.policies.kinds import PolicyKind, PolicyView

READ, ADMIN = outbox.READ, "admins:manage"
RECOVERY_TRIGGER = "mttr_slo_auto"
NOTICE = "mttr_slo"
RESULT = ("processed_count", "success_count", "failed_count", "skipped_count")
TOLD = (
    *("policy_key", "enabled", "window_days", "threshold_minutes", "min_incidents"),
    *("auto_recover_enabled", "recover_state", "recover_max_targets"),
)


def _defaults(config: Config) -> Mapping[str, Any]:
    return {name: config[f"ALERT_MTTR_SLO_{name.upper()}"] for name in SloPolicy.__dataclass_fields__}


KIND = PolicyKind(
    name="alerts.mttr_slo",
    schema=MttrSloPolicyModel,
    key="alert_mttr_slo_default",
    scope="ops.alerts.mttr_slo",
    read=READ,
    write=(ADMIN,),
    audit_action="ops_alert_mttr_slo_policy",
    audit_resource="alert_policy",
    defaults=_defaults,
)


def change(ctx: Context, sent: Mapping[str, Any], *, if_match: int | None = None, reason: str = "") -> PolicyView:
    """Merge `sent` into the policy; a blank event type is the default, a long one is cut (API contract, MTTR SLO)."""
    event_type = sent.get("notify_event_type")
    if isinstance(event_type, str):
        sent = {**sent, "notify_event_type": event_type.strip()[:80] or rules.BREACHED}
    return policies.update_policy(ctx, KIND, sent, if_match=if_match, reason=reason)


@dataclass(frozen=True)
class Judged:
    """What the recoveries up to now say of values of the objective; `breach` is None where it is met."""

    enabled: bool
    breach: str | None
    incident_count: int
    unresolved_incidents: int
    mttr_minutes: float | None
    threshold_minutes: int


def judged(ctx: Context, sent: Mapping[str, Any]) -> Judged:
    """Judge the recoveries up to now by the policy with `sent` in it, without storing it; raises PermissionDenied."""
    ctx.actor.require(*READ)
    policy = SloPolicy(**policies.merged(ctx, KIND, sent).values)
    now = ctx.now()
    found = figures.incidents(ctx, event_type=None, days=policy.window_days)
    seen = incident_rules.window(found, days=policy.window_days, now=now)
    why = rules.breach(policy, seen, channel_count=len(channels.listed(ctx)))
    return Judged(
        enabled=policy.enabled,
        breach=why,
        incident_count=seen.figures.incident_count,
        unresolved_incidents=seen.figures.unresolved_incidents,
        mttr_minutes=seen.figures.mttr_minutes,
        threshold_minutes=policy.threshold_minutes,
    )


def check(ctx: Context, *, event_type: str | None, force_notify: bool) -> Outcome:
    """Judge the objective; a breach tries the channels first and then tells people: the work of one run.

    Ends the open transaction of `ctx`: trials and messages leave in transactions of their own, because the run says
    what became of them.
    """
    view = policies.resolve(ctx, KIND)
    policy = SloPolicy(**view.values)
    now = ctx.now()
    seen = incident_rules.window(
        figures.incidents(ctx, event_type=event_type, days=policy.window_days), days=policy.window_days, now=now
    )
    why = rules.breach(policy, seen, channel_count=len(channels.listed(ctx)))
    top = plain(figures.mttr_channels(seen)[: policy.top_channels])
    told = notices.of(ctx, NOTICE)
    actions = _actions(told, policy, now, force_notify)
    detail: dict[str, Any] = {
        "checked_at": now,
        "event_type": event_type,
        "policy_key": view.policy_key,
        "policy_updated_at": view.updated_at,
        "policy": dict(view.values),
        "window": _window(seen),
        "breach": why is not None,
        "breach_reason": why,
        "top_channels": top,
        "actions": actions,
    }
    ctx.session.rollback()
    if why is not None and not ctx.dry_run:
        if policy.auto_recover_enabled:
            actions["auto_recover_attempted"] = True
            actions["auto_recover_result"] = _recover(ctx, policy, event_type)
        _tell(ctx, policy, detail, force_notify)
    return Outcome(detail, "warning" if why is not None or actions["notify_error"] else "success")


def _actions(told: AlertNotice | None, policy: SloPolicy, now: Any, force_notify: bool) -> dict[str, Any]:
    waits = rules.cooldown(told.notified_at if told else None, policy.notify_cooldown_minutes, now)
    return {
        "auto_recover_attempted": False,
        "auto_recover_result": None,
        "notify_attempted": False,
        "notify_dispatched": False,
        "notify_error": None,
        "notify_channels": [],
        "force_notify": force_notify,
        "cooldown_minutes": policy.notify_cooldown_minutes,
        "cooldown_active": waits.active,
        "cooldown_remaining_minutes": waits.remaining_minutes,
        "last_breach_at": told.seen_at if told else None,
        "last_notified_at": told.notified_at if told else None,
    }


def _window(seen: Window) -> dict[str, Any]:
    found = seen.figures
    return {
        "days": seen.days,
        "incident_count": found.incident_count,
        "recovered_incidents": found.recovered_incidents,
        "unresolved_incidents": found.unresolved_incidents,
        "mttr_minutes": found.mttr_minutes,
        "oldest_open_minutes": found.oldest_open_minutes,
        "mean_with_open_minutes": found.mean_with_open_minutes,
    }


def _recover(ctx: Context, policy: SloPolicy, event_type: str | None) -> dict[str, Any] | None:
    """Run the recovery as a run of its own; None while another one is under way, which does the same."""
    options = {"event_type": event_type, "state": policy.recover_state, "max_targets": policy.recover_max_targets}
    with delivery.transactions(ctx)() as own:
        try:
            done = run_engine.execute(
                own, registry.get(job_names.ALERT_GUARD_RECOVER), options, trigger=RECOVERY_TRIGGER
            )
        except Conflict:
            return None
    return {
        "run_id": done.run.id,
        "status": done.run.status,
        "state_filter": policy.recover_state,
        "max_targets": policy.recover_max_targets,
        **{name: done.detail[name] for name in RESULT},
    }


def _tell(ctx: Context, policy: SloPolicy, detail: Mapping[str, Any], force_notify: bool) -> None:
    """Send what has to be told unless that was done lately, and put down what the receivers said."""
    actions = detail["actions"]
    raised: tuple[int, ...] = ()
    with delivery.transactions(ctx)() as own:
        notices.seen(own, NOTICE)
        if policy.notify_enabled:
            before = own.now() - timedelta(minutes=0 if force_notify else policy.notify_cooldown_minutes)
            actions["notify_attempted"] = notices.claim(own, NOTICE, before)
        if actions["notify_attempted"]:
            raised = outbox.raise_alert(own, policy.notify_event_type, _message(detail)).delivery_ids
            actions["last_notified_at"] = own.now()
    if not actions["notify_attempted"]:
        return
    if raised:
        delivery.deliver_due(ctx, limit=len(raised), only=raised)
    told = outbox.results(ctx, raised)
    ctx.session.rollback()
    arrived = sum(one.success for one in told)
    actions["notify_dispatched"], actions["notify_error"] = arrived > 0, rules.told_error(arrived, len(told))
    actions["notify_channels"] = plain(told)


def _message(detail: Mapping[str, Any]) -> dict[str, Any]:
    policy = {"policy_key": detail["policy_key"], **detail["policy"]}
    return {
        "event": rules.BREACHED,
        "checked_at": detail["checked_at"],
        "event_type_scope": detail["event_type"],
        "policy": {name: policy[name] for name in TOLD},
        "window": dict(detail["window"]),
        "top_channels": detail["top_channels"],
        "auto_recover_result": detail["actions"]["auto_recover_result"],
    }


def current(ctx: Context) -> Mapping[str, Any]:
    """Return the values of the objective as it counts now, for the console's own use."""
    return policies.resolve(ctx, KIND).values


def latest(ctx: Context) -> Run:
    """Return the newest check that did its work; raises PermissionDenied, and NotFound before the first."""
    ctx.actor.require(*READ)
    found = runs.last_executed(ctx, job_names.ALERT_MTTR_SLO)
    if found is None:
        raise NotFound(f"No {job_names.ALERT_MTTR_SLO} run found")
    return found
