"""What was measured at an asset: the newest value of each point, and how one went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import func, select

from console.core.context import Context
from console.core.records import Fact
from console.domain.inspections.points import Limits
from console.models.inspections import Inspection, InspectionResult
from console.services.assets.rows import AssetView
from console.services.inspections.read import MOST_IN_CHART, SPANS, Sample
from console.services.inspections.rows import READ

# Points of more templates than these stand in their inspections.
MOST_POINTS = 200


@dataclass(frozen=True)
class Reading:
    """The newest value of a point of an asset; `measured_at` is aware UTC, `series` and `code` name the point."""

    series: str
    code: str
    name: str
    unit: str
    value: float
    verdict: str
    limits: Annotated[dict[str, Any], Fact(answer=dict[str, float])]
    measured_at: datetime
    inspection_id: int

    @property
    def bounds(self) -> Limits:
        """Return the limits as the rules know them."""
        return Limits(**self.limits)

    @property
    def key(self) -> str:
        """Return the word that names the point in an address."""
        return f"{self.series}:{self.code}"


def newest(ctx: Context, asset: AssetView) -> list[Reading]:
    """Return the newest value of each point that was measured at an asset, by name: one query, or PermissionDenied."""
    ctx.actor.require(READ)
    number = func.row_number().over(
        partition_by=(InspectionResult.series, InspectionResult.code),
        order_by=(InspectionResult.measured_at.desc(), InspectionResult.id.desc()),
    )
    mine = (
        select(InspectionResult.id, number.label("number"))
        .join(Inspection, Inspection.id == InspectionResult.inspection_id)
        .where(Inspection.asset_id == asset.id, InspectionResult.value.is_not(None))
        .subquery()
    )
    names = ("series", "code", "name", "unit", "value", "verdict", "limits", "measured_at", "inspection_id")
    asked = (
        select(*(getattr(InspectionResult, name) for name in names))
        .join(mine, mine.c.id == InspectionResult.id)
        .where(mine.c.number == 1)
        .order_by(InspectionResult.name, InspectionResult.series, InspectionResult.code)
        .limit(MOST_POINTS)
    )
    return [Reading(*row) for row in ctx.session.execute(asked)]


def samples(ctx: Context, asset: AssetView, reading: Reading, span: str = "13m") -> Sequence[Sample]:
    """Return the values of a point of an asset up to now, oldest first; at most the newest 200 of the span."""
    ctx.actor.require(READ)
    asked = (
        select(InspectionResult, Inspection.inspector)
        .join(Inspection, Inspection.id == InspectionResult.inspection_id)
        .where(Inspection.asset_id == asset.id, InspectionResult.value.is_not(None))
        .where(InspectionResult.series == reading.series, InspectionResult.code == reading.code)
        .where(InspectionResult.measured_at > ctx.now() - SPANS[span])
        .order_by(InspectionResult.measured_at.desc(), InspectionResult.id.desc())
        .limit(MOST_IN_CHART)
    )
    found = [
        Sample(row.measured_at, row.value, row.verdict, row.inspection_id, who)
        for row, who in ctx.session.execute(asked)
        if row.value is not None
    ]
    return found[::-1]
