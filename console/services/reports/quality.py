"""Quality reports: computed for readers, and produced by jobs with their archives (API contract, quality reports)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from console.core.context import Context
from console.core.serialize import BOM, csv_line, plain, to_json
from console.domain.archives.archives import QUALITY_REPORT
from console.domain.gate.streak import Streak
from console.domain.jobs import names as job_names
from console.domain.reports import periods
from console.domain.reports.periods import MONTHLY, Period
from console.domain.reports.quality import Report, advise, as_document, csv_rows
from console.services.archives import files
from console.services.archives.files import Kept, Made
from console.services.audit import record as audit
from console.services.identity import risk as security
from console.services.identity.names import names_of
from console.services.jobs import progress
from console.services.reports import figures
from console.services.runbook import evidence_facts, preflight

READ = ("admins:manage", "security:read")
JOBS = {periods.WEEKLY: job_names.QUALITY_WEEKLY, periods.MONTHLY: job_names.QUALITY_MONTHLY}
TYPE = "ops_quality_report"
LOCALES = ("ko", "en")


def recent(ctx: Context, window: str, month: str | None = None) -> Period:
    """Return the published default: the last seven days, or a UTC month, by default the one under way."""
    utc, now = ZoneInfo("UTC"), ctx.now()
    if window != MONTHLY:
        return periods.last_days(now)
    return periods.month_named(month, utc) if month else periods.month_at(now, utc)


def finished(ctx: Context, window: str, month: str | None = None) -> Period:
    """Return the last week or month of the business zone that is over, or the month that is named."""
    zone, now = ctx.zone, ctx.now()
    if window != MONTHLY:
        return periods.week_before(now, zone)
    return periods.month_named(month, zone) if month else periods.month_before(now, zone)


def report(ctx: Context, period: Period) -> Report:
    """Return the report of a period, computed now by aggregates; raises PermissionDenied. Stores nothing."""
    ctx.actor.require(*READ)
    counted = figures.summary(ctx, period)
    seen = preflight.facts(ctx)
    board = security.dashboard(ctx, days=max(period.days, 1))
    return Report(
        generated_at=ctx.now(),
        period=period,
        summary=counted,
        preflight={
            "overall_status": seen.overall_status,
            "error_count": seen.error_count,
            "warning_count": seen.warning_count,
            "source": seen.source,
            "age_seconds": seen.age_seconds,
        },
        admin_security={
            "overall_status": board.overall_status,
            "anomaly_count": len(board.anomalies),
            "top_actors": [asdict(one) for one in board.top_actors[:3]],
            "window_days": board.window_days,
            "window_end": board.window_end,
        },
        weekly_streak=evidence_facts.streak(ctx),
        alert_noise_policy={
            name: ctx.config[f"ALERT_NOISE_{name.upper()}"]
            for name in ("review_window_days", "false_positive_threshold_percent", "false_negative_threshold_percent")
        },
        advice=advise(counted, anomalies=len(board.anomalies), preflight_errors=seen.error_count),
    )


def streak(ctx: Context) -> Streak:
    """Return how many weeks in a row have a produced report; raises PermissionDenied."""
    ctx.actor.require(*READ)
    return evidence_facts.streak(ctx)


def csv_of(document: Mapping[str, Any], *, bom: bool = False) -> str:
    """Write a report as the published CSV."""
    return (BOM if bom else "") + "".join(csv_line(row) for row in csv_rows(document))


def exported(ctx: Context, period: Period, *, bom: bool = False) -> str:
    """Return the CSV of a period and put the download on record."""
    made = report(ctx, period)
    action = f"ops_quality_report_{period.window}_csv_export"
    audit.record(ctx, action, TYPE, period.label, detail={"runs": made.summary.job_runs_total})
    return csv_of(plain(as_document(made)), bom=bom)


@dataclass(frozen=True)
class Produced:
    """A produced report: what its run keeps as result, and the status of the run."""

    detail: Mapping[str, Any]
    status: str


def produce(ctx: Context, period: Period, *, papers: bool = True) -> Produced:
    """Make the report of a period, with its papers unless they are not wanted, and keep all with the run under way.

    Everything is read and drawn before the transaction may write. Raises PermissionDenied.
    """
    made = report(ctx, period)
    document = plain(as_document(made))
    run = progress.current(ctx)
    run_id = run.run_id if run else None
    stem = f"{QUALITY_REPORT.prefix}{period.window}-{_stamp(ctx.now())}-run-{run_id or 'na'}"
    made_files = [
        Made(f"{stem}.json", to_json(document).encode(), "application/json"),
        Made(f"{stem}.csv", csv_of(document).encode(), "text/csv; charset=utf-8"),
        *(_papers(ctx, document, stem) if papers else ()),
    ]
    ctx.begin_write()
    kept = files.keep(ctx, QUALITY_REPORT, made_files, run_id=run_id, label=period.label)
    after = evidence_facts.streak(ctx, produced_now=period.window == periods.WEEKLY and not ctx.dry_run)
    if ctx.actor.kind != "system":
        audit.record(
            ctx,
            "ops_quality_report_run",
            TYPE,
            run_id or "none",
            status=made.status,
            detail={"window": period.window, "label": period.label},
        )
    detail = {
        "window": period.window,
        "label": period.label,
        "summary": document["summary"],
        "archive": archive_fields(kept),
        "streak": after,
        "report": document,
    }
    return Produced(detail, made.status)


def _papers(ctx: Context, document: Mapping[str, Any], stem: str) -> list[Made]:
    # Drawing papers takes a library that no request needs.
    from console.services.reports import paper

    names = names_of(ctx, [one["actor"] for one in document["admin_security"]["top_actors"]])
    return [Made(f"{stem}.{one}.pdf", paper.draw(document, one, names), "application/pdf") for one in LOCALES]


def archive_fields(kept: Kept) -> dict[str, Any]:
    """Return the published fields about the archive of a run; a file that is not in the folder is None."""

    def name(ending: str) -> str | None:
        return next((one for one in kept.filed if one.endswith(ending)), None)

    return {
        "enabled": kept.enabled,
        "path": kept.path,
        "retention_days": kept.retention_days,
        "json_file": name(".json"),
        "csv_file": name(".csv"),
        "pruned_files": kept.pruned_files,
        "error": kept.error,
        "pdf_file": name(".ko.pdf"),
        "pdf_file_english": name(".en.pdf"),
    }


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%dT%H%M%SZ")
