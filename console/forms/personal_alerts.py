"""The forms of one's own alerts: a new address, its code, and what shall reach one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from babel.dates import get_day_names
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, SelectField, StringField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from console.domain.alerts.events import WORDS
from console.domain.alerts.personal import CODE_DIGITS, EVENTS
from console.domain.alerts.routing import LEVEL_NAMES, LEVELS
from console.forms.shared import BaseForm, SelectMultipleCheckboxField, limits
from console.inputs.personal_alerts import AddressIn, ChoicesIn
from console.services.alerts.personal_choices import ChoicesView, Wish
from console.ui.formats import tr
from console.ui.reader import locale


class AddressForm(BaseForm):
    """A new address of one's own; it is written once and never shown again."""

    kind = SelectField(
        lazy_gettext("Kind"),
        choices=[
            SelectChoice("mail", lazy_gettext("Mail")),
            SelectChoice("slack", "Slack"),
            SelectChoice("teams", "Microsoft Teams"),
            SelectChoice("webhook", lazy_gettext("Webhook")),
        ],
    )
    address = StringField(
        lazy_gettext("Address"),
        [InputRequired(), Length(*limits(AddressIn, "address"))],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    name = StringField(
        lazy_gettext("Name"), [Optional(), Length(max=limits(AddressIn, "name")[1])], render_kw={"maxlength": 60}
    )


class AddressCodeForm(BaseForm):
    """The code that was sent to a mail address."""

    code = StringField(
        lazy_gettext("Code that was sent"),
        [InputRequired(), Length(max=20)],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": CODE_DIGITS + 4},
    )


class ChoicesForm(BaseForm):
    """What reaches one, and when not."""

    event_types = SelectMultipleCheckboxField(lazy_gettext("Events"), validate_choice=False)
    only_mine = BooleanField(lazy_gettext("Only what is mine"))
    least_level = RadioField(
        lazy_gettext("How bad"),
        choices=[SelectChoice(word, lazy_gettext(LEVEL_NAMES[word])) for word in LEVELS],
        default=LEVELS[0],
    )
    sites = SelectMultipleCheckboxField(lazy_gettext("Sites"), validate_choice=False)
    quiet_start = TimeField(lazy_gettext("Quiet from"), [Optional()])
    quiet_end = TimeField(lazy_gettext("Quiet until"), [Optional()])
    quiet_days = SelectMultipleCheckboxField(lazy_gettext("Days on which they begin"), coerce=int)
    zone = StringField(
        lazy_gettext("Time zone"),
        [Optional(), Length(max=limits(ChoicesIn, "zone")[1])],
        render_kw={"list": "zones", "autocomplete": "off"},
    )
    critical_passes = BooleanField(lazy_gettext("What is critical gets through"))

    def wish(self) -> Wish:
        """Return what was chosen."""
        return Wish(
            event_types=self.event_types.data or (),
            least_level=self.least_level.data,
            sites=self.sites.data or (),
            only_mine=self.only_mine.data,
            quiet_start=_minutes(self.quiet_start.data),
            quiet_end=_minutes(self.quiet_end.data),
            quiet_days=self.quiet_days.data or (),
            zone=self.zone.data or "",
            critical_passes=self.critical_passes.data,
        )


def choices_form(known: Iterable[str], now: ChoicesView, sent: MultiDict[str, str] | None = None) -> ChoicesForm:
    """Return the form of what reaches one, with the `known` sites to choose from."""
    form = ChoicesForm(sent) if sent is not None else ChoicesForm(**_shown(now))
    form.event_types.choices = [SelectChoice(word, tr(WORDS[word])) for word in EVENTS]
    form.sites.choices = [SelectChoice(name, name) for name in known]
    days = get_day_names("wide", locale=locale())
    form.quiet_days.choices = [SelectChoice(day, days[day]) for day in range(7)]
    return form


def _shown(now: ChoicesView) -> dict[str, Any]:
    lists = {name: list(getattr(now, name)) for name in ("event_types", "sites", "quiet_days")}
    plain = {name: getattr(now, name) for name in ("least_level", "only_mine", "zone", "critical_passes")}
    return {**lists, **plain, "quiet_start": _time(now.quiet_start), "quiet_end": _time(now.quiet_end)}


def _minutes(clock: time | None) -> int | None:
    return None if clock is None else clock.hour * 60 + clock.minute


def _time(minutes: int | None) -> time | None:
    return None if minutes is None else time(minutes // 60, minutes % 60)
