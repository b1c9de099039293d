"""What has to be done about the runbook checks that fail, by whom and by when: one item for each of them.

These items stand on the same board as those of the gate's rules, under keys of their own. None of them is required:
what the gate needs for its release is the work of its rules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.domain.gate.gate import FAIL, WARNING
from console.domain.remediation.plan import PlanItem, priority_of
from console.domain.runbook.runbook import CRITICAL, CheckResult, Runbook
from console.domain.text import T, Text

# The kind of these items, and what their keys begin with: no rule of the gate is called like that.
CHECK = "check"
PREFIX = "runbook:"
# A critical check keeps the gate from its release: it is due as soon as the rule that says so.
SLA_HOURS = {CRITICAL: 4}
OTHER_SLA_HOURS = 24
# The rules whose own item is about the very same fact: as long as it stands on the board, the check has none.
COVERED_BY: Mapping[str, str] = {
    "startup_preflight": "preflight_no_error",
    "ops_quality_weekly_report_streak": "weekly_streak_target_met",
    "ops_quality_weekly_report_recent": "weekly_streak_target_met",
    "deploy_smoke_checklist": "deploy_smoke_binding_recent",
    "dr_rehearsal_recent": "dr_restore_valid_recent",
}
ACTIONS: Mapping[str, Text] = {
    "alert_retry_recent": T("Start a retry of the failed alerts and see why the schedule did not."),
    "startup_preflight": T("Mend what the preflight warns of, then check it again."),
    "ops_quality_weekly_report_streak": T("Produce the weekly quality report and keep its streak."),
    "ops_daily_check_archive": T("Switch the files of the daily check on again."),
    "api_latency_p95": T("Find out what makes the slow routes slow and mend it."),
    "api_burn_rate": T("Stop what uses up the error budget of the routes."),
    "audit_chain_integrity": T("Have the audit chain verified as a whole and look into every break."),
    "evidence_archive_integrity_batch": T("Look into every file that is missing, changed or unreadable."),
    "deploy_smoke_checklist": T("Repeat the smoke test of the release along the present checklist."),
    "runbook_critical_monthly_review": T("Review this month's deploys for misses and false alarms of the gate."),
    "migration_rollback_guide": T("Put the rollback guide back in its place."),
    "token_expiry_pressure": T("Renew the tokens that are about to expire, or revoke them."),
    "rate_limit_backend": T("Bring back the store where the rate limits are counted."),
    "audit_archive_signing": T("Set the signing key, so that audit archives are signed."),
    "alert_noise_policy_documented": T("Put the alert noise policy back in its place."),
    "dr_rehearsal_recent": T("Run a recovery rehearsal and keep its certificate."),
    "ops_quality_weekly_report_recent": T("Produce the weekly quality report that is missing."),
    "alert_outbox_moving": T("See why alerts do not leave the outbox, and reach whoever waits for them."),
    "remediation_escalation_recent": T("See why the hourly escalation does not run as it should."),
    "remediation_auto_assign_recent": T("See why the hourly assignment does not run as it should."),
    "remediation_kpi_recent": T("See why the hourly measurement does not run as it should."),
    "remediation_autopilot_recent": T("See why the hourly autopilot does not run as it should."),
    "sla_cron_recent": T("See why the escalation of work orders does not run as it should."),
    "w07_weekly_quality_recent": T("Start the weekly run of W07 and see why the schedule did not."),
    "w07_quality_alert_channel": T("Give alerts a channel, or switch those of W07 off."),
    "worker_alive": T("Start a worker again and see why the last one ended."),
    "scheduler_alive": T("Start the scheduler again and see why the last one ended."),
    "queue_age": T("See what keeps runs waiting; start more workers if there is too much work."),
    "alert_channel_guard": T("Bring the channels back that take no alerts, and send each a trial."),
    "alert_retention_recent": T("See why old alerts are not taken away."),
    "alert_guard_recovery_recent": T("See why channels in trouble are not tried."),
    "alert_mttr_slo_recent": T("See why the recovery of channels is not checked."),
    "alert_mttr_slo_breach": T("See which channels take long to recover, and what stands behind it."),
    "alert_noise_within_limits": T("Go through the missed and false alerts and adjust what raises them."),
}


@dataclass(frozen=True)
class CheckPlan:
    """What the runbook says about the board: failing checks as items, keys of those that pass, keys that are covered.

    A covered check fails, but the item of a rule of the gate is about the same fact.
    """

    items: tuple[PlanItem, ...]
    passed: frozenset[str]
    covered: frozenset[str]


def key_of(check_id: str) -> str:
    """Return the key of the item of a check."""
    return PREFIX + check_id


def check_of(key: str) -> str:
    """Return the check that an item of this key is about."""
    return key.removeprefix(PREFIX)


def plan(book: Runbook, rules_on_board: Collection[str], known: Collection[str]) -> CheckPlan:
    """Return what has to stand on the board by this runbook, the critical checks first.

    `rules_on_board` are the rules of the gate with an open item, `known` the keys of the checks that have one already:
    what is no longer checked by this release counts as passed.
    """
    failing = [check for check in book.checks if check.fails]
    covered = {key_of(check.id) for check in failing if COVERED_BY.get(check.id) in rules_on_board}
    items = [_item(check, book) for check in failing if key_of(check.id) not in covered]
    return CheckPlan(
        tuple(sorted(items, key=lambda item: item.priority)),
        frozenset({*known, *map(key_of, (check.id for check in book.checks))} - {key_of(one.id) for one in failing}),
        frozenset(covered),
    )


def _item(check: CheckResult, book: Runbook) -> PlanItem:
    hours = SLA_HOURS.get(check.status, OTHER_SLA_HOURS)
    status = FAIL if check.status == CRITICAL else WARNING
    return PlanItem(
        item_id=key_of(check.id),
        rule_id=key_of(check.id),
        rule_status=status,
        required=False,
        priority=priority_of(status, False),
        owner_role=check.owner_role,
        sla_hours=hours,
        due_at=book.generated_at + timedelta(hours=hours),
        action=ACTIONS.get(check.id, check.message),
        reason=check.message,
        detail=_figures(check),
    )


def _figures(check: CheckResult) -> dict[str, Any]:
    """Return the fields of a check that are one value each; its lists stay with the run."""
    plain = {name: value for name, value in check.fields.items() if not isinstance(value, (list, tuple, dict))}
    return {"status": check.status, **plain, "seen_at": check.seen_at}
