"""The paper of a month for the residents' council: every word of it in one language, for page, print and PDF alike."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date

from console.core.i18n import text_in
from console.domain.durations import LENGTH
from console.domain.reports import council as rules
from console.domain.text import N_, T, Text
from console.domain.work_orders.words import AFTER, BEFORE
from console.services.work_orders.lists import HOLD_LABELS, STATUS_LABELS, TRADE_LABELS

NONE = "–"
MEANING = (
    N_("Done = of the work orders received in the month, those that are done when the report is closed."),
    N_(
        "Due dates kept = of the due dates in the month, without canceled work orders: done by the due date, out of"
        " those that are done or whose due date has passed."
    ),
    N_("Hours = from receiving to completion, waiting included."),
    N_("Same failure = work orders of the same thing and trade within 90 days."),
    N_("Finished on a day = whenever it was received."),
)


@dataclass(frozen=True)
class Figure:
    """One of the four figures."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Fault:
    """A failure that was mended; photos are base64 of JPEG, None where there is none."""

    title: str
    text: str
    length: str
    photos: tuple[str | None, str | None]


@dataclass(frozen=True)
class Day:
    """One day of the chart."""

    label: str
    received: int
    finished: int


@dataclass(frozen=True)
class Table:
    """A table with its title; `align` has a letter for each column, `foot` is the sum."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    widths: tuple[int, ...]
    foot: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class CouncilPaper:
    """The whole paper in the order in which it is read."""

    language: str
    over: str
    title: str
    whose: str
    span: str
    boxes_title: str
    boxes: tuple[tuple[str, str, str], ...]
    figures_title: str
    figures: tuple[Figure, ...]
    sentences: tuple[str, ...]
    rounds: Table
    trades: Table
    faults_title: str
    faults: tuple[Fault, ...]
    no_faults: str
    photo_words: tuple[str, str]
    no_photo: str
    days_title: str
    days: tuple[Day, ...]
    legend: tuple[str, str]
    following: Table
    left: Table
    changes: Table | None
    meaning_title: str
    meaning: str
    foot: str
    made_at: datetime


def paper(document: Mapping[str, Any], language: str, *, frozen_at: datetime | None = None) -> CouncilPaper:
    """Return the paper of a document in `language`; `frozen_at` (aware UTC) is that of a closed one."""
    return _Writer(document, language, frozen_at).paper()


class _Writer:
    """Says a document in one language; times are those of the site."""

    def __init__(self, document: Mapping[str, Any], language: str, frozen_at: datetime | None) -> None:
        self.document = document
        self.language = language
        self.zone = ZoneInfo(document["time_zone"])
        self.frozen_at = frozen_at

    def said(self, text: Text | str, **values: Any) -> str:
        return text_in(self.language, T(text, **values) if isinstance(text, str) else text)

    def local(self, instant: str | datetime) -> datetime:
        found = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        return found.astimezone(self.zone)

    def day(self, instant: str | datetime | None) -> str:
        if instant is None:
            return NONE
        return format_date(self.local(instant).date(), {"ko": "M.d", "en": "d MMM"}[self.language], self.language)

    def trade(self, word: str) -> str:
        return self.said(TRADE_LABELS.get(word, word))

    def paper(self) -> CouncilPaper:
        document = self.document
        month = date.fromisoformat(f"{document['month']}-01")
        named = format_date(month, {"ko": "yyyy년 M월", "en": "MMMM yyyy"}[self.language], self.language)
        return CouncilPaper(
            language=self.language,
            over=self.said(N_("Report to the residents' council")),
            title=self.said(N_("Monthly report of the facility")),
            whose=f"{document['site']} · {named}",
            span=self._span(),
            boxes_title=self.said(N_("Signatures")),
            boxes=self._boxes(),
            figures_title=self.said(N_("At a glance")),
            figures=self._figures(),
            sentences=tuple(document["sentences"][self.language]),
            rounds=self._rounds(),
            trades=self._trades(),
            faults_title=self.said(N_("Main failures and what was done")),
            faults=tuple(map(self._fault, document["faults"])),
            no_faults=self.said(N_("No failure was mended in this month.")),
            photo_words=(self.said(N_("Before the work")), self.said(N_("After the work"))),
            no_photo=self.said(N_("no photo")),
            days_title=self.said(N_("Received and finished by day")),
            days=tuple(Day(one["day"][8:].lstrip("0"), one["received"], one["finished"]) for one in document["days"]),
            legend=(
                self.said(N_("Received")) + f" {document['figures']['received']:,}",
                self.said(N_("Finished that day")) + f" {sum(one['finished'] for one in document['days']):,}",
            ),
            following=self._following(),
            left=self._left(),
            changes=self._changes(),
            meaning_title=self.said(N_("What the numbers mean")),
            meaning=" ".join(self.said(text) for text in MEANING),
            foot=self._foot(),
            made_at=self.frozen_at or datetime.fromisoformat(document["generated_at"]),
        )

    def _span(self) -> str:
        start, end = (self.local(self.document[f"period_{name}"]) for name in ("start", "end"))
        last = end - timedelta(days=1)
        span = f"{start:%Y-%m-%d} 00:00 – {last:%Y-%m-%d} 24:00 ({self.zone.key})"
        if self.frozen_at is not None:
            closed = f"{self.local(self.frozen_at):%Y-%m-%d %H:%M}"
            return self.said(N_("%(span)s · closed %(time)s, nothing changes afterwards"), span=span, time=closed)
        made = f"{self.local(self.document['generated_at']):%Y-%m-%d %H:%M}"
        return self.said(N_("%(span)s · draft of %(time)s"), span=span, time=made)

    def _boxes(self) -> tuple[tuple[str, str, str], ...]:
        document = self.document
        names = (document["prepared_by"], document["approved_by"], "")
        on = self.day(self.frozen_at) if self.frozen_at is not None else ""
        offices = zip(document["offices"], rules.OFFICES, names, strict=True)
        return tuple((own or self.said(usual), name, on if name else "") for own, usual, name in offices)

    def _figures(self) -> tuple[Figure, ...]:
        now, before = self.document["figures"], self.document["previous"] or {}
        rate, kept = now["completion_rate_percent"], now["on_time"]
        earlier = (before.get("on_time") or {}).get("rate_percent")
        return (
            Figure(
                self.said(N_("Work orders received")),
                f"{now['received']:,}",
                self.said(N_("month before: %(count)s"), count=before.get("received", 0)),
            ),
            Figure(
                self.said(N_("Work orders done")),
                NONE if rate is None else f"{rate:.1f}%",
                self.said(
                    N_("done %(done)s · open %(open)s · canceled %(canceled)s"),
                    done=now["completed"],
                    open=now["left_open"],
                    canceled=now["canceled"],
                ),
            ),
            Figure(
                self.said(N_("Due dates kept")),
                NONE if kept["rate_percent"] is None else f"{kept['rate_percent']:.1f}%",
                self.said(
                    N_("month before: %(rate)s · missed: %(missed)s"),
                    rate=NONE if earlier is None else f"{earlier:.1f}%",
                    missed=kept["counted"] - kept["kept"],
                ),
            ),
            Figure(
                self.said(N_("Inspections made")),
                f"{now['inspections']:,}",
                self.said(N_("danger %(danger)s · caution %(warning)s"), danger=now["danger"], warning=now["warning"]),
            ),
        )

    def _rounds(self) -> Table:
        rows = tuple(
            (one["name"], f"{one['made']:,}", _count(one["danger"]), _count(one["warning"]), self.day(one["last_at"]))
            for one in self.document["rounds"]
        )
        heads = (N_("Inspection"), N_("Times made"), N_("Danger"), N_("Caution"), N_("Latest on"))
        return self._table(N_("Inspections"), heads, rows, "LRRRR", (78, 24, 24, 24, 24))

    def _trades(self) -> Table:
        document = self.document
        names = ("received", "completed", "left_open", "overdue_open")
        orders = document["work_orders"]
        # Months that were closed without it stay as they were.
        told = "waiting_share_percent" in orders
        rows = tuple(
            (
                self.trade(one["trade"]),
                *(_count(one[name]) for name in names),
                _hours(one["avg_hours"]),
                *((_percent(one.get("waiting_percent")),) if told else ()),
            )
            for one in document["trades"]
        )
        sums = [sum(one[name] for one in document["trades"]) for name in names]
        average, share = orders["avg_resolution_hours"], orders.get("waiting_share_percent")
        foot = (self.said(N_("In all")), *(f"{one:,}" for one in sums), _hours(average))
        foot += (_percent(share),) if told else ()
        heads: tuple[str, ...] = (N_("Trade"), N_("Received"), N_("Done"))
        heads += (N_("Left open"), N_("Open past due"), N_("Average hours"))
        heads += (N_("of it waiting"),) if told else ()
        canceled = document["figures"]["canceled"]
        note = self.said(N_("Canceled work orders count as received: %(count)s"), count=canceled) if canceled else ""
        widths = (48, 21, 21, 21, 21, 21, 21) if told else (54, 24, 24, 24, 24, 24)
        made = self._table(N_("Work orders"), heads, rows, "LRRRRRR"[: len(widths)], widths)
        return Table(made.title, made.heads, made.rows, made.align, made.widths, foot if rows else (), note)

    def _fault(self, one: Mapping[str, Any]) -> Fault:
        told = [one["solution"] or self.said(N_("What was done is not written down"))]
        if one["again"] > 1:
            told.append(self.said(N_("the same failure %(times)s times in 90 days"), times=one["again"]))
        photos = one.get("photos") or {}
        return Fault(
            title=f"{one['title']} {rules.numbers(one['ids'])}",
            text=" · ".join(told),
            length=self._length(one["minutes"]),
            photos=(_jpeg(photos.get(BEFORE)), _jpeg(photos.get(AFTER))),
        )

    def _length(self, minutes: int) -> str:
        # A council compares hours; days would hide the night.
        hours, rest = divmod(minutes, 60)
        form = "hours_minutes" if hours and rest else "hours" if hours else "minutes" if rest else "now"
        return self.said(Text(LENGTH[form], {"hours": hours, "minutes": rest}))

    def _following(self) -> Table:
        rows = tuple(
            (
                self.day(one["on"]),
                f"{one['title']} #{one['id']}",
                # What was closed before names were kept has the user name alone.
                self._waits(one) or one.get("assignee_name") or one["assignee"] or NONE,
            )
            for one in self.document["next"]
        )
        heads = (N_("Day"), N_("Planned"), N_("Who, or what it waits for"))
        return self._table(N_("Next month"), heads, rows, "LLR", (22, 106, 46))

    def _left(self) -> Table:
        left = self.document["open"]
        rows = tuple(map(self._open_row, left["rows"]))
        heads = (N_("No."), N_("Work order"), N_("State and reason"), N_("Expected"), N_("Due"))
        made = self._table(N_("Left open"), heads, rows, "LLLRR", (16, 66, 46, 22, 24))
        title = self.said(
            N_("Open work orders: %(total)s, from earlier months: %(earlier)s"),
            total=left["total"],
            earlier=left["earlier"],
        )
        more = left["total"] - len(rows)
        note = self.said(N_("and further ones: %(count)s"), count=more) if more > 0 else made.note
        return Table(title, made.heads, made.rows, made.align, made.widths, (), note)

    def _open_row(self, one: Mapping[str, Any]) -> tuple[str, ...]:
        state = self._waits(one) or self.said(STATUS_LABELS[one["status"]])
        late = self.local(self.document["generated_at"]) - self.local(one["due_at"])
        due = self.said(N_("%(days)s d past"), days=late.days) if late >= timedelta(days=1) else self.day(one["due_at"])
        reason = f"{state} · {one['note']}" if one["note"] else state
        return (f"#{one['id']}", one["title"], reason, self.day(one["waiting_until"]), due)

    def _waits(self, one: Mapping[str, Any]) -> str:
        word = one["waiting_reason"]
        return self.said(N_("waits: %(what)s"), what=self.said(HOLD_LABELS.get(word, word))) if word else ""

    def _changes(self) -> Table | None:
        document = self.document
        if not document["replaces"]:
            return None
        rows = tuple(self._change(one) for one in document["differences"])
        heads = (N_("Changed entry"), N_("Earlier version"), N_("This version"))
        made = self._table(N_("What this version changes"), heads, rows, "LLL", (54, 60, 60))
        note = self.said(
            N_("It takes the place of version %(version)s: %(reason)s"),
            version=document["replaces"]["version"],
            reason=document["reason"],
        )
        return Table(made.title, made.heads, made.rows, made.align, made.widths, (), note)

    def _change(self, one: Mapping[str, Any]) -> tuple[str, ...]:
        label = self.said(one["label"], trade=self.trade(one["trade"])) if "trade" in one else self.said(one["label"])
        return (label, *(NONE if one[name] in (None, "") else str(one[name]) for name in ("old", "new")))

    def _table(
        self, title: str, heads: Sequence[str], rows: tuple[tuple[str, ...], ...], align: str, widths: tuple[int, ...]
    ) -> Table:
        note = "" if rows else self.said(N_("There is none."))
        return Table(self.said(title), tuple(map(self.said, heads)), rows, align, widths, (), note)

    def _foot(self) -> str:
        digest = self.document.get("archive_sha256")
        if not digest:
            return "KA Facility OS · " + self.said(N_("draft"))
        closed = self.said(N_("closed, version %(version)s"), version=self.document["version"])
        return f"KA Facility OS · {closed} · sha256 {digest[:8]}…{digest[-4:]}"


def _count(number: int) -> str:
    return f"{number:,}" if number else NONE


def _hours(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value:.0f}%"


def _jpeg(photo: Mapping[str, Any] | None) -> str | None:
    return photo["jpeg"] if photo else None


def draw(made: CouncilPaper) -> bytes:
    """Return the paper as PDF (A4); raises FontsMissing where the set-up has not run."""
    # Drawing papers takes a library that few requests need.
    from console.adapters.pdf import Box, Paper, Part, Picture

    boxes = [Box(*one) for one in made.boxes]
    sheet = Paper(
        made.title, foot=made.foot, locale=made.language, made_at=made.made_at, over=made.over, signed=boxes,
        signed_title=made.boxes_title, running=f"{made.title} · {made.whose}",
    )  # fmt: skip
    sheet.lead(made.whose)
    sheet.note(made.span)
    sheet.heading(made.figures_title)
    named = [(one.name, one.value) for one in made.figures]
    sheet.figures(named, notes=[one.note for one in made.figures])
    sheet.points(made.sentences)

    def table(one: Table) -> None:
        sheet.heading(one.title)
        if one.rows:
            rows = [*one.rows, one.foot] if one.foot else list(one.rows)
            sheet.table(one.heads, rows, one.widths, align=one.align, bold_last=bool(one.foot))
        if one.note:
            sheet.note(one.note)

    table(made.rounds)
    table(made.trades)
    sheet.heading(made.faults_title)
    if made.faults:
        sheet.pictures(
            [
                Picture(
                    [b64decode(one) if one else None for one in fault.photos], fault.title, fault.text, fault.length
                )
                for fault in made.faults
            ],
            made.faults_title,
            made.no_photo,
        )
    else:
        sheet.note(made.no_faults)
    sheet.heading(made.days_title, room=58)
    bars = [(one.label, [Part(one.received, "2"), Part(one.finished, "1")]) for one in made.days]
    sheet.bars(bars, [(made.legend[0], "2"), (made.legend[1], "1")], beside=True)
    table(made.following)
    table(made.left)
    if made.changes is not None:
        table(made.changes)
    sheet.heading(made.meaning_title)
    sheet.note(made.meaning)
    return sheet.bytes()
