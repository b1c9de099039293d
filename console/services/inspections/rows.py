"""How inspections are read: what a caller may see, and the row that doors get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from sqlalchemy import ColumnElement, Select, func, select, true

from console.core.context import Actor, Context
from console.core.records import INTERNAL, Fact, view_of
from console.domain.errors import NotFound
from console.domain.ids import MAX_ID
from console.domain.inspections.readings import BY_NAME, Readings
from console.domain.text import N_
from console.models.inspections import Inspection, InspectionTemplate

READ, WRITE = "inspections:read", "inspections:write"
NOT_FOUND = N_("Inspection not found")


@dataclass(frozen=True)
class InspectionView:
    """An inspection as every door shows it; instants are aware UTC, units as in `readings.COLUMNS`.

    The first 19 fields were published first. `twin_of` is an earlier round of the same template at the same place
    within the same hours. `title`: the name of its template, or its place.
    """

    site: Annotated[str, Fact(N_("Site"), sort=True)]
    location: Annotated[str, Fact(N_("Location"), sort=True)]
    cycle: Annotated[str, Fact(N_("Cycle"), sort=True)]
    inspector: Annotated[str, Fact(N_("Inspector"), sort=True)]
    inspected_at: Annotated[datetime, Fact(N_("Inspected"), sort=True)]
    transformer_kva: Annotated[float | None, Fact(N_("Transformer"), sort=True, numeric=True, shown=False)]
    voltage_r: Annotated[float | None, Fact(N_("Voltage R"), sort=True, numeric=True, shown=False)]
    voltage_s: Annotated[float | None, Fact(N_("Voltage S"), sort=True, numeric=True, shown=False)]
    voltage_t: Annotated[float | None, Fact(N_("Voltage T"), sort=True, numeric=True, shown=False)]
    current_r: Annotated[float | None, Fact(N_("Current R"), sort=True, numeric=True, shown=False)]
    current_s: Annotated[float | None, Fact(N_("Current S"), sort=True, numeric=True, shown=False)]
    current_t: Annotated[float | None, Fact(N_("Current T"), sort=True, numeric=True, shown=False)]
    winding_temp_c: Annotated[float | None, Fact(N_("Winding temperature"), sort=True, numeric=True, shown=False)]
    grounding_ohm: Annotated[float | None, Fact(N_("Grounding resistance"), sort=True, numeric=True, shown=False)]
    insulation_mohm: Annotated[float | None, Fact(N_("Insulation resistance"), sort=True, numeric=True, shown=False)]
    notes: Annotated[str, Fact(N_("Notes"), shown=False)]
    id: Annotated[int, Fact(N_("No."), sort=True, numeric=True, shown=False)]
    risk_level: Annotated[str, Fact(N_("Verdict"), sort=True)]
    risk_flags: Annotated[tuple[str, ...], Fact(N_("Findings"), answer=list[str])]
    created_at: Annotated[datetime, Fact(N_("Stored"), sort=True, shown=False)]
    rule_version: Annotated[str, Fact(N_("Rules"), shown=False)]
    template_id: int | None
    started_at: datetime | None
    signed_by: Annotated[str, Fact(N_("Signed"))]
    twin_of: int | None
    created_by: Annotated[str, INTERNAL]
    finding_names: Annotated[tuple[str, ...], INTERNAL]
    template_name: Annotated[str, Fact(N_("Inspection"), sort=InspectionTemplate.name, published=False)]
    asset_id: int | None
    countersigned_by: Annotated[str, Fact(N_("Countersigned"), shown=False)]
    countersigned_at: datetime | None

    @property
    def title(self) -> str:
        """Return what people call it."""
        return self.template_name or self.location

    @property
    def findings(self) -> tuple[tuple[str, str], ...]:
        """Return each flag with the name of its point, '' for a published flag."""
        return tuple(zip(self.risk_flags, self.finding_names, strict=True))

    @property
    def readings(self) -> Readings:
        """Return the published measurements."""
        return Readings(**{name: getattr(self, name) for name in BY_NAME})


def everything() -> Select[Inspection, str]:
    """Return the SELECT of inspections with the names of their templates, without order."""
    name = func.coalesce(InspectionTemplate.name, "")
    return select(Inspection, name).outerjoin(InspectionTemplate, InspectionTemplate.id == Inspection.template_id)


def view(row: tuple[Inspection, str]) -> InspectionView:
    """Return the row of a stored inspection."""
    stored, name = row[0], row[1]
    flags, names = tuple(stored.risk_flags), tuple(stored.finding_names)
    return view_of(InspectionView, stored, template_name=name, risk_flags=flags, finding_names=names)


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that an inspection lies within the scope of somebody."""
    return true() if actor.all_sites else Inspection.site.in_(actor.site_scope)


def load(ctx: Context, inspection_id: int) -> InspectionView:
    """Return one inspection; raises NotFound, then SiteDenied for a site outside the caller's scope."""
    ctx.actor.require(READ)
    row = None
    if 0 < inspection_id <= MAX_ID:
        row = ctx.session.execute(everything().where(Inspection.id == inspection_id)).first()
    if row is None:
        raise NotFound(NOT_FOUND)
    found = view((row[0], row[1]))
    ctx.actor.require_site(found.site)
    return found
