"""The handover brief to take away: the published CSV and PDF, each put on record (API contract, 6.4 and 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from console.core.context import Context
from console.core.serialize import BOM, csv_line, iso
from console.domain.handover.requests import BriefAsked
from console.services.audit import record as audit
from console.services.handover.brief import COUNTERS, INSPECTION_FIELDS, Brief, brief

RESOURCE = "report"
_ORDER_CELLS = (
    *("id", "site", "location", "title", "priority", "status", "assignee", "due_at", "due_in_minutes", "is_overdue"),
    *("is_escalated", "urgency_score", "reasons"),
)


def exported(ctx: Context, asked: BriefAsked, stamp: str, *, bom: bool = False) -> str:
    """Return the brief as the published CSV and put the download on record."""
    made = brief(ctx, asked)
    _record(ctx, "csv", made, stamp)
    return (BOM if bom else "") + "".join(_lines(made))


def drawn(ctx: Context, asked: BriefAsked, stamp: str, locale: str, zone: ZoneInfo | None = None) -> bytes:
    """Return the brief as a PDF in `locale` and put the download on record; raises FontsMissing before the set-up.

    `zone` is that of people who read it, None for the published form.
    """
    # Drawing papers takes a library that no other request needs.
    from console.services.handover import paper

    made = brief(ctx, asked)
    _record(ctx, "pdf", made, stamp)
    return paper.draw(made, locale, zone)


def file_name(asked: BriefAsked, stamp: str, ending: str) -> str:
    """Return the published name of a download."""
    return f"handover-brief-{(asked.site or 'all').replace(' ', '_')}-{stamp}.{ending}"


def _record(ctx: Context, form: str, made: Brief, stamp: str) -> None:
    detail = {"site": made.site, "window_hours": made.window_hours, "open_work_orders": made.open_work_orders}
    audit.record(ctx, f"report_handover_export_{form}", RESOURCE, f"{made.site or 'ALL'}:{stamp}", detail=detail)


def _lines(made: Brief) -> Iterator[str]:
    yield csv_line(("section", "key", "value"))
    yield csv_line(("meta", "site", made.site or "ALL"))
    yield csv_line(("meta", "generated_at", iso(made.generated_at)))
    for name in ("window_hours", "due_soon_hours"):
        yield csv_line(("meta", name, getattr(made, name)))
    for name in COUNTERS:
        yield csv_line(("summary", name, getattr(made, name)))
    yield from _block("top_work_orders", _ORDER_CELLS, made.top_work_orders)
    yield from _block("recent_high_risk_inspections", INSPECTION_FIELDS, made.recent_high_risk_inspections)
    yield csv_line(())
    yield csv_line(("recommended_actions", "index", "action"))
    for number, action in enumerate(made.recommended_actions, start=1):
        yield csv_line(("recommended_actions", number, str(action)))


def _block(section: str, names: tuple[str, ...], found: tuple[Any, ...]) -> Iterator[str]:
    yield csv_line(())
    yield csv_line((section, *names))
    for one in found:
        cells = (getattr(one, name) for name in names)
        yield csv_line((section, *(", ".join(cell) if isinstance(cell, tuple) else cell for cell in cells)))
