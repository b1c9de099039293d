"""The forms of a missed alert and of a channel; limits come from the input model of the API."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import DateTimeLocalField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from console.domain.alerts.events import OF_CHANNELS
from console.domain.alerts.routing import LEVEL_NAMES, LEVELS
from console.domain.local_time import LocalTimeError, instant_of
from console.forms.shared import BaseForm, SelectMultipleCheckboxField, limits
from console.inputs.alert_channels import ChannelIn
from console.inputs.alerts import MissedAlertIn
from console.ui.formats import tr
from console.ui.reader import now

MINUTE = "%Y-%m-%dT%H:%M"


class MissedAlertForm(BaseForm):
    """An incident that nobody was alerted about; its time is written in the zone that the reader sees."""

    zone: ZoneInfo
    # When it happened, known when the form was found right.
    instant: datetime | None = None

    what = StringField(lazy_gettext("What happened"), [InputRequired(), Length(max=limits(MissedAlertIn, "what")[1])])
    happened_at = DateTimeLocalField(lazy_gettext("When it happened"), [InputRequired()], format=MINUTE)
    site = SelectField(lazy_gettext("Site"), [Optional()], validate_choice=False)
    reason = TextAreaField(
        lazy_gettext("Why an alert should have come"),
        [InputRequired(), Length(max=limits(MissedAlertIn, "reason")[1])],
        render_kw={"rows": 3},
    )

    def validate_happened_at(self, field: DateTimeLocalField) -> None:
        """Refuse a time that means no instant in the zone, or two."""
        if field.data is None:
            return
        try:
            self.instant = instant_of(field.data, self.zone, now())
        except LocalTimeError as error:
            raise ValidationError(tr(error.text)) from error


class ChannelForm(BaseForm):
    """A channel of alerts; the address is written once and never shown again."""

    name = StringField(
        lazy_gettext("Name"), [InputRequired(), Length(max=limits(ChannelIn, "name")[1])], render_kw={"maxlength": 80}
    )
    kind = SelectField(
        lazy_gettext("Kind"),
        choices=[
            SelectChoice("slack", "Slack"),
            SelectChoice("teams", "Microsoft Teams"),
            SelectChoice("mail", lazy_gettext("Mail")),
            SelectChoice("webhook", lazy_gettext("Webhook")),
        ],
    )
    address = StringField(
        lazy_gettext("Address"),
        [Optional(), Length(max=limits(ChannelIn, "address")[1])],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
    least_level = RadioField(
        lazy_gettext("How bad"),
        choices=[SelectChoice(word, lazy_gettext(LEVEL_NAMES[word])) for word in LEVELS],
        default=LEVELS[0],
    )
    event_types = SelectMultipleCheckboxField(lazy_gettext("Events"), validate_choice=False)
    sites = SelectMultipleCheckboxField(lazy_gettext("Sites"), validate_choice=False)


def channel_form(
    known: Iterable[str], sent: MultiDict[str, str] | None = None, *, new: bool, **values: Any
) -> ChannelForm:
    """Return the form of a channel with the `known` sites to choose from, filled with `values`.

    Nothing chosen among events and sites is no limit.
    """
    form = ChannelForm(sent, **values)
    form.event_types.choices = [SelectChoice(word, tr(label)) for word, label in OF_CHANNELS.items()]
    form.sites.choices = [SelectChoice(name, name) for name in known]
    if new:
        form.address.validators = [InputRequired(), Length(max=limits(ChannelIn, "address")[1])]
        form.address.flags.optional, form.address.flags.required = False, True
    return form


def missed_form(
    sites: Iterable[str], zone: ZoneInfo, sent: MultiDict[str, str] | None = None, *, platform: bool
) -> MissedAlertForm:
    """Return the form; only a reader of all sites may leave the site out."""
    form = MissedAlertForm(sent)
    form.zone = zone
    form.site.choices = ([("", _("Platform"))] if platform else []) + [(name, name) for name in sites]
    return form
