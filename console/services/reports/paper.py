"""A quality report as a paper: the same figures in the same order as on the page, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from console.adapters.pdf import Paper, Part
from console.core.i18n import day_in, text_in
from console.domain.reports.periods import MONTHLY
from console.domain.reports.quality import headline, percent, shown, worst_first
from console.domain.text import N_, T, Text
from console.services.jobs import registry

TITLES = {False: N_("Weekly quality report"), True: N_("Monthly quality report")}
RESULTS = ((N_("Success"), "ok"), (N_("Warning"), "soon"), (N_("Critical"), "late"))
_STATUS = {"ok": N_("OK"), "warning": N_("Warning"), "critical": N_("Critical")}
NO_DATA = N_("No data")


def title_of(window: str) -> str:
    """Return the message id of what a report of a window is called."""
    return TITLES[window == MONTHLY]


def draw(document: Mapping[str, Any], locale: str, names: Mapping[str, str] | None = None) -> bytes:
    """Return a report, as `as_document` gives it and JSON writes it, as PDF in `locale`.

    `names` are what people behind user names are called. Raises FontsMissing where the set-up has not run.
    """

    def said(text: Text | Mapping[str, Any] | str) -> str:
        return text_in(locale, T(text) if isinstance(text, str) else text)

    summary, made_at = document["summary"], datetime.fromisoformat(document["generated_at"])
    zone = ZoneInfo(document["period"]["time_zone"])
    title = f"{said(title_of(document['window']))} {_span(document, zone)}"
    paper = Paper(title, foot=f"KA Facility OS · {document['label']}", locale=locale, made_at=made_at)
    paper.lead(said(headline(summary)))
    at = f"{made_at.astimezone(zone):%Y-%m-%d %H:%M}"
    paper.note(said(T("Made at %(time)s, days in the zone %(zone)s.", time=at, zone=zone.key)))
    if not document["period"]["finished"]:
        paper.note(said(N_("The period was not over yet when the report was made.")))
    paper.heading(said(N_("Figures of the period")))
    paper.figures([(said(name), value) for name, value in _figures(summary, said(NO_DATA))])
    paper.heading(said(N_("Recommendations")))
    paper.points([said(sentence) for sentence in advice_of(document)])
    if summary["job_runs_total"]:
        paper.heading(said(N_("Runs by day")))
        paper.bars(
            [(day_in(locale, date.fromisoformat(day["day"])), _parts(day)) for day in summary["days"]],
            [(said(word), tone) for word, tone in RESULTS],
        )
        paper.heading(said(N_("Jobs, the worst first")))
        heads = [said(one) for one in (N_("Job"), N_("Runs"), *(word for word, _tone in RESULTS), N_("Success rate"))]
        rows = [_line(job, said(registry.title_of(job["job_name"]))) for job in worst_first(summary["jobs"])]
        paper.table(heads, rows, (70, 20, 20, 20, 20, 24))
    _of_now(paper, document, said, names or {}, at)
    return paper.bytes()


def advice_of(document: Mapping[str, Any]) -> list[Mapping[str, Any] | str]:
    """Return the recommendations in the form that can be translated, or as they stand."""
    return list(document.get("recommendation_texts") or document["recommendations"])


def _figures(summary: Mapping[str, Any], nothing: str) -> list[tuple[str, str]]:
    total = summary["job_runs_total"]
    good = percent(sum(job["success"] for job in summary["jobs"]), total)
    rate, findings = summary["alert_delivery_success_rate_percent"], summary["critical_findings_total"]
    return [
        (N_("Runs of jobs"), f"{total:,}"),
        (N_("Runs that succeeded"), nothing if good is None else f"{shown(good):g}%"),
        (N_("Critical findings"), f"{findings:,}" if summary["daily_check_runs_total"] else nothing),
        (N_("Alerts that arrived"), nothing if rate is None else f"{shown(rate):g}%"),
    ]


def _of_now(paper: Paper, document: Mapping[str, Any], said: Any, names: Mapping[str, str], at: str) -> None:
    seen, board, streak = document["preflight"], document["admin_security"], document["weekly_streak"]
    policy = document["alert_noise_policy"]
    paper.heading(said(N_("Values of the moment")))
    paper.note(said(T("These are not figures of the period: they are of %(time)s, when the report was made.", time=at)))
    actors = ", ".join(
        f"{names.get(one['actor'], one['actor'])} {one['action_count']:,}" for one in board["top_actors"]
    )
    paper.table(
        (said(N_("Measured")), said(N_("Value"))),
        [
            (said(N_("Preflight")), _status(said, seen["overall_status"], seen["error_count"] + seen["warning_count"])),
            (
                said(T("Security, last %(days)s days", days=board["window_days"])),
                _status(said, board["overall_status"], board["anomaly_count"]),
            ),
            (said(N_("Most actions on record")), actors or said(NO_DATA)),
            (
                said(N_("Weeks in a row with a report")),
                f"{streak['current_streak_weeks']} / {streak['target_weeks']}",
            ),
            (
                said(N_("Alert noise that is borne: false, missed")),
                f"{policy['false_positive_threshold_percent']:g}%, {policy['false_negative_threshold_percent']:g}%",
            ),
        ],
        (80, 94),
    )


def _status(said: Any, word: str, count: int) -> str:
    return f"{said(_STATUS.get(word, word))} ({count:,})" if count else str(said(_STATUS.get(word, word)))


def _span(document: Mapping[str, Any], zone: ZoneInfo) -> str:
    if document["window"] == MONTHLY:
        return str(document["label"])
    start, end = (datetime.fromisoformat(document["period"][name]).astimezone(zone) for name in ("start", "end"))
    last = (end - datetime.resolution).date()
    return f"{start.date()} ~ {last}"


def _parts(day: Mapping[str, Any]) -> list[Part]:
    return [Part(day[name], tone) for name, tone in (("success", "ok"), ("warning", "soon"), ("critical", "late"))]


def _line(job: Mapping[str, Any], title: str) -> tuple[str, ...]:
    rate = job["success_rate_percent"]
    counts = (job["total"], job["success"], job["warning"], job["critical"])
    return (title, *(f"{count:,}" for count in counts), "–" if rate is None else f"{shown(rate):g}%")
