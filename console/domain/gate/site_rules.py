"""The rules that each site is judged by over its daily work; the verdict of the platform knows none of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Any

from console.domain.gate import gate
from console.domain.gate.gate import GateSummary, Reason
from console.domain.gate.rules import Finding, Rule, RuleSpec, judge_all
from console.domain.text import T

# A dangerous finding waits so long for its order before the site is told; a photo so long after the work.
ORDERED_WITHIN = timedelta(hours=2)
PROVEN_WITHIN = timedelta(hours=24)
# Facts older than this are history: they can be read, and nobody is judged by them.
LOOK_BACK = timedelta(days=30)
# From one round to the next, with the time that people need: longer than this and it was missed.
ROUND_WITHIN = {
    "daily": timedelta(hours=36),
    "weekly": timedelta(days=9),
    "monthly": timedelta(days=38),
    "quarterly": timedelta(days=105),
    "yearly": timedelta(days=380),
}


@dataclass(frozen=True)
class SitePolicy:
    """What is accepted of a site: warnings, and from which score on."""

    allow_warning: bool = True
    min_weighted_score_percent: float = 75.0


@dataclass(frozen=True)
class RoundSeen:
    """A template that is done at a site: how often, and when (aware UTC) it was done or published last."""

    name: str
    cycle: str
    last_at: datetime

    def missed(self, now: datetime) -> bool:
        """Return whether the next one should have been done by now; nobody knows it of a cycle in other words."""
        within = ROUND_WITHIN.get(self.cycle)
        return within is not None and now - self.last_at > within


@dataclass(frozen=True)
class SiteFacts:
    """What the rules read of one site: counts and oldest instants (aware UTC) of the last 30 days.

    `dangers` are inspections with a danger that nobody ordered or settled for two hours, `critical_late` open critical
    orders past their due date, `unproven` urgent orders that were completed a day ago without a file after the work.
    """

    site: str
    dangers: int = 0
    oldest_danger_at: datetime | None = None
    critical_late: int = 0
    oldest_late_at: datetime | None = None
    unproven: int = 0
    rounds: tuple[RoundSeen, ...] = ()


@dataclass(frozen=True)
class SiteVerdict:
    """The verdict of one site at one moment; its rules stand in their order."""

    site: str
    generated_at: datetime
    decision: str
    reasons: tuple[Reason, ...]
    summary: GateSummary
    rules: tuple[Rule, ...]

    @property
    def failing(self) -> tuple[Rule, ...]:
        """Return the rules that do not pass, failures before warnings."""
        found = (rule for rule in self.rules if not rule.passed)
        return tuple(sorted(found, key=lambda rule: rule.status != gate.FAIL))


def judge(facts: SiteFacts, now: datetime, policy: SitePolicy | None = None) -> SiteVerdict:
    """Judge one site at `now` (aware UTC), by the decision that the platform is judged by."""
    policy = policy or SitePolicy()
    rules = judge_all(SITE_RULES, facts, policy, now)
    summary = gate.summarize(rules)
    decision, reasons = gate.decide(rules, summary, policy)
    return SiteVerdict(facts.site, now, decision, reasons, summary, rules)


def as_detail(taken: SiteVerdict) -> dict[str, Any]:
    """Return the JSON shape of a site's verdict: that of the platform's, without a policy and with the site."""
    return {
        "site": taken.site,
        "generated_at": taken.generated_at,
        "decision": taken.decision,
        **gate.judged(taken.reasons, taken.summary, taken.rules),
        "failure_count": taken.summary.failure_count,
        "warning_count": taken.summary.warning_count,
    }


def _dangers(facts: SiteFacts, _policy: SitePolicy, now: datetime) -> Finding:
    hours = _hours(facts.oldest_danger_at, now)
    detail = {"danger_count": facts.dangers, "oldest_hours": hours}
    if not facts.dangers:
        return Finding(True, T("Every danger has its work order."), detail)
    told = T("Dangers without a work order: %(count)s, the oldest for %(hours)s h.", count=facts.dangers, hours=hours)
    return Finding(False, told, detail)


def _critical(facts: SiteFacts, _policy: SitePolicy, now: datetime) -> Finding:
    hours = _hours(facts.oldest_late_at, now)
    detail = {"late_count": facts.critical_late, "oldest_hours": hours}
    if not facts.critical_late:
        return Finding(True, T("No urgent work order is late."), detail)
    count = facts.critical_late
    told = T("Urgent work orders that are late: %(count)s, the oldest by %(hours)s h.", count=count, hours=hours)
    return Finding(False, told, detail)


def _rounds(facts: SiteFacts, _policy: SitePolicy, now: datetime) -> Finding:
    missed = [one.name for one in facts.rounds if one.missed(now)]
    detail = {"round_count": len(facts.rounds), "missed_count": len(missed), "missed": missed}
    if not missed:
        return Finding(True, T("Every round was done in its time."), detail)
    return Finding(False, T("Rounds that were missed: %(names)s.", names=", ".join(missed)), detail)


def _evidence(facts: SiteFacts, _policy: SitePolicy, _now: datetime) -> Finding:
    detail = {"unproven_count": facts.unproven}
    if not facts.unproven:
        return Finding(True, T("Urgent and important work has its evidence."), detail)
    told = T("Urgent and important work orders completed without evidence: %(count)s.", count=facts.unproven)
    return Finding(False, told, detail)


def _hours(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else floor((now - at) / timedelta(hours=1))


SITE_RULES: tuple[RuleSpec[SiteFacts, SitePolicy], ...] = (
    RuleSpec("site_danger_ordered", _dangers, lambda _: True, lambda _: 2.0),
    RuleSpec("site_critical_in_time", _critical, lambda _: True, lambda _: 2.0),
    RuleSpec("site_rounds_done", _rounds, lambda _: False, lambda _: 1.0),
    RuleSpec("site_evidence_given", _evidence, lambda _: False, lambda _: 1.0),
)
