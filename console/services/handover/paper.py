"""The handover brief as a paper: one line per entry, in the published order (API contract, 6.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from console.adapters.pdf import Paper
from console.core.i18n import text_in
from console.domain.text import N_, T, Text
from console.services.handover.brief import COUNTERS, Brief

LINE, TITLE, FLAGS = 180, 120, 140
TITLE_TEXT = N_("Handover brief")
NAMES = {
    "open_work_orders": N_("Open work orders"),
    "overdue_open_work_orders": N_("Overdue work orders"),
    "due_soon_work_orders": N_("Work orders due soon"),
    "escalated_open_work_orders": N_("Escalated work orders"),
    "unassigned_high_priority_open_work_orders": N_("High priority without assignee"),
    "new_work_orders_in_window": N_("New work orders in the period"),
    "high_risk_inspections_in_window": N_("Inspections with danger or caution"),
    "failed_alert_deliveries_24h": N_("Alerts of the last 24 hours that failed"),
}


def draw(made: Brief, locale: str) -> bytes:
    """Return a brief as PDF in `locale`; raises FontsMissing where the set-up has not run."""

    def said(text: Text | str) -> str:
        return text_in(locale, T(text) if isinstance(text, str) else text)

    title = f"{said(TITLE_TEXT)} · {made.site or said(N_('All sites'))}"
    paper = Paper(title, foot=f"KA Facility OS · {made.site or 'ALL'}", locale=locale, made_at=made.generated_at)
    for line in _meta(made):
        paper.line(line[:LINE])
    paper.heading(said(N_("Figures")))
    for name in COUNTERS:
        paper.line(f"{said(NAMES[name])}: {getattr(made, name):,}")
    paper.heading(said(N_("Most urgent work orders")))
    for line in _orders(made):
        paper.line(line[:LINE])
    paper.heading(said(N_("Inspections with danger or caution")))
    for one in made.recent_high_risk_inspections:
        flags = ", ".join(one.risk_flags)[:FLAGS]
        paper.line(f"#{one.id} {one.risk_level} site={one.site} {one.location} {_at(one.inspected_at)} {flags}"[:LINE])
    paper.heading(said(N_("Recommended actions")))
    for number, action in enumerate(made.recommended_actions, start=1):
        paper.line(f"{number}. {said(action)}"[:LINE])
    return paper.bytes()


def _meta(made: Brief) -> Iterator[str]:
    yield f"site={made.site or 'ALL'} generated_at={_at(made.generated_at)}"
    yield f"window_hours={made.window_hours} due_soon_hours={made.due_soon_hours}"


def _orders(made: Brief) -> Iterator[str]:
    for one in made.top_work_orders:
        due = _at(one.due_at) if one.due_at else "-"
        yield f"#{one.id} {one.priority}/{one.status} score={one.urgency_score} site={one.site} due={due}"
        yield f"    {one.title[:TITLE]}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"
