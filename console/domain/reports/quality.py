"""What a quality report holds and what it advises (API contract, quality reports)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import floor
from typing import Any

from console.domain.gate.streak import Streak
from console.domain.reports.periods import Period
from console.domain.text import T, Text

TEMPLATE = "ops-quality-v1"
# Figures that no row of the past tells any more: they are those of the moment at which the report was made.
OF_NOW = ("preflight", "admin_security", "weekly_streak", "alert_noise_policy")
SUCCESSES = ("success", "ok")
# A delivery rate below this is worth advice.
DELIVERY_TARGET_PERCENT = 95.0
FINDINGS, DELIVERY, ANOMALIES, PREFLIGHT, GO_ON = (
    *("critical_findings", "alert_delivery", "security_anomalies", "preflight_errors", "keep_going"),
)
WARNING, SUCCESS = "warning", "success"


@dataclass(frozen=True)
class Counted:
    """So many finished runs of one job on one day of the period ended with one status; None is no status at all."""

    day: date
    job_name: str
    status: str | None
    count: int


@dataclass(frozen=True)
class JobLine:
    """The runs of one job in the period; whatever is neither success nor warning counts as critical."""

    job_name: str
    total: int
    success: int
    warning: int
    critical: int
    success_rate_percent: float | None


@dataclass(frozen=True)
class DayLine:
    """The runs of all jobs on one day of the period."""

    day: date
    total: int
    success: int
    warning: int
    critical: int


@dataclass(frozen=True)
class Summary:
    """The figures of the period; `alert_delivery_success_rate_percent` is None without deliveries."""

    job_count: int
    job_runs_total: int
    critical_findings_total: int
    alert_delivery_total: int
    alert_delivery_success_rate_percent: float | None
    jobs: tuple[JobLine, ...]
    daily_check_runs_total: int
    days: tuple[DayLine, ...]


@dataclass(frozen=True)
class Advice:
    """One recommendation: its key for programs, its sentence for people."""

    id: str
    text: Text


@dataclass(frozen=True)
class Report:
    """One report; `of_now` are the parts that are no figures of the period."""

    generated_at: datetime
    period: Period
    summary: Summary
    preflight: Mapping[str, Any]
    admin_security: Mapping[str, Any]
    weekly_streak: Streak
    alert_noise_policy: Mapping[str, Any]
    advice: tuple[Advice, ...]

    @property
    def status(self) -> str:
        """Return the status of its run: produced it is in any case, `warning` tells of critical findings."""
        return WARNING if self.summary.critical_findings_total else SUCCESS


def percent(part: int, whole: int) -> float | None:
    """Return the share in percent with two decimals; None of nothing."""
    return round(100 * part / whole, 2) if whole else None


def shown(rate: float) -> float:
    """Return a rate as people read it: one decimal, cut and not rounded, so that 99.96 is not all of them."""
    return floor(round(rate * 10, 6)) / 10


def summary_of(
    counted: Iterable[Counted], days: Sequence[date], *, findings: int, checks: int, sent: int, delivered: int
) -> Summary:
    """Put the figures of a period together; every one of its days has a line."""
    jobs: dict[str, list[int]] = {}
    lines: dict[date, list[int]] = {day: [0, 0, 0] for day in days}
    for one in counted:
        place = 0 if one.status in SUCCESSES else 1 if one.status == WARNING else 2
        jobs.setdefault(one.job_name, [0, 0, 0])[place] += one.count
        lines[one.day][place] += one.count
    listed = tuple(JobLine(name, sum(n), n[0], n[1], n[2], percent(n[0], sum(n))) for name, n in sorted(jobs.items()))
    return Summary(
        job_count=len(listed),
        job_runs_total=sum(line.total for line in listed),
        critical_findings_total=findings,
        alert_delivery_total=sent,
        alert_delivery_success_rate_percent=percent(delivered, sent),
        jobs=listed,
        daily_check_runs_total=checks,
        days=tuple(DayLine(day, sum(n), n[0], n[1], n[2]) for day, n in lines.items()),
    )


def advise(summary: Summary, *, anomalies: int, preflight_errors: int) -> tuple[Advice, ...]:
    """Return what follows from the figures, in the published order; without anything, to go on.

    No deliveries are no bad deliveries: an unknown rate advises nothing.
    """
    found: list[Advice] = []
    rate = summary.alert_delivery_success_rate_percent
    if summary.critical_findings_total:
        text = T("Settle what the daily check found: %(count)s critical.", count=summary.critical_findings_total)
        found.append(Advice(FINDINGS, text))
    if rate is not None and rate < DELIVERY_TARGET_PERCENT:
        text = T("Check the alert channels: %(rate)s%% of the alerts arrived, %(target)s%% are wanted.",
                 rate=f"{shown(rate):g}", target=f"{DELIVERY_TARGET_PERCENT:g}")  # fmt: skip
        found.append(Advice(DELIVERY, text))
    if anomalies:
        found.append(Advice(ANOMALIES, T("Settle what stands out in security: %(count)s.", count=anomalies)))
    if preflight_errors:
        found.append(Advice(PREFLIGHT, T("Settle the errors of the preflight: %(count)s.", count=preflight_errors)))
    return tuple(found) or (Advice(GO_ON, T("Nothing needs attention. Keep the rhythm.")),)


def headline(summary: Mapping[str, Any]) -> Text:
    """Return the answer of a report in one sentence, from its summary as the document carries it."""
    if not summary["job_runs_total"] and not summary["alert_delivery_total"]:
        return T("Nothing is on record for this period.")
    parts = {"runs": _runs_said(summary), "findings": _findings_said(summary), "alerts": _delivery_said(summary)}
    return T("%(findings)s; %(runs)s; %(alerts)s", **{name: (text,) for name, text in parts.items()})


def _runs_said(summary: Mapping[str, Any]) -> Text:
    total = summary["job_runs_total"]
    good = percent(sum(job["success"] for job in summary["jobs"]), total)
    if good is None:
        return T("no job ran")
    return T("%(rate)s%% of %(total)s job runs succeeded", rate=f"{shown(good):g}", total=total)


def _findings_said(summary: Mapping[str, Any]) -> Text:
    if not summary["daily_check_runs_total"]:
        return T("The daily check did not run")
    return T("Daily check: %(count)s critical findings", count=summary["critical_findings_total"])


def _delivery_said(summary: Mapping[str, Any]) -> Text:
    rate = summary["alert_delivery_success_rate_percent"]
    if rate is None:
        return T("no alert was sent")
    return T("%(rate)s%% of %(total)s alerts arrived", rate=f"{shown(rate):g}", total=summary["alert_delivery_total"])


def worst_first(jobs: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the lines of jobs with most critical runs first, then most warnings, then by name."""
    return sorted(jobs, key=lambda job: (-job["critical"], -job["warning"], job["job_name"]))


def as_document(report: Report) -> dict[str, Any]:
    """Return the report as API, archive and run carry it: the published keys in their order, then those of ours."""
    period = report.period
    return {
        "template_version": TEMPLATE,
        "generated_at": report.generated_at,
        "window": period.window,
        "label": period.label,
        "period": {
            "start": period.start,
            "end": period.end,
            "time_zone": period.time_zone,
            "finished": period.finished(report.generated_at),
        },
        "summary": report.summary,
        "preflight": report.preflight,
        "admin_security": report.admin_security,
        "weekly_streak": report.weekly_streak,
        "alert_noise_policy": report.alert_noise_policy,
        "recommendations": [str(one.text) for one in report.advice],
        "recommendation_ids": [one.id for one in report.advice],
        "recommendation_texts": [one.text.as_dict() for one in report.advice],
        "of_now": {"at": report.generated_at, "fields": list(OF_NOW)},
    }


def csv_rows(document: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the published CSV, of a report as `as_document` gives it and JSON writes it."""
    summary = document["summary"]
    head = ("template_version", "generated_at", "window", "label")
    yield from ((name, document[name]) for name in head)
    yield from ((f"period_{name}", document["period"][name]) for name in ("start", "end"))
    figures = ("job_runs_total", "critical_findings_total", "alert_delivery_total")
    yield from ((name, summary[name]) for name in (*figures, "alert_delivery_success_rate_percent"))
    yield ()
    columns = ("job_name", "total", "success", "warning", "critical", "success_rate_percent")
    yield columns
    yield from (tuple(job[name] for name in columns) for job in summary["jobs"])
