"""One inspection in full: its results, what was found there the last time, and how a point went over the years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

from sqlalchemy import ColumnElement, String, and_, or_, select
from sqlalchemy.orm import aliased

from console.core.context import Context
from console.core.records import INTERNAL, Fact, view_of
from console.domain.inspections.points import FINDINGS, Limits
from console.models.inspections import Inspection, InspectionResult, InspectionSignature
from console.services.common.sql import rows_parameter, rows_value
from console.services.inspections import templates
from console.services.inspections.rows import InspectionView, load
from console.services.inspections.templates import TemplateView

MOST_IN_CHART = 200
SPANS = {"13m": timedelta(days=396), "3y": timedelta(days=1096)}


@dataclass(frozen=True)
class ResultView:
    """What was found at one point; `limits` are those that the verdict was made by, `last` the result before.

    `measured_at` is aware UTC. A point without a value has a word or text as `answer`, or a reason why not.
    """

    id: int
    place: int
    code: str
    section: str
    name: str
    unit: str
    value: float | None
    answer: str
    verdict: str
    limits: Annotated[Mapping[str, Any], Fact(answer=dict[str, float])]
    reason: str
    note: str
    measured_at: datetime
    series: Annotated[str, INTERNAL]
    last: Annotated[float | None, Fact()] = None
    last_answer: Annotated[str, INTERNAL] = ""
    last_at: datetime | None = None
    work_order_id: int | None = None
    closed_reason: str = ""
    closed_by: str = ""
    closed_at: datetime | None = None

    @property
    def bounds(self) -> Limits:
        """Return the limits as the rules know them."""
        return Limits(**self.limits)

    @property
    def change(self) -> float | None:
        """Return the difference to the last value."""
        return None if self.value is None or self.last is None else self.value - self.last

    @property
    def is_finding(self) -> bool:
        """Return whether it lies outside a limit."""
        return self.verdict in FINDINGS


@dataclass(frozen=True)
class Sample:
    """One value of a point over time: when (aware UTC), how much, in which inspection."""

    at: datetime
    value: float
    verdict: str
    inspection_id: int
    inspector: str


@dataclass(frozen=True)
class Detail:
    """An inspection with its results in their order, and the version of the template that it followed."""

    inspection: InspectionView
    results: tuple[ResultView, ...]
    template: TemplateView | None

    @property
    def findings(self) -> tuple[ResultView, ...]:
        """Return what lies outside a limit, the dangerous first."""
        found = [one for one in self.results if one.is_finding]
        return tuple(sorted(found, key=lambda one: FINDINGS.index(one.verdict)))

    @property
    def sections(self) -> list[tuple[str, list[ResultView]]]:
        """Return the results by section, in their order."""
        return [(name, list(found)) for name, found in groupby(self.results, key=lambda one: one.section)]


def detail(ctx: Context, inspection_id: int) -> Detail:
    """Return an inspection in full; raises NotFound, SiteDenied."""
    found = load(ctx, inspection_id)
    template = templates.get(ctx, found.template_id) if found.template_id is not None else None
    return Detail(found, results_of(ctx, found), template)


def signature_of(ctx: Context, inspection: InspectionView) -> str:
    """Return what the signer drew, as the path of an SVG; empty for nothing."""
    asked = select(InspectionSignature.drawing).where(InspectionSignature.inspection_id == inspection.id)
    return ctx.session.scalar(asked) or ""


def results_of(ctx: Context, inspection: InspectionView, codes: Iterable[str] | None = None) -> tuple[ResultView, ...]:
    """Return the results of an inspection with the values of the time before: two queries. `codes` names a part."""
    asked = select(InspectionResult).where(InspectionResult.inspection_id == inspection.id)
    if codes is not None:
        asked = asked.where(InspectionResult.code.in_(sorted(codes)))
    rows = list(ctx.session.scalars(asked.order_by(InspectionResult.place)))
    before = last_of(ctx, inspection.site, inspection.location, {(row.series, row.code) for row in rows}, inspection)
    return tuple(_with_last(row, before.get((row.series, row.code))) for row in rows)


def _with_last(row: InspectionResult, before: InspectionResult | None) -> ResultView:
    if before is None:
        return view_of(ResultView, row, last=None, last_answer="", last_at=None)
    return view_of(ResultView, row, last=before.value, last_answer=before.answer, last_at=before.measured_at)


def last_of(
    ctx: Context, site: str, location: str, points: Iterable[tuple[str, str]], before: InspectionView | None = None
) -> dict[tuple[str, str], InspectionResult]:
    """Return the newest results of points at a place by series and code; with `before` those of earlier inspections."""
    wanted = sorted(set(points))
    if not wanted:
        return {}
    dialect = ctx.session.get_bind().dialect.name
    point = rows_parameter(dialect, "points", series=String(), code=String())
    seen = aliased(InspectionResult)
    here = [seen.site == site, seen.location == location, seen.verdict != "unmeasured"]
    if before is not None:
        earlier = (Inspection.inspected_at < before.inspected_at) | (
            (Inspection.inspected_at == before.inspected_at) & (Inspection.id < before.id)
        )
        here.append(earlier)
    # For each point the first one that the index has, whatever lies behind it.
    newest = (
        select(seen.id)
        .join(Inspection, Inspection.id == seen.inspection_id)
        .where(*here, seen.series == point.c.series, seen.code == point.c.code)
        .order_by(seen.measured_at.desc(), seen.id.desc())
        .limit(1)
        .correlate(point)
        .scalar_subquery()
    )
    asked = select(InspectionResult).where(InspectionResult.id.in_(select(newest).select_from(point)))
    given = rows_value(dialect, [{"series": key, "code": code} for key, code in wanted])
    return {(row.series, row.code): row for row in ctx.session.scalars(asked, {"points": given})}


def among(points: Iterable[tuple[str, str]]) -> ColumnElement[bool]:
    """Return the condition that a result is of one of these points, given by series and code.

    One condition for each series, whatever the number of points: a sheet has 40 of them and one or two series.
    """
    codes: dict[str, list[str]] = {}
    for series_key, code in sorted(points):
        codes.setdefault(series_key, []).append(code)
    kinds = [and_(InspectionResult.series == key, InspectionResult.code.in_(found)) for key, found in codes.items()]
    return or_(*kinds)


def series(ctx: Context, inspection: InspectionView, result: ResultView, span: str = "13m") -> Sequence[Sample]:
    """Return the values of a point up to an inspection, oldest first; at most the newest 200 of the span."""
    since = inspection.inspected_at - SPANS[span]
    asked = (
        select(InspectionResult, Inspection.inspector)
        .join(Inspection, Inspection.id == InspectionResult.inspection_id)
        .where(InspectionResult.site == inspection.site, InspectionResult.location == inspection.location)
        .where(InspectionResult.series == result.series, InspectionResult.code == result.code)
        .where(InspectionResult.value.is_not(None))
        .where(InspectionResult.measured_at.between(since, result.measured_at))
        .order_by(InspectionResult.measured_at.desc(), InspectionResult.id.desc())
        .limit(MOST_IN_CHART)
    )
    found = [
        Sample(row.measured_at, row.value, row.verdict, row.inspection_id, who)
        for row, who in ctx.session.execute(asked)
        if row.value is not None
    ]
    return found[::-1]
