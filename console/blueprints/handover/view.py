"""How the lines of a handover are said, and where each of them leads."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from console.domain.handover import lines as rules
from console.domain.handover.lines import Line
from console.services.work_orders.lists import PRIORITY_LABELS
from console.ui.addresses import url_if
from console.ui.labels.work_orders import order_word
from console.ui.times import localtime

# Where the rest of a kind stands: the list and its filters.
_RESTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    rules.LATE: ("work_orders.page", {"due": "late"}),
    rules.WORSE: ("work_orders.page", {"escalated": "1"}),
    rules.SOON: ("work_orders.page", {"due": "6h"}),
    rules.UNASSIGNED: ("work_orders.page", {"assignee": "none"}),
    rules.PROMISED: ("work_orders.page", {"held": "1"}),
    rules.WAITING: ("work_orders.page", {"held": "1"}),
    rules.NEW: ("work_orders.page", {"sort": "-created_at"}),
    rules.UNOWNED: ("inspections.page", {"unordered": "1"}),
    rules.DANGER: ("inspections.page", {"risk_level": "danger"}),
    rules.CAUTION: ("inspections.page", {"risk_level": "warning"}),
}


def line_title(line: Line) -> str:
    """Return what a line is about."""
    count = line.detail.get("count", 0)
    if line.subject == rules.REST:
        return ngettext("and %(num)s more", "and %(num)s more", count)
    if line.kind == rules.ALERTS:
        return ngettext(
            "%(num)s alert to %(target)s did not arrive", "%(num)s alerts to %(target)s did not arrive", count,
            target=line.title,
        )  # fmt: skip
    if line.kind == rules.JOBS:
        return ngettext("%(num)s job is late", "%(num)s jobs are late", count)
    return f"{_('Inspection')} {line.title}" if line.subject == rules.INSPECTION else line.title


def line_facts(line: Line, site: str, names: Mapping[str, str], where: str) -> list[str]:
    """Return how the subject of a line stood, in a few words; `where` is the zone of the site."""
    detail = line.detail
    if line.subject == rules.ORDER:
        return _order_facts(detail, names, where)
    if line.subject == rules.INSPECTION:
        order = detail.get("order_id")
        told = _("led to work order #%(id)s", id=order) if order else _("no work order yet")
        return [localtime(_at(detail["at"]), where=where), names.get(detail["by"], detail["by"]), told]
    if line.kind == rules.ALERTS:
        again = detail.get("next")
        return [_("next attempt %(time)s", time=localtime(_at(again), where=where)) if again else _("not sent again")]
    if line.kind == rules.NOTE:
        return [names.get(detail["by"], detail["by"]), localtime(_at(detail["at"]), where=where)]
    return [site] if line.subject != rules.JOBS else []


def _order_facts(detail: Mapping[str, Any], names: Mapping[str, str], where: str) -> list[str]:
    who = detail.get("assignee")
    label = PRIORITY_LABELS[detail["priority"]]
    facts = [_(label), names.get(who, who) if who else _("Unassigned")]
    if detail.get("waiting_reason"):
        facts.append(_("Waits: %(what)s", what=order_word(detail["waiting_reason"], "waiting")))
    if detail.get("waiting_until"):
        facts.append(_("until %(time)s", time=localtime(_at(detail["waiting_until"]), where=where)))
    if detail.get("snoozed_until"):
        facts.append(_("No reminders until %(time)s", time=localtime(_at(detail["snoozed_until"]), "moment", where)))
    return [*facts, detail["location"]]


def line_due(line: Line) -> datetime | None:
    """Return when the order of a line is due, None where its clock does not count."""
    due = line.detail.get("due_at")
    return _at(due) if due and line.kind not in (rules.WAITING, rules.PROMISED) else None


def line_url(line: Line, site: str) -> str | None:
    """Return the page with the rows behind a line, None for a note and for pages that the reader may not open."""
    if line.subject == rules.ORDER:
        return url_for("work_orders.order", order_id=line.subject_id)
    if line.subject == rules.INSPECTION:
        return url_if("inspections.detail", inspection_id=line.subject_id)
    if line.subject == rules.ALERTS:
        if "channel" not in line.detail:
            return url_if("alerts.page", status=["failed", "warning", "dead"])
        told = line.detail
        return url_if("alerts.page", channel=told["channel"], lost_since=told["since"], concerns=site)
    if line.subject == rules.JOBS:
        return url_if("jobs.page")
    if line.subject == rules.REST:
        endpoint, args = _RESTS[line.kind]
        return url_if(endpoint, **args, site=site)
    return None


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
