"""The handover brief as a paper: one line per entry, in the published order (API contract, 6.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from console.adapters.pdf import Paper
from console.core.i18n import text_in
from console.domain.inspections.risk import DANGER, POINT, WARNING
from console.domain.text import N_, T, Text
from console.services.handover.brief import COUNTERS, Brief, RiskyInspection, TopOrder
from console.services.inspections.lists import FLAG_LABELS
from console.services.work_orders.lists import PRIORITY_LABELS, STATUS_LABELS

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


LEVELS = {DANGER: N_("Danger"), WARNING: N_("Caution")}
Lines = Iterator[str]


def draw(made: Brief, locale: str, zone: ZoneInfo | None = None) -> bytes:
    """Return a brief as PDF in `locale`; raises FontsMissing where the set-up has not run.

    `zone` is that of the people who read it, in whose words it is then; without one it is the published form.
    """

    def said(text: Text | str, **params: object) -> str:
        return text_in(locale, T(text, **params) if isinstance(text, str) else text)

    title = f"{said(TITLE_TEXT)} · {made.site or said(N_('All sites'))}"
    foot = made.site or (said(N_("All sites")) if zone else "ALL")
    paper = Paper(title, foot=f"KA Facility OS · {foot}", locale=locale, made_at=made.generated_at)
    form = _Told(made, said, zone) if zone else _Published(made)
    for line in form.meta():
        paper.line(line[:LINE])
    paper.heading(said(N_("Figures")))
    for name in COUNTERS:
        paper.line(f"{said(NAMES[name])}: {getattr(made, name):,}")
    paper.heading(said(N_("Most urgent work orders")))
    for order in made.top_work_orders:
        paper.line(form.order(order)[:LINE])
        paper.line(f"    {order.title[:TITLE]}")
    paper.heading(said(N_("Inspections with danger or caution")))
    for one in made.recent_high_risk_inspections:
        paper.line(form.inspection(one)[:LINE])
    paper.heading(said(N_("Recommended actions")))
    for number, action in enumerate(made.recommended_actions, start=1):
        paper.line(f"{number}. {said(action)}"[:LINE])
    return paper.bytes()


@dataclass(frozen=True)
class _Published:
    """The lines as they are published for programs: words of the API, instants in UTC."""

    made: Brief

    def meta(self) -> Lines:
        yield f"site={self.made.site or 'ALL'} generated_at={_at(self.made.generated_at)}"
        yield f"window_hours={self.made.window_hours} due_soon_hours={self.made.due_soon_hours}"

    def order(self, one: TopOrder) -> str:
        due = _at(one.due_at) if one.due_at else "-"
        return f"#{one.id} {one.priority}/{one.status} score={one.urgency_score} site={one.site} due={due}"

    def inspection(self, one: RiskyInspection) -> str:
        flags = ", ".join(one.risk_flags)[:FLAGS]
        return f"#{one.id} {one.risk_level} site={one.site} {one.location} {_at(one.inspected_at)} {flags}"


@dataclass(frozen=True)
class _Told:
    """The same lines as people say them, in the zone of the site."""

    made: Brief
    said: Callable[..., str]
    zone: ZoneInfo

    def meta(self) -> Lines:
        yield self.said(
            N_("as of %(time)s · last %(window)s h · due soon: within %(soon)s h"),
            time=self._at(self.made.generated_at),
            window=self.made.window_hours,
            soon=self.made.due_soon_hours,
        )

    def order(self, one: TopOrder) -> str:
        due = self.said(N_("due %(time)s"), time=self._at(one.due_at)) if one.due_at else ""
        words = (self.said(PRIORITY_LABELS[one.priority]), self.said(STATUS_LABELS[one.status]), due, *self._site(one))
        return f"#{one.id} " + " · ".join(word for word in words if word)

    def inspection(self, one: RiskyInspection) -> str:
        flags = ", ".join(self.said(FLAG_LABELS.get(flag, flag.removeprefix(POINT))) for flag in one.risk_flags)
        level = self.said(LEVELS[one.risk_level])
        words = (level, *self._site(one), one.location, self._at(one.inspected_at), flags[:FLAGS])
        return f"#{one.id} " + " · ".join(word for word in words if word)

    def _site(self, one: TopOrder | RiskyInspection) -> tuple[str, ...]:
        return () if self.made.site else (one.site,)

    def _at(self, at: datetime) -> str:
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M}"


def _at(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"
