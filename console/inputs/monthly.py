"""Inputs and answers of the monthly report (API contract, monthly reports)."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from console.domain.reports.monthly import MonthlyReport
from console.inputs.audit import MonthText
from console.inputs.base import InstantIn, QueryModel, SiteFilter
from console.inputs.policies import PolicyModel
from console.inputs.response_models import shape

MonthlyReportOut = shape(MonthlyReport, "MonthlyReportRead")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not the name of a time zone, such as Asia/Seoul")
    return name


class MonthlyQuery(QueryModel):
    """Which month of which site; without a month the one under way, without a zone that of the site.

    `as_of` asks for the state of an instant that has passed.
    """

    month: MonthText | None = None
    site: SiteFilter = None
    zone: Annotated[Annotated[str, Field(max_length=64)], AfterValidator(_zone)] | None = None
    as_of: InstantIn | None = None


class MonthlyCsvQuery(MonthlyQuery):
    """The same for the CSV; `bom` adds the mark that Korean Excel needs."""

    bom: bool = False


class MonthlyPolicyModel(PolicyModel):
    """The day of the next month on which a site closes a month, 0 for by hand; the offices that sign, "" as usual."""

    freeze_day: int = Field(0, ge=0, le=28)
    office_1: str = Field("", max_length=20)
    office_2: str = Field("", max_length=20)
    office_3: str = Field("", max_length=20)
