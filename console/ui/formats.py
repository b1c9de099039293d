"""How times, numbers and words are written for people: the filters of the templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from babel.numbers import format_decimal
from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from console.core.i18n import counted, text_in, translate, translate_number
from console.core.serialize import plain
from console.domain import durations
from console.domain.text import Text
from console.ui import charts, reader
from console.ui.addresses import url_if
from console.ui.labels import common
from console.ui.labels.lists import list_title
from console.ui.labels.runbook import named
from console.ui.markup_cache import DAY, cached_markup, cached_rows, timed
from console.ui.reader import locale, now
from console.ui.times import date_span, localdate, localtime
from console.ui.weeks import week_goal, week_title


def tr(text: Any) -> str:
    """Return a sentence that was decided below the web layer in the reader's language.

    Plain texts are looked up too.
    """
    if text is None:
        return ""
    if isinstance(text, (Text, Mapping)):
        return text_in(locale(), named(text))
    return translate(locale(), text) if isinstance(text, str) else str(text)


def number(value: float | None, digits: int = 1) -> str:
    """Return a number with separators and at most `digits` decimals; nothing is a dash."""
    if value is None:
        return "–"
    # Most numbers of a page are small counts, which read the same in every language.
    if type(value) is int and 0 <= value < 1000:
        return str(value)
    return _grouped(round(value, digits) + 0, digits, locale())  # no "-0"


def signed(value: float) -> str:
    """Return a difference with its sign; none is 0."""
    return f"+{number(value)}" if value > 0 else f"−{number(-value)}" if value < 0 else "0"


@lru_cache(maxsize=4096)
def _grouped(value: float, digits: int, language: str) -> str:
    return format_decimal(value, "#,##0." + "#" * digits if digits else "#,##0", locale=language)


def file_size(count: int) -> str:
    """Return the size of a file in the largest unit that leaves a number."""
    for unit, length in (("MB", 1024**2), ("KB", 1024)):
        if count >= length:
            return f"{number(count / length)} {unit}"
    return _("%(size)s bytes", size=count)


def time_tag(instant: datetime | None, form: str = "auto", where: str | None = None) -> Markup:
    """Return a time element: short words to see, the full time with its zone on hover and for programs.

    `where` names another zone than the reader's.
    """
    if instant is None:
        return Markup("–")
    # The time alone for today, the year for other years: it reads the same for a day.
    return timed(_time_tag, instant, form, where, seconds=DAY)


def _time_tag(instant: datetime, form: str, where: str | None) -> Markup:
    made = Markup('<time datetime="{}" title="{}">{}</time>')
    return made.format(instant.isoformat(), localtime(instant, "full", where), localtime(instant, form, where))


def filter_label(word: str, labels: Mapping[str, str]) -> str:
    """Return the label of a filter's word; a word that is no longer offered stands for itself."""
    return tr(labels.get(word, word))


def pretty_json(value: Any) -> str:
    """Return a JSON value indented for reading."""
    return json.dumps(plain(value), ensure_ascii=False, indent=2)


def gate_cell(day: Any) -> dict[str, Any]:
    """Return the cell of a day of verdicts for `chart.strip`."""
    verdict = _status_word(day.decision) if day.decision else None
    tone = "none" if verdict is None else "soon" if (day.decision, day.status) == ("go", "warning") else verdict.tone
    said = _("GO, with warnings") if tone == "soon" else verdict.label if verdict else _("no verdict")
    url = url_if("gate.run", run_id=day.run_id) if day.run_id else None
    return {"tone": tone, "title": f"{localdate(day.day)} {said}", "url": url}


def _status_word(word: object) -> common.Word:
    known = common.status_word(word)
    return common.Word(tr(known.label), known.tone, known.icon)


def owner_role(role: str | None) -> str:
    """Return a role of work, or several joined by a plus, as people call it; other texts stand for themselves."""
    return common.owner_role(role, _)


def _table(words: Mapping[Any, str]) -> Any:
    return lambda key: _(words[key]) if key in words else str(key) if isinstance(key, str) else ""


def say(text: str, /, **values: Any) -> Markup:
    """Return a sentence in the reader's language, with its values escaped; what the templates call `_`."""
    return Markup(translate(locale(), text)) % counted(values) if values else _constant(locale(), text)


def say_number(one: str, many: str, num: int, /, **values: Any) -> Markup:
    """Return a sentence about a number of things; what the templates call `ngettext`."""
    return Markup(translate_number(locale(), one, many, num)) % counted({"num": num, **values})


@lru_cache(maxsize=4096)
def _constant(locale_name: str, text: str) -> Markup:
    # Formatted too, so that a percent sign is written alike in every sentence.
    return Markup(translate(locale_name, text)) % {}


def init_app(app: Flask) -> None:
    """Add to the templates their filters and the geometry of charts."""
    # A list of fifty rows asks for some thousand texts; Flask-Babel would look the language up for each of them.
    environment: Any = app.jinja_env
    environment.install_gettext_callables(
        lambda text: translate(locale(), text),
        lambda one, many, number: translate_number(locale(), one, many, number),
        newstyle=True,
    )
    app.jinja_env.globals.update(_=say, ngettext=say_number, timed=timed, site_zones=reader.zones)
    app.jinja_env.globals.update(cached=cached_markup, cached_rows=cached_rows)
    app.jinja_env.filters.update(
        tr=tr,
        localtime=localtime,
        localdate=localdate,
        date_span=date_span,
        time=time_tag,
        reltime=lambda instant: tr(durations.ago(instant, now())) if instant else "–",
        countdown=lambda due: tr(durations.countdown(due, now())) if due else "",
        duration=lambda length: tr(durations.length(length)) if length is not None else "–",
        number=number,
        minutes=lambda count: timedelta(minutes=count),
        initials=common.initials,
        status_word=_status_word,
        role_name=_table(common.ROLES),
        owner_role=owner_role,
        environment_name=_table(common.ENVIRONMENTS),
        file_size=file_size,
        error_title=_table(common.ERROR_TITLES),
        error_text=_table(common.ERROR_TEXTS),
        filter_label=filter_label,
        list_title=list_title,
        gate_cell=gate_cell,
        pretty_json=pretty_json,
        site_zone=reader.zone_of_site,
        week_title=week_title,
        week_goal=week_goal,
    )
    app.jinja_env.globals.update(
        time_used=lambda created, due: durations.used(created, due, now()),
        due_tone=lambda due, soon_hours=24: durations.tone(due, now(), soon_hours),
        chart_lines=lambda series, labels, target=None, **more: charts.line_chart(
            _series(series), labels, target, **more
        ),
        chart_pairs=lambda series, labels, dots: charts.paired_bars(_series(series), labels, *_series([dots])),
        chart_bars=lambda series, labels, target=None: charts.bar_chart(_series(series), labels, target),
        chart_share=charts.share_bar,
        chart_spark=charts.spark,
        chart_arc=charts.arc,
    )


def _series(given: Any) -> list[charts.Series]:
    return [one if isinstance(one, charts.Series) else charts.Series(**one) for one in given]
