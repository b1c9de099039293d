"""The monthly report of a site: its published figures, and the CSV of them (API contract, monthly reports).

A month is one of the site's zone. What contract and product call the same is computed once, here and in the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.inspections.risk import LEVELS
from console.domain.reports import periods
from console.domain.reports.periods import Period
from console.domain.text import T
from console.domain.work_orders.words import STATUSES

ALL = "ALL"
TOP_FLAGS = 10


@dataclass(frozen=True)
class InspectionFigures:
    """Inspections by when they were made; flags by how often, the most frequent first."""

    total: int
    risk_counts: Mapping[str, int]
    top_risk_flags: Mapping[str, int]


@dataclass(frozen=True)
class OrderFigures:
    """Work orders by when they were received; `overdue_open_count` are those past their due date when it was made."""

    total: int
    status_counts: Mapping[str, int]
    escalated_count: int
    overdue_open_count: int
    completion_rate_percent: float
    avg_resolution_hours: float | None
    # How much of that time was waiting; None where it is not known, as in months that were closed without it.
    waiting_share_percent: float | None = None


@dataclass(frozen=True)
class Frozen:
    """Which version of a closed month the figures come from; `frozen_at` is aware UTC."""

    version: int
    frozen_at: datetime
    archive_sha256: str


@dataclass(frozen=True)
class MonthlyReport:
    """The report of a month; the first five fields were published first.

    `sites` are those that were counted, `("*",)` for all; `as_of` is the instant (aware UTC) whose state it tells.
    `frozen` says that the month is closed and its figures stay.
    """

    month: str
    site: str | None
    generated_at: datetime
    inspections: InspectionFigures
    work_orders: OrderFigures
    time_zone: str
    period_start: datetime
    period_end: datetime
    sites: tuple[str, ...]
    as_of: datetime
    frozen: Frozen | None

    @property
    def scope(self) -> str:
        """Return whose figures these are: the site, the sites that somebody may see, or `ALL`."""
        if self.site is not None:
            return self.site
        return ALL if "*" in self.sites else ", ".join(self.sites)


def month_of(text: str | None, zone: ZoneInfo, now: datetime) -> Period:
    """Return a calendar month of the zone, by default the one that `now` lies in.

    Raises BadRequest for what is no month and Invalid for one that has not begun.
    """
    if text is None:
        return periods.month_at(now, zone)
    found = periods.month_named(text, zone)
    if found.start > now:
        raise Invalid.field("month", T("The month has not begun yet"), where="query")
    return found


def following(period: Period) -> Period:
    """Return the month after one, in the same zone."""
    return periods.month_at(period.end, ZoneInfo(period.time_zone))


def before(period: Period) -> Period:
    """Return the month before one, in the same zone."""
    return periods.month_before(period.start, ZoneInfo(period.time_zone))


def rate_percent(part: int, whole: int) -> float:
    """Return a share in percent with two decimals, 0.0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0


def inspections_of(stored: Mapping[str, Any]) -> InspectionFigures:
    """Read stored figures of inspections; a database keeps the order of names in no object."""
    flags = sorted(stored["top_risk_flags"].items(), key=lambda one: (-one[1], one[0]))
    levels = {level: stored["risk_counts"][level] for level in LEVELS}
    return InspectionFigures(**{**stored, "risk_counts": levels, "top_risk_flags": dict(flags)})


def orders_of(stored: Mapping[str, Any]) -> OrderFigures:
    """Read stored figures of orders."""
    return OrderFigures(**{**stored, "status_counts": {word: stored["status_counts"][word] for word in STATUSES}})


def csv_rows(report: MonthlyReport) -> Iterator[tuple[Any, ...]]:
    """Return the rows of the published CSV; what was added later stands at its end."""
    yield ("section", "key", "value")
    yield ("meta", "month", report.month)
    yield ("meta", "site", report.scope)
    yield ("meta", "generated_at", report.generated_at)
    yield ("inspections", "total", report.inspections.total)
    yield from (("inspections.risk_counts", key, value) for key, value in report.inspections.risk_counts.items())
    yield from (("inspections.top_risk_flags", key, value) for key, value in report.inspections.top_risk_flags.items())
    orders = report.work_orders
    names = ("total", "escalated_count", "overdue_open_count", "completion_rate_percent", "avg_resolution_hours")
    yield from (("work_orders", name, getattr(orders, name)) for name in names)
    yield from (("work_orders.status_counts", key, value) for key, value in orders.status_counts.items())
    yield ("meta", "time_zone", report.time_zone)
    yield ("meta", "period_start", report.period_start)
    yield ("meta", "period_end", report.period_end)
    yield ("meta", "as_of", report.as_of)
    if report.frozen is not None:
        yield ("meta", "frozen_version", report.frozen.version)
        yield ("meta", "archive_sha256", report.frozen.archive_sha256)
    if orders.waiting_share_percent is not None:
        yield ("work_orders", "waiting_share_percent", orders.waiting_share_percent)


def file_name(report: MonthlyReport, ending: str) -> str:
    """Return the published name of a download."""
    return f"monthly-report-{report.month}-{(report.site or 'all').replace(' ', '_')}.{ending}"
