"""What W10 to W15 are really about, beside the formula that they share: one entry is one more indicator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.programme.judge import GREEN, HIGHER, LOWER, NO_DATA, RED, YELLOW, judged
from console.domain.programme.measures import COUNT, LATE, MINUTES, PERCENT
from console.domain.programme.snapshot import RowsOf
from console.domain.text import N_

INSTANT, MILLISECONDS, WEEKS = "instant", "milliseconds", "weeks"
STATES: Mapping[str, str] = {GREEN: "ok", YELLOW: "warning", RED: "critical"}


@dataclass(frozen=True)
class Indicator:
    """One indicator: `name` is a message id; with `green` and `yellow` its value is judged, else its source judges."""

    key: str
    name: str
    unit: str
    direction: str = HIGHER
    green: float | None = None
    yellow: float | None = None
    rows: RowsOf | None = None

    def state_of(self, value: float | None) -> str:
        """Return `ok`, `warning`, `critical`, or `no_data` where nothing is known."""
        if value is None or self.green is None or self.yellow is None:
            return NO_DATA
        return STATES[judged(self.direction, value, self.green, self.yellow)]


INDICATORS: Mapping[str, tuple[Indicator, ...]] = {
    "w10": (
        Indicator("repeat_reduction_percent", N_("Fewer repeats than before"), PERCENT, HIGHER, 20.0, 0.0),
        Indicator("median_first_answer_minutes", N_("Median of the first answer"), MINUTES, LOWER, 60.0, 120.0),
    ),
    "w11": (
        Indicator("role_coverage_percent", N_("Sites with manager and operator"), PERCENT, HIGHER, 100.0, 85.0),
        Indicator("fallback_coverage_percent", N_("Sites where somebody can step in"), PERCENT, HIGHER, 85.0, 70.0),
    ),
    "w12": (
        Indicator("closed_weeks_percent", N_("Begun weeks that are closed"), PERCENT, HIGHER, 80.0, 60.0),
        Indicator("handover_in_time_percent", N_("Handovers accepted in time"), PERCENT, HIGHER, 80.0, 60.0),
    ),
    "w13": (
        Indicator("improvements_closed_percent", N_("Improvement actions that are done"), PERCENT, HIGHER, 85.0, 70.0),
        Indicator(
            "improvements_over_7_days_count", N_("Improvement actions older than a week"), COUNT, LOWER, 0.0, 3.0
        ),
    ),
    "w14": (
        Indicator("deploy_smoke", N_("Smoke test after deploy"), INSTANT),
        Indicator("evidence_archive_integrity", N_("Integrity of the archives"), INSTANT),
        Indicator("recovery_drill", N_("Recovery drill"), INSTANT),
        Indicator("api_p95_ms", N_("P95 of the slowest watched address"), MILLISECONDS),
    ),
    "w15": (
        Indicator("weekly_report_streak_weeks", N_("Weeks in a row with a quality report"), WEEKS),
        Indicator("late_over_7_days_count", N_("Orders late for more than a week"), COUNT, LOWER, 0.0, 5.0, LATE),
    ),
}
