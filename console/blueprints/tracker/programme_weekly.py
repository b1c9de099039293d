"""The weekly automation of W07 for programs (API contract, W07 weekly automation)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.core.serialize import plain
from console.domain.programme.weekly import JOB
from console.inputs.programme_metrics import (
    ArchiveQuery,
    AutomationOut,
    LatestWeeklyOut,
    TrendsQuery,
    WeeklyRunQuery,
    WeeklySiteQuery,
)
from console.inputs.response_models import run_shape, shape
from console.services.programme import weekly, weekly_reads
from console.services.programme.weekly import WeeklyRun
from console.ui.responses import answer, download, file_stamp
from console.ui.runs import run_endpoint
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

W = "/api/ops/adoption/w07"
api = ApiBlueprint(
    "programme_weekly_api", __name__, abp_tags=[Tag(name="programme weekly", description="W07 runs by itself")]
)
WeeklyRunOut = run_shape(WeeklyRun, "WeeklyRunOut")
TrendsOut = shape(weekly_reads.Trends, "WeeklyTrendsOut")


@api.post(f"{W}/sla-quality/run-weekly", responses={200: WeeklyRunOut})
@access(weekly.WRITE)
def run_weekly(query: WeeklyRunQuery) -> Response:
    """Make the weekly figures now; `Prefer: respond-async` queues it."""
    ctx = web_context()
    # Whoever names no site is told before there is a run of it.
    options = {**query.model_dump(), "site": weekly.checked_site(ctx, query.site)}
    return run_endpoint(JOB, options, WeeklyRunOut)


@api.get(f"{W}/sla-quality/latest-weekly", responses={200: LatestWeeklyOut})
@access(weekly_reads.READ)
def latest_weekly(query: WeeklySiteQuery) -> Response:
    """Return the newest weekly run of a site, or of all together; 404 before the first."""
    return answer(plain(weekly_reads.latest(web_context(), query.site)), LatestWeeklyOut)


@api.get(f"{W}/sla-quality/trends", responses={200: TrendsOut})
@access(weekly_reads.READ)
def trends(query: TrendsQuery) -> Response:
    """Return the newest weekly figures, oldest first."""
    found = weekly_reads.trends(web_context(), query.site, limit=query.limit, include_sites=query.include_sites)
    return answer(found, TrendsOut)


@api.get(f"{W}/sla-quality/archive.csv")
@access(weekly_reads.READ, rate="auth-heavy", writes=True)
def archive(query: ArchiveQuery) -> Response:
    """Return the same as CSV."""
    ctx = web_context()
    site, text = weekly_reads.archive_csv(ctx, query.site, limit=query.limit)
    return download(text, f"adoption-w07-sla-quality-weekly-{site or 'all'}-{file_stamp(ctx.now())}.csv")


@api.get(f"{W}/automation-readiness", responses={200: AutomationOut})
@access(weekly_reads.READ)
def automation(query: WeeklySiteQuery) -> Response:
    """Return whether the weekly run works by itself, and what is missing for it."""
    return answer(plain(weekly_reads.automation(web_context(), query.site)), AutomationOut)
