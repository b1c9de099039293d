"""The weekly run of W07: the figures, whether they are degraded, who is told, and the archive (API contract, W07)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select

from console.core.context import Context
from console.core.serialize import columns_of, csv_text, plain
from console.domain.alerts.alerts import W07_DEGRADED
from console.domain.archives.archives import W07_WEEKLY
from console.domain.errors import Invalid
from console.domain.programme import weekly as rules
from console.domain.programme.weekly import JOB, POINT_FIELDS, Degradation, Point, point_of
from console.domain.text import T
from console.models.alerts import AlertDelivery
from console.models.archives import StoredFile
from console.models.jobs import JobRun
from console.services.alerts import outbox
from console.services.archives import files
from console.services.archives.files import Made
from console.services.audit import record as audit
from console.services.jobs import progress
from console.services.programme import quality
from console.services.programme.policies import site_of
from console.services.programme.scope import scope_of

WRITE = "adoption_w07:write"
CODE, RESOURCE = "w07", "adoption_w07_sla_quality"
DAYS, DAYS_MOST = 14, 90
ARCHIVE_POINTS = 104
PLACE_BYTES = 120
COLUMNS = columns_of(*POINT_FIELDS)


@dataclass(frozen=True)
class Channel:
    """One channel that the outbox took the alert for."""

    target: str
    success: bool
    error: str | None


@dataclass(frozen=True)
class WeeklyRun:
    """What a weekly run found and did, as its run keeps it and the API answers. Instants are aware UTC."""

    site: str | None
    window_days: int
    degradation: Degradation
    cooldown_active: bool
    cooldown_remaining_minutes: int
    last_alert_at: datetime | None
    alert_enabled: bool
    alert_attempted: bool
    alert_dispatched: bool
    alert_error: str | None
    alert_channels: tuple[Channel, ...]
    snapshot: Mapping[str, Any]
    write_archive: bool
    archive_file: str | None
    archive_error: str | None
    force_notify: bool


def site_for(ctx: Context, site: str | None) -> str | None:
    """Return the site that a run is for: one that is named, else the only one of the caller, else all.

    Raises Invalid where somebody of several sites names none: half of the sites are no figure of all.
    """
    if site is not None or ctx.actor.all_sites:
        return site
    if len(ctx.actor.site_scope) != 1:
        raise Invalid.field("site", T("Please choose a site"), where="query")
    return ctx.actor.site_scope[0]


def checked_site(ctx: Context, site: str | None) -> str | None:
    """Return the same for a door, which asks before there is a run; raises SiteDenied too."""
    ctx.actor.require(WRITE)
    named = site_of(ctx, site_for(ctx, site))
    ctx.actor.require_site(named)
    return named


def produce(
    ctx: Context,
    *,
    site: str | None = None,
    days: int = DAYS,
    force_notify: bool = False,
    write_archive: bool | None = None,
) -> tuple[WeeklyRun, str]:
    """Make the figures of a site, or of all; returns them with the status of the run.

    Everything is read before the transaction may write. One alert about a site in the time of the cooldown, and only
    when the figures are degraded. Raises PermissionDenied, SiteDenied, Invalid.
    """
    ctx.actor.require(WRITE)
    config, wanted = ctx.config, site_for(ctx, site)
    window = max(config["W07_QUALITY_ALERT_MIN_WINDOW_DAYS"], min(days, DAYS_MOST))
    scope = scope_of(ctx, CODE, wanted, window)
    snapshot = quality.snapshot(scope)
    limits = quality.thresholds(config)
    found = rules.degradation(
        snapshot.metrics, escalation=limits.escalation_rate_percent, alert_success=limits.alert_success_rate_percent
    )
    ctx.begin_write()
    enabled, now = bool(config["W07_QUALITY_ALERT_ENABLED"]), scope.end
    last_at = last_alert(ctx, scope.site)
    left = rules.remaining_minutes(last_at, now, config["W07_QUALITY_ALERT_COOLDOWN_MINUTES"])
    attempted = found.degraded and enabled and (force_notify or not left)
    raised = (
        outbox.raise_alert(
            ctx, W07_DEGRADED, _payload(scope.site, now, window, found, snapshot.metrics), site=scope.site
        )
        if attempted
        else None
    )
    dispatched = raised is not None and raised.queued > 0
    status = rules.status_of(found, attempted=attempted, dispatched=dispatched)
    answer = plain(snapshot.as_answer())
    archived = config["W07_WEEKLY_ARCHIVE_ENABLED"] if write_archive is None else write_archive
    file, error = _archive(ctx, scope.site, window, found, answer, status, now) if archived else (None, None)
    made = WeeklyRun(
        site=scope.site,
        window_days=window,
        degradation=found,
        cooldown_active=left > 0,
        cooldown_remaining_minutes=left,
        last_alert_at=last_at,
        alert_enabled=enabled,
        alert_attempted=attempted,
        alert_dispatched=dispatched,
        alert_error=raised.error if raised else None,
        alert_channels=tuple(
            Channel(one.target, one.success, one.error) for one in (raised.channels if raised else ())
        ),
        snapshot=answer,
        write_archive=archived,
        archive_file=file,
        archive_error=error,
        force_notify=force_notify,
    )
    if ctx.actor.kind != "system":
        detail = {"window_days": window, "degraded": found.degraded, "reasons": list(found.reasons)}
        audit.record(ctx, "w07_sla_quality_weekly_run", RESOURCE, scope.site or "all", status=status, detail=detail)
    return made, status


def last_alert(ctx: Context, site: str | None) -> datetime | None:
    """Return when somebody was last told about a site. What failed told nobody, so it prolongs no cooldown."""
    wanted = select(AlertDelivery.created_at).where(
        AlertDelivery.event_type == W07_DEGRADED,
        AlertDelivery.status.in_(("success", "queued")),
        AlertDelivery.site == site if site is not None else AlertDelivery.site.is_(None),
    )
    return ctx.session.scalar(wanted.order_by(AlertDelivery.created_at.desc()).limit(1))


def _payload(
    site: str | None, now: datetime, window: int, found: Degradation, metrics: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "event": W07_DEGRADED,
        "site": site or "ALL",
        "checked_at": now,
        "window_days": window,
        "signals": dict(found.signals),
        "thresholds": dict(found.thresholds),
        "reasons": list(found.reasons),
        "metrics": dict(metrics),
    }


def _archive(
    ctx: Context,
    site: str | None,
    window: int,
    found: Degradation,
    snapshot: Mapping[str, Any],
    status: str,
    now: datetime,
) -> tuple[str | None, str | None]:
    """Keep the figures of the last two years with this run; returns the name of the file and what failed."""
    run = progress.current(ctx)
    run_id = run.run_id if run else None
    detail = {"site": site, "window_days": window, "degradation": {"degraded": found.degraded}, "snapshot": snapshot}
    points = (*points_of(ctx, _of(site), ARCHIVE_POINTS - 1), point_of(run_id or 0, now, status, detail))
    # File systems count bytes, of which a Hangul syllable has three.
    place = re.sub(r"[^\w.-]+", "_", site or "all").encode()[:PLACE_BYTES].decode(errors="ignore")
    name = f"{W07_WEEKLY.prefix}{place}-{now:%Y%m%dT%H%M%SZ}"
    if ctx.session.scalar(select(StoredFile.id).where(StoredFile.name == f"{name}.csv")) is not None:
        name = f"{name}-run-{run_id}"
    made = Made(f"{name}.csv", csv_text(COLUMNS, points).encode(), "text/csv; charset=utf-8")
    kept = files.keep(ctx, W07_WEEKLY, [made], run_id=run_id, label=(site or "all")[:80])
    return (None if ctx.dry_run else made.name), kept.error


def _of(site: str | None) -> ColumnElement[bool]:
    stored = JobRun.detail_json["site"].as_string()
    return stored.is_(None) if site is None else stored == site


def visible(ctx: Context, site: str | None, *, include_sites: bool = False) -> ColumnElement[bool]:
    """Return the condition of the runs that somebody sees: of a site, of all together, or of each of their sites."""
    if site is not None:
        return _of(site)
    stored = JobRun.detail_json["site"].as_string()
    if ctx.actor.all_sites:
        return or_(stored.is_(None), stored.is_not(None)) if include_sites else stored.is_(None)
    return stored.in_(ctx.actor.site_scope)


def newest_runs(ctx: Context, condition: ColumnElement[bool], limit: int) -> Sequence[JobRun]:
    """Return the newest weekly runs that did their work, newest first; the permission is the caller's to check."""
    wanted = select(JobRun).where(
        JobRun.job_name == JOB,
        JobRun.finished_at.is_not(None),
        JobRun.executed.is_(True),
        JobRun.dry_run.is_(False),
        condition,
    )
    return ctx.session.scalars(wanted.order_by(JobRun.finished_at.desc(), JobRun.id.desc()).limit(limit)).all()


def points_of(ctx: Context, condition: ColumnElement[bool], limit: int) -> tuple[Point, ...]:
    """Return the newest points of the trend, oldest first."""
    found = newest_runs(ctx, condition, limit) if limit else ()
    return tuple(point_of(run.id, run.finished_at, run.status or "", run.detail_json) for run in reversed(found))
