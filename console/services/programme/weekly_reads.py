"""What was found by the weekly runs of W07: the newest, the trend, the CSV, and whether they run by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from console.core.context import Context
from console.core.serialize import csv_text
from console.domain.errors import NotFound
from console.domain.programme.weekly import CRON, JOB, RECENT, Point
from console.models.jobs import JobRun
from console.services.alerts import channels
from console.services.audit import record as audit
from console.services.programme import quality, weekly
from console.services.programme.policies import site_of
from console.services.programme.weekly import COLUMNS, RESOURCE

READ = "adoption_w07:read"
OK, WARNING = "ok", "warning"
# The published keys of a stored run, after those of every run.
_DETAIL = (
    *("site", "window_days", "degradation", "alert_enabled", "cooldown_active", "cooldown_remaining_minutes"),
    *("last_alert_at", "alert_attempted", "alert_dispatched", "alert_error", "alert_channels", "snapshot"),
)


@dataclass(frozen=True)
class Trends:
    """The weekly figures of a site or of all together, oldest first."""

    generated_at: datetime
    job_name: str
    site: str | None
    point_count: int
    points: tuple[Point, ...]


def _named(ctx: Context, site: str | None) -> str | None:
    ctx.actor.require(READ)
    named = site_of(ctx, site)
    ctx.actor.require_site(named)
    return named


def latest(ctx: Context, site: str | None) -> dict[str, Any]:
    """Return the newest weekly run; raises PermissionDenied, SiteDenied, NotFound before the first."""
    named = _named(ctx, site)
    found = _newest(ctx, named)
    if found is None:
        raise NotFound("No W07 weekly run found")
    audit.viewed(ctx, "w07_sla_quality_weekly_latest_view", RESOURCE, named or "all")
    head = {
        "run_id": found.id,
        "job_name": found.job_name,
        "trigger": found.trigger,
        "status": found.status,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
    }
    return {**head, **{name: found.detail_json.get(name) for name in _DETAIL}}


def _newest(ctx: Context, site: str | None) -> JobRun | None:
    return next(iter(weekly.newest_runs(ctx, weekly.visible(ctx, site), 1)), None)


def trends(ctx: Context, site: str | None, *, limit: int, include_sites: bool = False) -> Trends:
    """Return the newest points; without a site those of all sites together, or of each of the caller's sites.

    `include_sites` puts the runs of single sites beside those of all.
    """
    named = _named(ctx, site)
    points = weekly.points_of(ctx, weekly.visible(ctx, named, include_sites=include_sites), limit)
    audit.viewed(ctx, "w07_sla_quality_trends_view", RESOURCE, named or "all", count=len(points))
    return Trends(ctx.now(), JOB, named, len(points), points)


def archive_csv(ctx: Context, site: str | None, *, limit: int) -> tuple[str | None, str]:
    """Return the site and the same points as CSV; the download is on record."""
    named = _named(ctx, site)
    points = weekly.points_of(ctx, weekly.visible(ctx, named), limit)
    audit.record(
        ctx, "w07_sla_quality_archive_csv_export", RESOURCE, named or "all", detail={"point_count": len(points)}
    )
    return named, csv_text(COLUMNS, points)


def automation(ctx: Context, site: str | None) -> dict[str, Any]:
    """Return whether the weekly run works by itself (API contract, W07 automation readiness)."""
    named, config, now = _named(ctx, site), ctx.config, ctx.now()
    run = _newest(ctx, named)
    recent = run is not None and run.finished_at is not None and now - run.finished_at <= RECENT
    detail = run.detail_json if run is not None else {}
    degraded = (detail.get("degradation") or {}).get("degraded")
    targets = [one.label for one in channels.listed(ctx)]
    enabled, archived = bool(config["W07_QUALITY_ALERT_ENABLED"]), bool(config["W07_WEEKLY_ARCHIVE_ENABLED"])
    # Where the folder lies is nobody's business who may only read a week.
    folder = PurePath(str(config["W07_WEEKLY_ARCHIVE_PATH"])).name
    limits = quality.thresholds(config)
    checks = [
        _check(
            "w07_weekly_cron_recent",
            recent,
            "The weekly run finished within 8 days.",
            "No weekly run finished within 8 days.",
        ),
        _check(
            "w07_alert_channel_config",
            bool(targets) or not enabled,
            "Alerts have a channel, or are switched off.",
            "Alerts are switched on, and there is no channel.",
            webhook_target_count=len(targets),
            alert_enabled=enabled,
        ),
        _check(
            "w07_latest_quality_state",
            run is not None and not degraded,
            "The newest run found no degradation.",
            "The newest run found the quality degraded, or there is none.",
            degraded=degraded,
        ),
        _check(
            "w07_archive_write_mode",
            archived,
            "Weekly figures are kept as files.",
            "Weekly figures are not kept as files.",
            archive_enabled=archived,
            archive_path=folder,
        ),
    ]
    audit.viewed(ctx, "w07_automation_readiness_view", RESOURCE, named or "all")
    return {
        "generated_at": now,
        "site": named,
        "overall_status": WARNING if any(one["status"] != OK for one in checks) else OK,
        "checks": checks,
        "runtime": {
            "latest_run_id": run.id if run else None,
            "latest_run_status": run.status if run else None,
            "latest_run_at": run.finished_at if run else None,
            "latest_run_recent": recent,
            "latest_run_degraded": degraded,
            "latest_run_window_days": detail.get("window_days"),
        },
        "policy": {
            "alert_enabled": enabled,
            "cooldown_minutes": config["W07_QUALITY_ALERT_COOLDOWN_MINUTES"],
            "min_window_days": config["W07_QUALITY_ALERT_MIN_WINDOW_DAYS"],
            "escalation_rate_threshold_percent": limits.escalation_rate_percent,
            "alert_success_rate_threshold_percent": limits.alert_success_rate_percent,
            "archive_enabled": archived,
            "archive_path": folder,
        },
        "integration": {
            "webhook_target_count": len(targets),
            "webhook_configured": bool(targets),
            "webhook_targets": targets,
            "recommended_cron_schedule_utc": CRON,
            "cron_job_name": JOB,
            "cron_command": f"flask job run {JOB}",
        },
    }


def _check(name: str, holds: bool, good: str, bad: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "status": OK if holds else WARNING, "message": good if holds else bad, **more}
