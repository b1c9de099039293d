"""The governance gate: seven rules, their weights, the decision with its reasons (API contract, governance gate)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from console.domain.gate.rules import GateFacts, GatePolicy, Rule, evaluate
from console.domain.text import T, Text

GO, NO_GO = "go", "no_go"
PASS, WARNING, FAIL = "pass", "warning", "fail"


@dataclass(frozen=True)
class Reason:
    """One reason for the decision: a code for programs, the rules it is about, a sentence for people."""

    code: str
    rule_ids: tuple[str, ...]
    message: Text


@dataclass(frozen=True)
class GateSummary:
    """Counts and weights of the seven rules; the score is passed weight / total weight in percent, 2 decimals."""

    total_rules: int
    required_rules: int
    passed_rules: int
    failure_count: int
    warning_count: int
    weighted_total: float
    weighted_passed: float
    weighted_score_percent: float


@dataclass(frozen=True)
class GateSnapshot:
    """The verdict at one moment."""

    generated_at: datetime
    decision: str
    reasons: tuple[Reason, ...]
    summary: GateSummary
    rules: tuple[Rule, ...]
    policy: GatePolicy

    @property
    def job_status(self) -> Literal["success", "warning", "critical"]:
        """Return the status of a run with this verdict: critical, warning or success."""
        if self.decision == NO_GO:
            return "critical"
        return "warning" if self.summary.warning_count else "success"

    @property
    def blocking_rule_ids(self) -> frozenset[str]:
        """Return the rules without which the decision would be better; empty for GO."""
        if self.decision == GO:
            return frozenset()
        return frozenset(rule_id for reason in self.reasons for rule_id in reason.rule_ids)


def snapshot(facts: GateFacts, policy: GatePolicy, now: datetime) -> GateSnapshot:
    """Judge the facts at `now` (aware UTC)."""
    rules = evaluate(facts, policy, now)
    summary = summarize(rules)
    decision, reasons = decide(rules, summary, policy)
    return GateSnapshot(now, decision, reasons, summary, rules, policy)


def summarize(rules: tuple[Rule, ...]) -> GateSummary:
    """Count rules and weights."""
    total = sum(rule.weight for rule in rules)
    passed = sum(rule.weight for rule in rules if rule.passed)
    return GateSummary(
        total_rules=len(rules),
        required_rules=sum(rule.required for rule in rules),
        passed_rules=sum(rule.passed for rule in rules),
        failure_count=sum(rule.status == FAIL for rule in rules),
        warning_count=sum(rule.status == WARNING for rule in rules),
        weighted_total=round(total, 2),
        weighted_passed=round(passed, 2),
        weighted_score_percent=round(100 * passed / total, 2) if total else 100.0,
    )


class Accepted(Protocol):
    """What a decision reads of a policy: whether warnings are accepted, and from which score on."""

    @property
    def allow_warning(self) -> bool:
        """Return whether a warning is accepted."""

    @property
    def min_weighted_score_percent(self) -> float:
        """Return the least score in percent."""


def decide(rules: tuple[Rule, ...], summary: GateSummary, policy: Accepted) -> tuple[str, tuple[Reason, ...]]:
    """Return the decision and every reason for it, not only the first (API contract, decision)."""
    failed = tuple(rule.id for rule in rules if rule.status == FAIL)
    warned = tuple(rule.id for rule in rules if rule.status == WARNING)
    score, least = summary.weighted_score_percent, policy.min_weighted_score_percent
    against = []
    if failed:
        against.append(
            Reason("required_rule_failed", failed, T("Required rules failed: %(count)s.", count=len(failed)))
        )
    if warned and not policy.allow_warning:
        against.append(
            Reason("warnings_not_allowed", warned, T("Warnings are not allowed: %(count)s.", count=len(warned)))
        )
    if score < least:
        message = T("The weighted score of %(score)s %% is below %(least)s %%.", score=score, least=least)
        against.append(Reason("weighted_score_below_minimum", failed + warned, message))
    if against:
        return NO_GO, tuple(against)
    message = T("All required rules pass; the weighted score of %(score)s %% is enough.", score=score)
    reasons = [Reason("requirements_met", (), message)]
    if warned:
        reasons.append(Reason("warnings_accepted", warned, T("Accepted warnings: %(count)s.", count=len(warned))))
    return GO, tuple(reasons)


def as_detail(taken: GateSnapshot) -> dict[str, Any]:
    """Return the one JSON shape of a verdict: stored with the run, answered by the API, read by the pages.

    Sentences are English; the same sentence stands beside it as message id and values for translation.
    """
    return {
        "generated_at": taken.generated_at,
        "decision": taken.decision,
        **judged(taken.reasons, taken.summary, taken.rules),
        "policy": asdict(taken.policy),
        "failure_count": taken.summary.failure_count,
        "warning_count": taken.summary.warning_count,
    }


def judged(reasons: Iterable[Reason], summary: GateSummary, rules: Iterable[Rule]) -> dict[str, Any]:
    """Return the part of that shape which every verdict has, whatever it is about."""
    return {
        "reasons": [
            {"code": reason.code, "rule_ids": list(reason.rule_ids), **_message(reason.message)} for reason in reasons
        ],
        "summary": asdict(summary),
        "rules": [_rule(rule) for rule in rules],
    }


def _rule(rule: Rule) -> Mapping[str, Any]:
    return {
        "id": rule.id,
        "required": rule.required,
        "status": rule.status,
        "passed": rule.passed,
        "weight": rule.weight,
        **_message(rule.message),
        "detail": dict(rule.detail),
    }


def _message(text: Text) -> dict[str, Any]:
    return {"message": str(text), "message_text": text.as_dict()}


@dataclass(frozen=True)
class Share:
    """What one rule adds to the weighted score, in percentage points, and whether the way to GO needs it to pass."""

    rule_id: str
    status: str
    weight: float
    points: float
    turns: bool


def shares(verdict: Mapping[str, Any]) -> tuple[Share, ...]:
    """Return the share of every rule of a verdict in the shape of `as_detail`, kept or of this moment."""
    rules = verdict["rules"]
    total = sum(rule["weight"] for rule in rules)
    turning = _turning(verdict, total) if verdict["decision"] == NO_GO else frozenset()
    return tuple(
        Share(
            rule["id"],
            rule["status"],
            rule["weight"],
            round(100 * rule["weight"] / total, 2) if total else 0.0,
            rule["id"] in turning,
        )
        for rule in rules
    )


def _turning(verdict: Mapping[str, Any], total: float) -> frozenset[str]:
    """Return the fewest rules whose passing would make the verdict GO: what must pass, then the heaviest others."""
    policy = verdict["policy"]
    must = (FAIL,) if policy["allow_warning"] else (FAIL, WARNING)
    open_rules = sorted((rule for rule in verdict["rules"] if rule["status"] != PASS), key=lambda one: -one["weight"])
    chosen = [rule for rule in open_rules if rule["status"] in must]
    others = [rule for rule in open_rules if rule["status"] not in must]
    reached = sum(rule["weight"] for rule in verdict["rules"] if rule["status"] == PASS or rule["status"] in must)
    for rule in others:
        if total and round(100 * reached / total, 2) >= policy["min_weighted_score_percent"]:
            break
        chosen.append(rule)
        reached += rule["weight"]
    return frozenset(rule["id"] for rule in chosen)
