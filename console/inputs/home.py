"""Types and bounds of the dashboard (API contract, dashboard)."""

from __future__ import annotations

from pydantic import Field

from console.inputs.base import QueryModel, SiteFilter


class TrendsQuery(QueryModel):
    """Which site, and how many days back."""

    site: SiteFilter = None
    days: int = Field(30, ge=1, le=90)


class SummaryQuery(TrendsQuery):
    """The same, and how many of the newest runs are listed at most."""

    job_limit: int = Field(10, ge=1, le=50)
