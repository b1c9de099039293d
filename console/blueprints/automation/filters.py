"""How pages show the words of the autopilot: template filters over `console.ui.labels.automation`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from flask import Blueprint
from flask_babel import gettext as _
from flask_babel import ngettext

from console.services.automation import dashboard
from console.services.automation.history import Day
from console.ui.charts import Series
from console.ui.labels import automation as words
from console.ui.labels.common import Word
from console.ui.times import localtime

TABLES: Mapping[str, Mapping[Any, str]] = {
    "plan_level": words.LEVELS,
    "plan_rule": words.RULES,
    "skip_word": words.SKIPS,
    "policy_source": words.SOURCES,
    "proposal_state": words.PROPOSAL_STATES,
    "trend_word": words.TRENDS,
    "step_reason": words.STEP_REASONS,
}

TARGET = re.compile(r"(?P<sign>[<>]?=?)(?P<value>\d+(\.\d+)?)( run)?")


def register(pages: Blueprint) -> None:
    """Add to the templates their filters."""
    for name, table in TABLES.items():
        pages.add_app_template_filter(_looked_up(table), name)
    for function in FILTERS:
        pages.add_app_template_filter(function)


def _looked_up(table: Mapping[Any, str]) -> Callable[[Any], str]:
    return lambda word: _(table[word]) if word in table else str(word or "")


def plan_action(action: str) -> Word:
    """Return how an action is shown."""
    label, tone, icon = words.ACTIONS.get(action, (action, "plain", "minus"))
    return Word(_(label), tone, icon)


def skip_sentence(reason: str, when: str) -> str:
    """Return why a run did nothing (`run`), or would do nothing (`plan`)."""
    table = words.SKIP_PLANS if when == "plan" else words.SKIP_SENTENCES
    return _(table[reason]) if reason in table else reason


def policy_label(name: str) -> str:
    """Return what a field of the policy is called."""
    return _(words.FIELDS[name].label) if name in words.FIELDS else name


def policy_value(value: Any, name: str) -> str:
    """Return a value of the policy with its unit."""
    if isinstance(value, bool):
        return _("On") if value else _("Off")
    unit = words.FIELDS[name].unit if name in words.FIELDS else ""
    if unit == "items":
        return ngettext("%(num)s item", "%(num)s items", value)
    return _("%(value)s %(unit)s", value=value, unit=_(unit)) if unit else str(value)


def day_number(day: date) -> str:
    """Return a day of a chart's axis."""
    return str(day.day)


def moment_label(instant: datetime) -> str:
    """Return a moment of a chart's axis."""
    return localtime(instant, "moment")


def target_words(target: str) -> str:
    """Return a target such as "<=35.0" in words."""
    found = TARGET.fullmatch(target)
    sentence = words.TARGETS.get(found["sign"]) if found else None
    if not found or not sentence:
        return target
    # Rates are written with a decimal point, counts without one.
    unit = "%" if "." in found["value"] else ""
    return _(sentence, value=f"{float(found['value']):g}{unit}")


def day_series(days: Sequence[Day]) -> list[Series]:
    """Return the bars of the days."""
    return [Series(_(label), [getattr(day, key) for day in days], tone) for key, label, tone in dashboard.SERIES]


FILTERS = (
    plan_action,
    skip_sentence,
    policy_label,
    policy_value,
    day_number,
    moment_label,
    target_words,
    day_series,
)
