"""How the autopilot's figures and the evidence of the gate are said."""

from __future__ import annotations

import pytest

from console.blueprints.automation.filters import target_words
from console.ui.labels.runbook import kind_of


@pytest.mark.parametrize(
    ("target", "said"),
    [("<=35.0", "목표 35% 이하"), (">=85.0", "목표 85% 이상"), ("<5", "목표 5 미만"), ("odd", "odd")],
)
def test_a_rate_has_its_percent_sign_and_a_count_none(app, target, said):
    with app.test_request_context(headers={"Accept-Language": "ko"}):
        assert target_words(target) == said


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("age_seconds", 100, "length"),
        ("is_stale", False, "stale"),
        ("is_stale", None, "none"),
        ("enabled", True, "flag"),
        ("latest_status", "missing", "status"),
        ("max_risk_level", "low", "word"),
        ("error_count", 2, "number"),
        ("daily_check_max_age_hours", 36, "hours"),
        ("min_weighted_score_percent", 75.0, "percent"),
    ],
)
def test_a_value_of_evidence_has_its_kind(key, value, kind):
    assert kind_of(key, value) == kind
