"""W10 to W15: one formula under the names of each week (API contract, W10 to W15)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from console.domain.policies.policy import CLAMPED, Normalised, PolicyWarning
from console.domain.programme.judge import HIGHER, LOWER, in_order
from console.domain.text import N_

GUIDES_LEAST, RUNBOOKS_LEAST = 5, 4
GUIDE, RUNBOOK = "self_serve_guide", "troubleshooting_runbook"
YELLOW_BELOW_TARGET = 15.0
TARGET = "readiness_target"


@dataclass(frozen=True)
class RepeatNames:
    """The published names of a week: `path` of the metric, names of its values, of its policy and of its fields.

    `rate`, `guides` and `runbooks` are the beginnings of the fields of the policy.
    """

    code: str
    path: str
    total: str
    repeated: str
    rate_key: str
    guide_key: str
    runbook_key: str
    score_key: str
    top: str
    guide_list: str
    runbook_list: str
    policy: str
    rate: str = "risk_rate"
    guides: str = "checklist_completion"
    runbooks: str = "simulation_success"

    @cached_property
    def rules(self) -> tuple[tuple[str, str, float, float], ...]:
        """Return the three judged values: start of the fields, direction, built-in green and yellow."""
        return (
            (self.rate, LOWER, 20.0, 30.0),
            (self.guides, HIGHER, 80.0, 60.0),
            (self.runbooks, HIGHER, 80.0, 60.0),
        )

    @property
    def kpi_names(self) -> tuple[tuple[str, str], ...]:
        """Return key and message id of the four KPIs."""
        return (
            ("repeat_ticket_rate_percent", N_("Rate of repeated orders")),
            (self.guide_key, N_("Guides that are done")),
            (self.runbook_key, N_("Runbooks that are done")),
            (self.score_key, N_("Readiness score")),
        )

    def defaults(self) -> dict[str, float]:
        """Return the built-in numbers of the policy by field."""
        made = {}
        for start, _direction, green, yellow in self.rules:
            made[f"{start}_green_threshold"], made[f"{start}_yellow_threshold"] = green, yellow
        return {**made, TARGET: 75.0}

    def arrange(self, values: Mapping[str, Any]) -> Normalised:
        """Round the numbers and bring the thresholds into their order."""
        made = {name: round(value, 2) if isinstance(value, float) else value for name, value in values.items()}
        warnings = []
        for start, direction, _green, _yellow in self.rules:
            green, yellow = f"{start}_green_threshold", f"{start}_yellow_threshold"
            fitting = in_order(direction, made[green], made[yellow])
            if fitting != made[yellow]:
                warnings.append(PolicyWarning(yellow, CLAMPED, f"{made[yellow]:g}", fitting))
                made[yellow] = fitting
        return Normalised(made, tuple(warnings))


_SAME = ("work_orders_count", "repeated_work_orders_count")
_RISK = ("risk_rate_percent", "checklist_completion_rate_percent", "simulation_success_rate_percent")
_INCIDENTS = ("incidents_count", "repeated_incidents_count", "incident_repeat_rate_percent", *_RISK[1:])
_SCALE = ("scale_checklist", "simulation_runbook")

REPEATS: dict[str, RepeatNames] = {
    names.code: names
    for names in (
        RepeatNames(
            *("w10", "self-serve", *_SAME, "repeat_rate_percent", "guide_publish_rate_percent"),
            *("runbook_completion_rate_percent", "self_serve_readiness_score", "top_repeat_titles"),
            *("guide_coverage", "runbook_modules", "support-policy"),
            *("repeat_rate", "guide_publish", "runbook_completion"),
        ),
        RepeatNames(
            *("w11", "scale-readiness", *_SAME, *_RISK, "scale_readiness_readiness_score", "top_repeat_titles"),
            *(*_SCALE, "readiness-policy"),
        ),
        RepeatNames(
            *("w12", "closure-handoff", *_SAME, *_RISK, "closure_handoff_readiness_score", "top_repeat_titles"),
            *(*_SCALE, "handoff-policy"),
        ),
        RepeatNames(
            *("w13", "closure-handoff", *_SAME, *_RISK, "closure_handoff_readiness_score", "top_repeat_titles"),
            *(*_SCALE, "handoff-policy"),
        ),
        RepeatNames(
            *("w14", "stability-sprint", *_INCIDENTS, "stability_sprint_readiness_score", "top_repeat_incidents"),
            *(*_SCALE, "stability-policy"),
        ),
        RepeatNames(
            *("w15", "ops-efficiency", *_INCIDENTS, "ops_efficiency_readiness_score", "top_repeat_incidents"),
            *(*_SCALE, "efficiency-policy"),
        ),
    )
}

# The word of the policy of each week that has one.
POLICY_WORDS: Mapping[str, str] = {"w09": "kpi-policy", **{code: names.policy for code, names in REPEATS.items()}}
