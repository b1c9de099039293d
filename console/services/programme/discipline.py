"""W08: how well what is reported was entered, by site (API contract, W08 report discipline and site benchmark)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from sqlalchemy import func, select

from console.domain.programme.judge import NO_DATA, OK, rate
from console.domain.programme.snapshot import Advice, RowsOf, Snapshot, advised
from console.domain.text import N_, T
from console.models.audit import AuditLog
from console.models.inspections import Inspection
from console.services.programme import orders
from console.services.programme.orders import Created
from console.services.programme.scope import Scope

TARGET_SCORE = 85.0
THRESHOLDS = {
    "missing_due_rate_percent": 2.0,
    "data_quality_issue_rate_percent": 5.0,
    "report_export_coverage_percent": 95.0,
}
HIGH_RATE = 10.0
CSV, PDF = "report_monthly_export_csv", "report_monthly_export_pdf"
SITES_MOST = 5
BONUS_MOST = 15.0


@dataclass(frozen=True)
class Exports:
    """Exports of the monthly report in the window."""

    csv: int = 0
    pdf: int = 0
    last_at: datetime | None = None

    @property
    def count(self) -> int:
        """Return how many there are."""
        return self.csv + self.pdf


@dataclass(frozen=True)
class Line:
    """What is counted at one site, or at several; `site_count` scales how many exports are expected."""

    orders: Created = field(default_factory=Created)
    inspections: int = 0
    danger: int = 0
    warning: int = 0
    exports: Exports = field(default_factory=Exports)
    site_count: int = 1

    @property
    def issues(self) -> int:
        """Return how many entries are incomplete."""
        made = self.orders
        return made.missing_due + made.missing_priority + made.completed_without_time

    def coverage(self, days: int) -> float:
        """Return how many of the expected exports there were, 100 at most."""
        expected = max(1, ceil(days / 30) * 2) * max(1, self.site_count)
        return min(100.0, rate(self.exports.count, expected))

    @property
    def risk(self) -> float:
        """Return the risk score of the published formula."""
        made = self.orders
        issue, late, broken = (rate(n, made.created) for n in (self.issues, made.overdue, made.violated))
        return round(0.4 * issue + 0.3 * late + 0.3 * broken, 2)

    def score(self, days: int) -> float | None:
        """Return the discipline score, None without any order: nothing was entered well or badly."""
        if not self.orders.created:
            return None
        return round(min(100.0, max(0.0, 100.0 - self.risk + min(BONUS_MOST, self.coverage(days) * 0.15))), 2)


def lines(scope: Scope) -> dict[str, Line]:
    """Return what is counted at each site: three queries. Sites where nothing happened have a line too."""
    created = orders.created_by_site(scope)
    inspected = _inspections(scope)
    names = sorted({*scope.names, *created, *inspected})
    exports = _exports(scope, names)
    return {
        name: _line(created.get(name, Created()), inspected.get(name, (0, 0, 0)), exports.get(name, Exports()))
        for name in names
    }


def _line(made: Created, inspected: tuple[int, int, int], exports: Exports) -> Line:
    number, danger, warning = inspected
    return Line(made, number, danger, warning, exports)


def entered(scope: Scope) -> Line:
    """Return what was entered at all sites together, and how often it was exported: two queries."""
    created = orders.created_by_site(scope)
    names = sorted({*scope.names, *created})
    exports = _exports(scope, names)
    return total({name: _line(created.get(name, Created()), (0, 0, 0), exports.get(name, Exports())) for name in names})


def total(found: Mapping[str, Line]) -> Line:
    """Return all sites together."""
    each = found.values()
    return Line(
        orders=orders.total({name: line.orders for name, line in found.items()}),
        inspections=sum(line.inspections for line in each),
        danger=sum(line.danger for line in each),
        warning=sum(line.warning for line in each),
        exports=Exports(
            sum(line.exports.csv for line in each),
            sum(line.exports.pdf for line in each),
            _newest(line.exports.last_at for line in each),
        ),
        site_count=len(found),
    )


def _newest(instants: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in instants if at is not None), default=None)


def snapshot(scope: Scope) -> Snapshot:
    """Return the discipline of the sites with the benchmark: three queries."""
    found = lines(scope)
    both, days = total(found), scope.days
    made, rows = both.orders, [_row(name, line, days) for name, line in found.items()]
    score, coverage = both.score(days), both.coverage(days)
    metrics = {
        "site_count": len(found),
        "work_orders_created": made.created,
        "work_orders_completed": made.completed,
        "work_orders_missing_due_at": made.missing_due,
        "missing_due_rate_percent": rate(made.missing_due, made.created),
        "invalid_priority_count": made.missing_priority,
        "completed_without_completed_at_count": made.completed_without_time,
        "open_overdue_count": made.overdue,
        "overdue_rate_percent": rate(made.overdue, made.created),
        "sla_violation_count": made.violated,
        "sla_violation_rate_percent": rate(made.violated, made.created),
        "data_quality_issue_count": both.issues,
        "data_quality_issue_rate_percent": rate(both.issues, made.created),
        "inspections_created": both.inspections,
        "inspections_high_risk": both.danger,
        "report_export_count": both.exports.count,
        "report_export_csv_count": both.exports.csv,
        "report_export_pdf_count": both.exports.pdf,
        "report_export_coverage_percent": coverage,
        "report_export_last_at": both.exports.last_at,
        "discipline_score": score,
        "target_met": score is not None and score >= TARGET_SCORE,
        "inspections_warning_risk": both.warning,
        "risk_score": both.risk,
    }
    rates = ("overdue_rate_percent", "sla_violation_rate_percent", "data_quality_issue_rate_percent")
    return Snapshot(
        generated_at=scope.end,
        site=scope.site,
        window_days=days,
        head={"target_discipline_score": TARGET_SCORE, "thresholds": THRESHOLDS},
        metrics=metrics,
        parts={
            "top_risk_sites": sorted(rows, key=_riskiest)[:SITES_MOST],
            "site_benchmark": sorted(rows, key=_best),
        },
        advice=_advice(metrics),
        no_data=() if made.created else (*rates, "missing_due_rate_percent", "discipline_score"),
        data_state=OK if made.created or both.inspections or both.exports.count else NO_DATA,
    )


def _row(name: str, line: Line, days: int) -> dict[str, Any]:
    made = line.orders
    return {
        "site": name,
        "work_orders_created": made.created,
        "work_orders_completed": made.completed,
        "missing_due_rate_percent": rate(made.missing_due, made.created),
        "overdue_rate_percent": rate(made.overdue, made.created),
        "sla_violation_rate_percent": rate(made.violated, made.created),
        "data_quality_issue_rate_percent": rate(line.issues, made.created),
        "report_export_count": line.exports.count,
        "report_export_coverage_percent": line.coverage(days),
        "inspections_high_risk": line.danger,
        "risk_score": line.risk,
        "discipline_score": line.score(days),
        "report_export_last_at": line.exports.last_at,
        "data_state": OK if made.created else NO_DATA,
    }


def _riskiest(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return -row["risk_score"], -row["overdue_rate_percent"], -row["work_orders_created"], row["site"]


def _best(row: Mapping[str, Any]) -> tuple[Any, ...]:
    # A site about which nothing is known leads nothing: it comes last.
    score = row["discipline_score"]
    return score is None, -(score or 0), -row["report_export_coverage_percent"], row["risk_score"], row["site"]


def _advice(metrics: Mapping[str, Any]) -> tuple[Advice, ...]:
    late = RowsOf("work_orders", {"due": "late"})

    def due(code: str, text: str, condition: bool, rows: RowsOf | None = None) -> Advice | None:
        return Advice(code, T(text), rows) if condition else None

    known = bool(metrics["work_orders_created"])
    issues = metrics["data_quality_issue_rate_percent"] > THRESHOLDS["data_quality_issue_rate_percent"]
    covered = metrics["report_export_coverage_percent"] >= THRESHOLDS["report_export_coverage_percent"]
    return advised(
        (
            due(
                "missing_due",
                N_("Orders lack their due date: enter it before the month is closed."),
                metrics["missing_due_rate_percent"] > THRESHOLDS["missing_due_rate_percent"],
            ),
            due("data_quality", N_("Too many entries are incomplete: complete them before the export."), issues),
            due(
                "overdue",
                N_("Too many orders of the window are late."),
                metrics["overdue_rate_percent"] > HIGH_RATE,
                late,
            ),
            due(
                "violations",
                N_("Too many orders broke their SLA: look at their due dates and hand-overs."),
                metrics["sla_violation_rate_percent"] > HIGH_RATE,
                late,
            ),
            due("export_coverage", N_("The monthly report was exported too seldom."), known and not covered),
            due(
                "risky_inspections",
                N_("Inspections found danger: check that each has an order."),
                metrics["inspections_high_risk"] > 0,
                RowsOf("inspections", {"risk_level": "danger"}),
            ),
        )
    )


def _inspections(scope: Scope) -> dict[str, tuple[int, int, int]]:
    danger, warning = (func.count().filter(Inspection.risk_level == word) for word in ("danger", "warning"))
    wanted = select(Inspection.site, func.count(), danger, warning)
    wanted = wanted.where(*scope.within(Inspection.inspected_at), scope.on(Inspection.site))
    return {row[0]: (row[1], row[2], row[3]) for row in scope.ctx.session.execute(wanted.group_by(Inspection.site))}


def exported(scope: Scope) -> list[tuple[str, str | None, datetime]]:
    """Return action, site (None: all of them) and instant of every export of the window: one query."""
    columns = (AuditLog.action, AuditLog.resource_id, AuditLog.detail_json, AuditLog.created_at)
    wanted = select(*columns).where(AuditLog.action.in_((CSV, PDF)), AuditLog.status == "success", *scope.entries())
    rows = scope.ctx.session.execute(wanted)
    return [(action, _site_of(resource, detail), at) for action, resource, detail, at in rows]


def _exports(scope: Scope, names: Iterable[str]) -> dict[str, Exports]:
    """Return the exports of each site. A report of all sites is one of each of them."""
    found: dict[str, list[tuple[str, datetime]]] = {name: [] for name in names}
    for action, site, at in exported(scope):
        for name in found if site is None else (site,):
            if name in found:
                found[name].append((action, at))
    return {
        name: Exports(
            sum(action == CSV for action, _at in made),
            sum(action == PDF for action, _at in made),
            _newest(at for _action, at in made),
        )
        for name, made in found.items()
        if made
    }


def _site_of(resource: str, detail: str) -> str | None:
    """Return the site of an export by its detail, else by `<month>:<site>`; None for one of all sites."""
    named = json.loads(detail or "{}").get("site") or resource.partition(":")[2] or None
    return None if named == "ALL" else named
