"""The cheapest way from an exported verdict to GO: what has to pass, and which other rules cost the fewest hours.

An export is what `GET /api/ops/governance/gate`, its runs and `flask gate check --json` give. Nothing in it is believed
but what each rule found: requirement, weight and decision are worked out anew, and a document that says otherwise is
refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import combinations
from math import isfinite
from typing import Any

from console.domain.gate.gate import FAIL, GO, PASS, WARNING, GateSnapshot, decide, summarize
from console.domain.gate.rules import RULES, GatePolicy, Rule, RuleSpec
from console.domain.remediation.plan import remedy_for
from console.domain.text import Text

WEEK_HOURS = 7 * 24
# Hours from beginning now until the rule passes, as they usually are; a streak cannot be hurried (see `hours_of`).
HOURS = {
    "daily_check_recent": 0.25,
    "deploy_smoke_binding_recent": 0.5,
    "preflight_no_error": 1.0,
    "dr_restore_valid_recent": 2.0,
    "runbook_no_critical": 4.0,
    "security_risk_within_max": 8.0,
}


class BadSnapshot(ValueError):
    """The document is no verdict that can be decided upon; the text says why."""


@dataclass(frozen=True)
class Action:
    """One thing to do on the way to GO: the rule, its share of the score in points, and the hours it usually takes."""

    rule_id: str
    points: float
    hours: float
    owner_role: str
    action: Text


def read(document: Any) -> GateSnapshot:
    """Decide anew upon an exported verdict; raises BadSnapshot for one that is incomplete or contradicts itself."""
    if not isinstance(document, Mapping):
        raise BadSnapshot("it is no JSON object")
    policy = _policy(document.get("policy"))
    listed = document.get("rules")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise BadSnapshot("it has no rules")
    by_id = {str(one.get("id")): one for one in listed}
    if len(by_id) != len(listed) or set(by_id) != {spec.id for spec in RULES}:
        raise BadSnapshot("its rules are not those of the gate, each once")
    rules = tuple(_rule(spec, by_id[spec.id], policy) for spec in RULES)
    summary = summarize(rules)
    decision, reasons = decide(rules, summary, policy)
    if document.get("decision") != decision:
        raise BadSnapshot(f"it says {document.get('decision')!r}, but its rules make it {decision!r}")
    return GateSnapshot(_instant(document.get("generated_at")), decision, reasons, summary, rules, policy)


def _policy(given: Any) -> GatePolicy:
    if not isinstance(given, Mapping):
        raise BadSnapshot("it has no policy")
    values: dict[str, Any] = {}
    for one in fields(GatePolicy):
        value = given.get(one.name)
        default = one.default
        fits = type(value) is type(default) or (isinstance(default, float) and type(value) is int)
        if not fits or (isinstance(value, float) and not isfinite(value)):
            raise BadSnapshot(f"its policy has no usable {one.name}")
        values[one.name] = value
    return GatePolicy(**values)


def _rule(spec: RuleSpec, given: Mapping[str, Any], policy: GatePolicy) -> Rule:
    passed, detail = given.get("passed"), given.get("detail")
    if type(passed) is not bool or not isinstance(detail, Mapping):
        raise BadSnapshot(f"its rule {spec.id} has no result")
    required, weight = spec.required(policy), spec.weight(policy)
    status = PASS if passed else FAIL if required else WARNING
    if (given.get("required"), given.get("status"), given.get("weight")) != (required, status, weight):
        raise BadSnapshot(f"its rule {spec.id} contradicts its policy")
    return Rule(spec.id, required, status, passed, weight, Text(str(given.get("message", ""))), detail)


def _instant(given: Any) -> datetime:
    try:
        found = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise BadSnapshot("it does not say when it was judged") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def cheapest(taken: GateSnapshot, most: int = 3) -> tuple[Action, ...]:
    """Return the cheapest actions of the cheapest way to GO, at most `most`, cheapest first; none when it is GO."""
    return tuple(sorted(way(taken), key=lambda one: (one.hours, -one.points, one.rule_id)))[:most]


def way(taken: GateSnapshot) -> tuple[Action, ...]:
    """Return every action of the way to GO that takes the fewest hours in all."""
    if taken.decision == GO:
        return ()
    must = (FAIL,) if taken.policy.allow_warning else (FAIL, WARNING)
    needed = [rule for rule in taken.rules if rule.status in must]
    others = [rule for rule in taken.rules if rule.status != PASS and rule not in needed]
    best = min(
        (
            chosen
            for count in range(len(others) + 1)
            for chosen in combinations(others, count)
            if _go(taken, needed, chosen)
        ),
        key=lambda chosen: (sum(map(hours_of, chosen)), len(chosen)),
        default=tuple(others),
    )
    total = taken.summary.weighted_total
    return tuple(_action(rule, total) for rule in (*needed, *best))


def _go(taken: GateSnapshot, needed: Sequence[Rule], chosen: Sequence[Rule]) -> bool:
    mended = {rule.id for rule in (*needed, *chosen)}
    reached = sum(rule.weight for rule in taken.rules if rule.passed or rule.id in mended)
    score = round(100 * reached / taken.summary.weighted_total, 2)
    return score >= taken.policy.min_weighted_score_percent


def hours_of(rule: Rule) -> float:
    """Return how many hours a rule usually takes from now until it passes."""
    if rule.id in HOURS:
        return HOURS[rule.id]
    target, reached = rule.detail.get("target_weeks"), rule.detail.get("current_streak_weeks")
    missing = target - reached if isinstance(target, int) and isinstance(reached, int) else 1
    return float(max(missing, 1) * WEEK_HOURS)


def _action(rule: Rule, total: float) -> Action:
    remedy = remedy_for(rule)
    return Action(rule.id, round(100 * rule.weight / total, 2), hours_of(rule), remedy.owner_role, remedy.action)
