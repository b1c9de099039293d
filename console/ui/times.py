"""How times and days are written for the reader of a page: in the zone and the language of the reader."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo, available_timezones

from babel.dates import format_date, format_datetime

from console.core.i18n import day_in
from console.domain.errors import Invalid
from console.domain.local_time import LocalTimeError, instant_of, typed_time
from console.ui.reader import locale, now, zone, zone_name, zone_named


def local(instant: datetime, where: str | None = None) -> datetime:
    """Return an instant in the zone `where`, by default that of the reader."""
    return instant.astimezone(zone_named(where) if where else zone())


def near_zones() -> list[str]:
    """Return the names of the zones that forms propose; any other can be typed."""
    return sorted(zone for zone in available_timezones() if zone.startswith(("Asia/", "Pacific/", "Australia/")))


def typed_instant(text: str, where: ZoneInfo, *, field: str | None = None) -> datetime | None:
    """Return what people typed into a field for a local time as an instant in UTC, None where they typed nothing.

    Raises Invalid, naming the `field` if there is one, for what means no instant in that zone, or two.
    """
    if not text:
        return None
    try:
        return instant_of(typed_time(text), where, now())
    except LocalTimeError as error:
        raise (Invalid.field(field, error.text) if field else Invalid(error.text)) from error


def localtime(instant: datetime | None, form: str = "auto", where: str | None = None) -> str:
    """Return an instant as people read it: "auto" is the time alone for today and the date with the time otherwise.

    Other forms: "time", "date", "moment" (date and time, without this year), "datetime", "full" (with the zone's name).
    `where` names another zone than the reader's, such as that of an item's site; where it differs it is named.
    """
    if instant is None:
        return "–"
    if where and where != zone_name() and form != "full":
        return f"{_said(instant, form, where)} ({where})"
    return _said(instant, form, where)


def _said(instant: datetime, form: str, where: str | None) -> str:
    then, today = local(instant, where), local(now(), where)
    if form == "time" or (form == "auto" and then.date() == today.date()):
        return then.strftime("%H:%M")
    if form == "date":
        return localdate(then.date())
    patterns = {"ko": "M월 d일 HH:mm", "en": "d MMM HH:mm"}
    if form in ("datetime", "full") or then.year != today.year:
        patterns = {"ko": "yyyy-MM-dd HH:mm", "en": "d MMM yyyy HH:mm"}
    made = format_datetime(then, patterns[locale()], locale=locale(), tzinfo=then.tzinfo)
    return f"{made} ({where or zone_name()})" if form == "full" else made


def localdate(day: date | datetime | None) -> str:
    """Return a day as people read it, the year where it is not this one.

    An instant counts as the day it falls on in the reader's zone.
    """
    if day is None:
        return "–"
    if isinstance(day, datetime):
        day = local(day).date()
    patterns = {"ko": "M월 d일", "en": "d MMM"}
    if day.year != local(now()).year:
        patterns = {"ko": "yyyy년 M월 d일", "en": "d MMM yyyy"}
    return format_date(day, patterns[locale()], locale=locale())


def axis_day(day: date) -> str:
    """Return a day as it stands below an axis: the year is said elsewhere."""
    return day_in(locale(), day)


def month_name(month: date) -> str:
    """Return the month of a day as people read it, with its year."""
    return format_date(month, {"ko": "yyyy년 M월", "en": "MMM yyyy"}[locale()], locale=locale())


def weekday_name(day: date) -> str:
    """Return the day of the week, shortly."""
    return format_date(day, "EEE", locale=locale())


def date_span(first: date, last: date) -> str:
    """Return the days from `first` to `last` as briefly as they can be read; the year where it is not this one."""
    language, this_year = locale(), local(now()).year
    year = "" if first.year == last.year == this_year else {"ko": "yyyy년 ", "en": " yyyy"}[language]
    if language == "ko":
        begin, end = f"{year}M월 d일", f"{year if first.year != last.year else ''}M월 d일"
        end = "d일" if (first.year, first.month) == (last.year, last.month) else end
    else:
        begin, end = f"d MMM{year if first.year != last.year else ''}", f"d MMM{year}"
        begin = "d" if (first.year, first.month) == (last.year, last.month) else begin
    between = {"ko": "~", "en": " – "}[language]
    return between.join(format_date(day, form, locale=language) for day, form in ((first, begin), (last, end)))
