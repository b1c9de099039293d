"""The published sheet of a monthly report: the same lines as a page to print and as PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from console.core.i18n import translate
from console.core.serialize import iso
from console.domain.inspections.risk import DANGER, NORMAL, WARNING
from console.domain.reports.monthly import MonthlyReport
from console.domain.text import N_
from console.services.inspections.lists import FLAG_LABELS
from console.services.work_orders.lists import STATUS_LABELS

LEVEL_LABELS = {NORMAL: N_("Normal"), WARNING: N_("Caution"), DANGER: N_("Danger")}


@dataclass(frozen=True)
class Section:
    """A part of the sheet; the first one has no title."""

    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Sheet:
    """The sheet in one language."""

    title: str
    sections: tuple[Section, ...]


def sheet(made: MonthlyReport, locale: str, *, made_at: str | None = None) -> Sheet:
    """Return the lines of the sheet in `locale`.

    `made_at` is the time as the reader reads it; without it the sheet is that of programs: instants as ISO 8601, and
    words as they are published.
    """
    told = made_at is not None

    def said(text: str) -> str:
        return translate(locale, text)

    def counts(values: Mapping[str, int], labels: Mapping[str, str]) -> str:
        words = ((said(labels[key]) if told and key in labels else key, value) for key, value in values.items())
        return ", ".join(f"{word}: {value:,}" for word, value in words) or "-"

    return Sheet(
        said(N_("Monthly Audit Report (%(month)s)")) % {"month": made.month},
        (
            Section(
                "", ((said(N_("Site")), made.scope), (said(N_("Generated At")), made_at or iso(made.generated_at)))
            ),
            _inspections(made, said, counts),
            _orders(made, said, counts),
        ),
    )


Said = Callable[[str], str]
Counts = Callable[[Mapping[str, int], Mapping[str, str]], str]


def _inspections(made: MonthlyReport, said: Said, counts: Counts) -> Section:
    figures = made.inspections
    return Section(
        said(N_("Inspection Summary")),
        (
            (said(N_("Total")), f"{figures.total:,}"),
            (said(N_("Risk Counts")), counts(figures.risk_counts, LEVEL_LABELS)),
            (said(N_("Top Risk Flags")), counts(figures.top_risk_flags, FLAG_LABELS)),
        ),
    )


def _orders(made: MonthlyReport, said: Said, counts: Counts) -> Section:
    figures = made.work_orders
    hours, waited = figures.avg_resolution_hours, figures.waiting_share_percent
    return Section(
        said(N_("Work Order Summary")),
        (
            (said(N_("Total")), f"{figures.total:,}"),
            (said(N_("Status Counts")), counts(figures.status_counts, STATUS_LABELS)),
            (said(N_("Escalated Count")), f"{figures.escalated_count:,}"),
            (said(N_("Overdue Open Count")), f"{figures.overdue_open_count:,}"),
            (said(N_("Completion Rate (%)")), f"{figures.completion_rate_percent:g}"),
            (said(N_("Avg Resolution Hours")), "-" if hours is None else f"{hours:g}"),
            *(() if waited is None else ((said(N_("Waiting Share (%)")), f"{waited:g}"),)),
        ),
    )


def draw(made: MonthlyReport, locale: str, *, made_at: str | None = None) -> bytes:
    """Return the sheet as PDF; raises FontsMissing where the set-up has not run."""
    # Drawing papers takes a library that few requests need.
    from console.adapters.pdf import Paper

    found = sheet(made, locale, made_at=made_at)
    foot = f"KA Facility OS · {made.month}"
    paper = Paper(found.title, foot=foot, locale=locale, made_at=made.generated_at)
    for section in found.sections:
        if section.title:
            paper.heading(section.title)
        paper.lines(section.lines)
    return paper.bytes()
