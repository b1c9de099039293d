"""Security risk of the accounts, tokens and audited actions (API contract, admin security dashboard)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.domain.text import T, Text

RISK_LEVELS = ("low", "medium", "high", "critical")
_LEVEL_FROM = ((80, "critical"), (60, "high"), (30, "medium"), (0, "low"))

SENSITIVE_ACTIONS = (
    "admin_audit_chain_acknowledge",
    "admin_audit_chain_rebaseline",
    "admin_token_issue",
    "admin_token_revoke",
    "admin_token_rotate",
    "admin_user_create",
    "admin_user_update",
    "sla_policy_restore",
    "sla_policy_update",
)
FAILED_STATUSES = ("warning", "failed", "error", "critical")
# Their status repeats a verdict; counting it would make a bad verdict worse each time somebody asks.
VERDICT_ACTIONS = (
    "ops_governance_gate_run",
    "ops_governance_gate_remediation_csv_export",
    "ops_deploy_smoke_record",
    "ops_quality_report_run",
    "w07_sla_quality_weekly_run",
)

OFF_HOURS_END = time(6)
OFF_HOURS_START = time(22)


@dataclass(frozen=True)
class RiskNumbers:
    """The counts that make the risk score; tokens are live ones of active users, actions those of the window."""

    failed_or_warning: int = 0
    off_hours_total: int = 0
    expiring_7d: int = 0
    rotate_overdue: int = 0
    active_users_without_token: int = 0
    dormant_30d: int = 0
    non_owner_wildcard_tokens: int = 0


@dataclass(frozen=True)
class RiskTerm:
    """One addend of the score: `min(count * weight, cap)`."""

    name: str
    weight: int
    cap: int

    def points(self, count: int) -> int:
        """Return the points for a count."""
        return min(count * self.weight, self.cap)


RISK_TERMS = (
    RiskTerm("failed_or_warning", 2, 25),
    RiskTerm("off_hours_total", 2, 15),
    RiskTerm("expiring_7d", 3, 20),
    RiskTerm("rotate_overdue", 3, 20),
    RiskTerm("active_users_without_token", 2, 10),
    RiskTerm("dormant_30d", 2, 10),
    RiskTerm("non_owner_wildcard_tokens", 20, 40),
)


@dataclass(frozen=True)
class Risk:
    """Score 0 to 100 and its level."""

    score: int
    level: str


def level_of(score: int) -> str:
    """Return the level of a score."""
    return next(level for least, level in _LEVEL_FROM if score >= least)


def highest_score(level: str) -> int:
    """Return the largest score that still counts as `level`."""
    return next((least - 1 for least, name in reversed(_LEVEL_FROM) if rank(name) > rank(level)), 100)


def rank(level: str) -> int:
    """Order the levels; an unknown word counts as `high`."""
    return RISK_LEVELS.index(level if level in RISK_LEVELS else "high")


def risk(numbers: RiskNumbers) -> Risk:
    """Add up the capped terms (API contract, risk)."""
    score = min(100, sum(risk_points(numbers).values()))
    return Risk(score, level_of(score))


def risk_points(numbers: RiskNumbers) -> dict[str, int]:
    """Return the points of every term, for the explanation beside the score."""
    return {term.name: term.points(getattr(numbers, term.name)) for term in RISK_TERMS}


def is_off_hours(at: datetime, zone: ZoneInfo) -> bool:
    """Return whether `at` lies between 22:00 and 06:00 in the business zone."""
    local = at.astimezone(zone).time()
    return local < OFF_HOURS_END or local >= OFF_HOURS_START


def off_hours(start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Return the nights of the business zone between two instants as half-open ranges, clipped to them.

    Ranges instead of hours: they follow daylight saving exactly and let the database use its index on the time.
    """
    day = start.astimezone(zone).date() - timedelta(days=1)
    while (begin := datetime.combine(day, OFF_HOURS_START, zone)) < end:
        until = datetime.combine(day + timedelta(days=1), OFF_HOURS_END, zone)
        clipped = max(begin.astimezone(start.tzinfo), start), min(until.astimezone(start.tzinfo), end)
        if clipped[0] < clipped[1]:
            yield clipped
        day += timedelta(days=1)


@dataclass(frozen=True)
class Anomaly:
    """Something that stands out; `metric` reached `threshold`."""

    id: str
    status: str
    metric: int
    threshold: int
    message: Text
    recommendation: Text


def anomalies(numbers: RiskNumbers, *, sensitive_total: int, stale_14d: int, days: int) -> tuple[Anomaly, ...]:
    """List what stands out in a window of `days`, in the order of the API contract."""
    found = []
    for id_, metric, threshold, message, recommendation in (
        (
            "failed_actions_spike",
            numbers.failed_or_warning,
            max(10, days),
            T("Failed or warned changes: %(count)s in %(days)s days.", count=numbers.failed_or_warning, days=days),
            T("Sort the failed changes by cause and name an owner for each."),
        ),
        (
            "sensitive_action_volume",
            sensitive_total,
            max(15, 2 * days),
            T("Sensitive administrative actions: %(count)s in %(days)s days.", count=sensitive_total, days=days),
            T("Have a second person review sensitive administrative actions."),
        ),
        (
            "off_hours_activity",
            numbers.off_hours_total,
            max(5, days // 2),
            T("Actions between 22:00 and 06:00: %(count)s in %(days)s days.", count=numbers.off_hours_total, days=days),
            T("Tie work outside business hours to a change ticket."),
        ),
        (
            "token_expiring_soon",
            numbers.expiring_7d,
            0,
            T("Tokens that expire within 7 days: %(count)s.", count=numbers.expiring_7d),
            T("Issue new tokens for those that expire within 7 days."),
        ),
        (
            "stale_token_usage",
            stale_14d,
            0,
            T("Tokens that were not used for 14 days: %(count)s.", count=stale_14d),
            T("Revoke tokens that were not used for 14 days."),
        ),
        (
            "token_rotate_overdue",
            numbers.rotate_overdue,
            0,
            T("Tokens past their rotation date: %(count)s.", count=numbers.rotate_overdue),
            T("Rotate the tokens that are past their rotation date."),
        ),
        (
            "users_without_active_token",
            numbers.active_users_without_token,
            0,
            T("Active users with neither a token nor a password: %(count)s.", count=numbers.active_users_without_token),
            T("Check users without access and give them least-privilege access or deactivate them."),
        ),
        (
            "dormant_tokens",
            numbers.dormant_30d,
            0,
            T("Tokens that were not used for 30 days: %(count)s.", count=numbers.dormant_30d),
            T("Revoke tokens that were not used for 30 days."),
        ),
        (
            "token_wildcard_scope_non_owner",
            numbers.non_owner_wildcard_tokens,
            0,
            T("Tokens for all sites held by non-owners: %(count)s.", count=numbers.non_owner_wildcard_tokens),
            T("Replace tokens for all sites held by non-owners with site-scoped ones."),
        ),
    ):
        if metric >= max(threshold, 1):
            status = "critical" if id_ == "token_wildcard_scope_non_owner" else "warning"
            found.append(Anomaly(id_, status, metric, threshold, message, recommendation))
    return tuple(found)


def overall(found: tuple[Anomaly, ...], level: str) -> str:
    """Return `critical` with a critical anomaly or level, `warning` with any anomaly, else `ok`."""
    if level == "critical" or any(anomaly.status == "critical" for anomaly in found):
        return "critical"
    return "warning" if found else "ok"
