"""The monthly report of a site for its residents' council: when it is closed, what it says, how versions differ.

A document is what is closed, stored and verified: facts and words of people, no text of the console. Its instants are
ISO 8601 in UTC, its days are those of the site's zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console.domain.errors import Conflict, Invalid
from console.domain.reports import periods
from console.domain.reports.periods import Period
from console.domain.text import N_, T, Text

KIND, FORMAT_VERSION = "facility_monthly_report", "v1"
# Of a version; a month without one is open while it lasts and a draft afterwards.
DRAFT, FROZEN = "draft", "frozen"
OPEN = "open"
# The office opens, and the report is closed, at this hour of the site.
FREEZE_HOUR = 9
SENTENCES, SENTENCE_MAX, REASON_MAX = 3, 300, 500
LANGUAGES = ("ko", "en")
OFFICES = (N_("Prepared by"), N_("Head of the office"), N_("Council chair"))
# A failure of the same thing within this time is the same failure again.
RECURS_WITHIN = timedelta(days=90)
NOT_OVER = T("The month is not over yet")


def freezes_at(period: Period, day: int) -> datetime:
    """Return when the report of a month is closed by itself: on that day of the month after it, in the site's zone."""
    zone = ZoneInfo(period.time_zone)
    first = period.end.astimezone(zone).date()
    return datetime.combine(first.replace(day=day), time(FREEZE_HOUR), zone).astimezone(period.end.tzinfo)


def closes_at(period: Period, day: int, promised: datetime, now: datetime) -> datetime | None:
    """Return when a month is, or was to be, closed by itself; None where nobody asked for it.

    `promised` is since when the site wants it on that `day` (0: never). The last month closes in any case, an earlier
    one that was missed only if its day came after that.
    """
    if not day:
        return None
    at = freezes_at(period, day)
    last = periods.month_at(period.end, ZoneInfo(period.time_zone)).end > now
    return at if last or at >= promised else None


def check_over(period: Period, now: datetime) -> None:
    """Raise Conflict while a month lasts."""
    if not period.finished(now):
        raise Conflict(NOT_OVER, code="month_not_over")


def state_of(period: Period, now: datetime, newest: str | None) -> str:
    """Return the state of a month by that of its newest version, if there is one."""
    if newest == FROZEN:
        return FROZEN
    return DRAFT if newest == DRAFT or period.finished(now) else OPEN


def written(sentences: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return sentences of people as they are kept, in each language; raises Invalid for what is too long or too many.

    Empty ones are left out.
    """
    made = {}
    for language in LANGUAGES:
        kept = [" ".join(one.split()) for one in sentences.get(language, ())]
        if len(kept) > SENTENCES or any(len(one) > SENTENCE_MAX for one in kept):
            raise Invalid.field(
                "sentences",
                T("At most %(many)s sentences of at most %(most)s characters", many=SENTENCES, most=SENTENCE_MAX),
            )
        made[language] = [one for one in kept if one]
    return made


def on_time(kept: int, counted: int) -> dict[str, Any]:
    """Return how many due dates of a month were kept; no rate where there was none."""
    return {"kept": kept, "counted": counted, "rate_percent": round(100 * kept / counted, 1) if counted else None}


def drafted(facts: Mapping[str, Any]) -> tuple[Text, ...]:
    """Return the three sentences that the figures give: the month, its main failure, what is left open."""
    return (_of_month(facts), _of_faults(facts["faults"]), _of_open(facts["open"]))


def _of_month(facts: Mapping[str, Any]) -> Text:
    figures, before = facts["figures"], facts["previous"]
    if not figures["received"] and not figures["inspections"]:
        return T("No work order was received and no inspection was made in this month.")
    values = {name: figures[name] for name in ("received", "completed", "inspections")}
    rate = figures["on_time"]["rate_percent"]
    if rate is None:
        return T(
            "Work orders received: %(received)s, of them done: %(completed)s; inspections: %(inspections)s.", **values
        )
    earlier = before["on_time"]["rate_percent"] if before else None
    if earlier is None:
        return T(
            "Work orders received: %(received)s, of them done: %(completed)s; due dates kept: %(rate)s%%;"
            " inspections: %(inspections)s.",
            **values,
            rate=f"{rate:g}",
        )
    return T(
        "Work orders received: %(received)s, of them done: %(completed)s; due dates kept: %(rate)s%%"
        " (the month before: %(earlier)s%%); inspections: %(inspections)s.",
        **values,
        rate=f"{rate:g}",
        earlier=f"{earlier:g}",
    )


def _of_faults(faults: Sequence[Mapping[str, Any]]) -> Text:
    if not faults:
        return T("No failure was mended in this month.")
    worst = max(faults, key=lambda one: one["again"])
    values = {"title": worst["title"], "orders": numbers(worst["ids"])}
    if worst["again"] > 1:
        return T(
            "“%(title)s” (%(orders)s) was mended; the same failure came %(times)s times within 90 days.",
            **values,
            times=worst["again"],
        )
    return T("The main failure was “%(title)s” (%(orders)s), and it was mended.", **values)


def _of_open(left: Mapping[str, Any]) -> Text:
    if not left["total"]:
        return T("Nothing is left open.")
    first = left["rows"][0]
    values = {"total": left["total"], "title": first["title"], "order": numbers([first["id"]])}
    if first["waiting_reason"]:
        return T("Work orders still open: %(total)s; “%(title)s” (%(order)s) waits.", **values)
    return T("Work orders still open: %(total)s; due first: “%(title)s” (%(order)s).", **values)


def numbers(ids: Sequence[int]) -> str:
    """Return the numbers of orders as people write them."""
    return ", ".join(f"#{one}" for one in ids)


# What is compared between versions: the place in the document, and what people call it.
_COMPARED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("figures", "received"), N_("Work orders received")),
    (("figures", "completed"), N_("Work orders done")),
    (("figures", "left_open"), N_("Work orders left open")),
    (("figures", "canceled"), N_("Work orders canceled")),
    (("figures", "on_time", "rate_percent"), N_("Due dates kept (%)")),
    (("figures", "inspections"), N_("Inspections made")),
    (("figures", "danger"), N_("Inspections with danger")),
    (("figures", "warning"), N_("Inspections with caution")),
    (("work_orders", "escalated_count"), N_("Escalated work orders")),
    (("work_orders", "overdue_open_count"), N_("Open past the due date")),
    (("work_orders", "avg_resolution_hours"), N_("Hours to completion on average")),
    (("open", "total"), N_("Open in all")),
)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a version says otherwise than the one before: `key`, `label` (a message id), `old` and `new`."""
    return list(_differences(old, new))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, label in _COMPARED:
        before, after = _at(old, path), _at(new, path)
        if before != after:
            yield {"key": ".".join(path), "label": label, "old": before, "new": after}
    trades = {one["trade"]: one for one in old["trades"]}
    for trade in new["trades"]:
        before = trades.pop(trade["trade"], None)
        for name, label in (("received", N_("%(trade)s: received")), ("completed", N_("%(trade)s: done"))):
            earlier = before[name] if before else 0
            if earlier != trade[name]:
                key = f"trades.{trade['trade']}.{name}"
                yield {"key": key, "label": label, "trade": trade["trade"], "old": earlier, "new": trade[name]}
    for name, before in trades.items():
        key = f"trades.{name}.received"
        yield {
            "key": key,
            "label": N_("%(trade)s: received"),
            "trade": name,
            "old": before["received"],
            "new": 0,
        }
    for language in LANGUAGES:
        before, after = old["sentences"][language], new["sentences"][language]
        if before != after:
            label = {"ko": N_("Sentences in Korean"), "en": N_("Sentences in English")}[language]
            yield {"key": f"sentences.{language}", "label": label, "old": " ".join(before), "new": " ".join(after)}
    before, after = (", ".join(numbers(one["ids"]) for one in document["faults"]) for document in (old, new))
    if before != after:
        yield {"key": "faults", "label": N_("Failures shown"), "old": before, "new": after}


def _at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    found: Any = document
    for name in path:
        found = found[name]
    return found
