"""The dashboard for automation (API contract, dashboard)."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.tag import Tag

from console.inputs.home import SummaryQuery, TrendsQuery
from console.inputs.response_models import shape
from console.services.home import dashboard
from console.services.home.dashboard import READ, Summary, Trends
from console.ui.responses import answer
from console.web.api_blueprint import ApiBlueprint
from console.web.request import access, web_context

api = ApiBlueprint("dashboard_api", __name__, abp_tags=[Tag(name="dashboard", description="What a period held")])
SummaryOut, TrendsOut = shape(Summary, "DashboardSummaryOut"), shape(Trends, "DashboardTrendsOut")


@api.get("/api/ops/dashboard/summary", responses={200: SummaryOut})
@access(*READ)
def summary(query: SummaryQuery) -> Response:
    """Return what the last days held, and what is late and escalated now."""
    found = dashboard.summary(web_context(), query.site, days=query.days, job_limit=query.job_limit)
    return answer(found, SummaryOut)


@api.get("/api/ops/dashboard/trends", responses={200: TrendsOut})
@access(*READ)
def trends(query: TrendsQuery) -> Response:
    """Return the last days up to today, a point for each UTC day, oldest first."""
    return answer(dashboard.trends(web_context(), query.site, days=query.days), TrendsOut)
