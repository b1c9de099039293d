"""What people read of an alert where a channel takes words instead of data: chat rooms and mails, in Korean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from babel.dates import format_datetime

from console.core.i18n import DEFAULT_LOCALE, translate
from console.domain.alerts.alerts import (
    ADDRESS_CODE,
    ADDRESS_TRIAL,
    ASSIGNED,
    CHECKPOINT_SIGNED,
    ESCALATED,
    HANDOVER_LATE,
    ORDER_ASSIGNED,
    RULE_FAILS,
    SLA_ESCALATED,
    W07_DEGRADED,
)
from console.domain.alerts.personal import CODE_VALID, MOST_TOLD
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
    SLA_ESCALATED: N_("Work orders that are late: %(told)s"),
    ORDER_ASSIGNED: N_("Work orders that were assigned to you: %(told)s"),
    HANDOVER_LATE: N_("Handovers that nobody confirmed in time: %(told)s"),
}
# What a person reads of their own things, where it differs.
OWN_HEADS = {
    ESCALATED: N_("Items that are due soon or late: %(told)s"),
    ASSIGNED: N_("Items that were assigned to you: %(told)s"),
}
CODE_LINES = (
    N_("%(code)s is the code that confirms this address"),
    N_("Enter it within %(minutes)s minutes under “My alerts”. If you did not ask for it, there is nothing to do."),
)
TRIAL = N_("A trial: alerts of yours arrive at this address")
COUNTS = ("notified_count", "assigned_count", "escalated_count", "count")


def lines(payload: Mapping[str, Any], zone: tzinfo) -> list[str]:
    """Return a message line by line, times as the clock in `zone` shows them.

    Unknown events name their plain values.
    """
    event = str(payload.get("event", ""))
    if event == CHECKPOINT_SIGNED:
        return [translate(DEFAULT_LOCALE, SIGNED, seq=payload["seq"]), payload["file"], payload["line"]]
    if event == W07_DEGRADED:
        return list(_degraded(payload))
    if event == ADDRESS_CODE:
        values = {"code": payload.get("code", ""), "minutes": int(CODE_VALID.total_seconds() // 60)}
        return [translate(DEFAULT_LOCALE, line, **values) for line in CODE_LINES]
    if event == ADDRESS_TRIAL:
        return [translate(DEFAULT_LOCALE, TRIAL)]
    items = payload.get("items") or payload.get("orders") or []
    own = bool(items) and isinstance(items[0], Mapping) and "subject" in items[0]
    head = (OWN_HEADS if own else {}).get(event) or HEADS.get(event)
    if head is None or (event == HANDOVER_LATE and not own):
        return list(_plainly(payload))
    told = next((int(payload[name]) for name in COUNTS if payload.get(name)), len(items))
    counts = {"told": told, "all": payload.get("candidate_count", 0), "critical": payload.get("critical_count", 0)}
    listed = items[:MOST_TOLD]
    said = [translate(DEFAULT_LOCALE, head, **counts), *(_line(one, zone) for one in listed)]
    if told > len(listed):
        said.append(translate(DEFAULT_LOCALE, N_("and %(count)s more"), count=told - len(listed)))
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
        f"• {item.get('item_id') or _number(item)} {item.get('title') or item.get('rule_id') or ''}",
        translate(DEFAULT_LOCALE, level) if level else "",
        translate(DEFAULT_LOCALE, N_("due %(time)s"), time=_moment(due.astimezone(zone))) if due else "",
        item.get("assignee_name") or item.get("assignee") or translate(DEFAULT_LOCALE, N_("Unassigned")),
        item.get("warning") or "",
        item.get("site") or "",
        item.get("url") or "",
    ]
    return " · ".join(part for part in parts if part)


def _number(item: Mapping[str, Any]) -> str:
    return f"#{item['id']}" if "id" in item else ""


def _moment(due: datetime) -> str:
    return format_datetime(due, "M월 d일 HH:mm", tzinfo=due.tzinfo, locale=DEFAULT_LOCALE)


def _plainly(payload: Mapping[str, Any]) -> Iterator[str]:
    yield str(payload.get("text") or payload.get("event", ""))
    for key, value in payload.items():
        if isinstance(value, (str, int, float, bool)) and key != "text":
            yield f"{key}: {value}"
