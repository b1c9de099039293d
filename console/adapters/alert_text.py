"""What people read of an alert where a channel takes words instead of data: chat rooms and mails, in Korean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from babel.dates import format_datetime

from console.core.i18n import DEFAULT_LOCALE, translate
from console.domain.alerts.alerts import ASSIGNED, CHECKPOINT_SIGNED, ESCALATED, RULE_FAILS, W07_DEGRADED
from console.domain.automation import sla
from console.domain.text import N_

DEGRADED = N_("W07: the quality at %(site)s is worse than is borne (%(days)s days)")
REASONS = {
    "escalation_rate": N_("Escalation rate"),
    "alert_success_rate": N_("Alerts that arrived"),
    "sla_violation_rate": N_("SLA violation rate"),
    "data_quality_gate": N_("Times that contradict themselves"),
    "response_time_worse": N_("First answers slower than before"),
}
SIGNED = N_("The audit log is signed up to entry %(seq)s")
HEADS = {
    ESCALATED: N_("Items to look after: %(told)s (due soon or late in all: %(all)s, critical: %(critical)s)"),
    ASSIGNED: N_("Items that were assigned: %(told)s"),
    RULE_FAILS: N_("Rules that fail now: %(told)s"),
}


def lines(payload: Mapping[str, Any], zone: tzinfo) -> list[str]:
    """Return a message line by line, times as the clock in `zone` shows them.

    Unknown events name their plain values.
    """
    event = str(payload.get("event", ""))
    if event == CHECKPOINT_SIGNED:
        return [translate(DEFAULT_LOCALE, SIGNED, seq=payload["seq"]), payload["file"], payload["line"]]
    if event == W07_DEGRADED:
        return list(_degraded(payload))
    head = HEADS.get(event)
    if head is None:
        return list(_plainly(payload))
    items = payload.get("items") or []
    told = int(payload.get("notified_count") or payload.get("assigned_count") or len(items))
    counts = {"told": told, "all": payload.get("candidate_count", 0), "critical": payload.get("critical_count", 0)}
    said = [translate(DEFAULT_LOCALE, head, **counts), *(_line(one, zone) for one in items)]
    if told > len(items):
        said.append(translate(DEFAULT_LOCALE, N_("and %(count)s more"), count=told - len(items)))
    return said


def _degraded(payload: Mapping[str, Any]) -> Iterator[str]:
    site = payload["site"] if payload["site"] != "ALL" else translate(DEFAULT_LOCALE, N_("All sites"))
    yield translate(DEFAULT_LOCALE, DEGRADED, site=site, days=payload["window_days"])
    for reason in payload["reasons"]:
        name = f"{reason}_percent"
        value, limit = payload["signals"].get(name), payload["thresholds"].get(name)
        said = translate(DEFAULT_LOCALE, REASONS[reason]) if reason in REASONS else reason
        yield f"• {said}" + (f" {value:g}% ({limit:g}%)" if value is not None and limit is not None else "")


def _line(item: Mapping[str, Any], zone: tzinfo) -> str:
    level = sla.LEVELS.get(item.get("escalation_level") or sla.NONE)
    due = item.get("due_at")
    if isinstance(due, str):
        due = datetime.fromisoformat(due)
    parts = [
        f"• {item.get('item_id', '')} {item.get('title') or item.get('rule_id') or ''}",
        translate(DEFAULT_LOCALE, level) if level else "",
        translate(DEFAULT_LOCALE, N_("due %(time)s"), time=_moment(due.astimezone(zone))) if due else "",
        item.get("assignee_name") or item.get("assignee") or translate(DEFAULT_LOCALE, N_("Unassigned")),
        item.get("warning") or "",
        item.get("site") or "",
        item.get("url") or "",
    ]
    return " · ".join(part for part in parts if part)


def _moment(due: datetime) -> str:
    return format_datetime(due, "M월 d일 HH:mm", tzinfo=due.tzinfo, locale=DEFAULT_LOCALE)


def _plainly(payload: Mapping[str, Any]) -> Iterator[str]:
    yield str(payload.get("text") or payload.get("event", ""))
    for key, value in payload.items():
        if isinstance(value, (str, int, float, bool)) and key != "text":
            yield f"{key}: {value}"
