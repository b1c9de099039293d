"""The form of a missed alert; limits come from the input model of the API."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict
from wtforms import DateTimeLocalField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from console.domain.local_time import LocalTimeError, instant_of
from console.forms.shared import BaseForm, limits
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


def missed_form(
    sites: Iterable[str], zone: ZoneInfo, sent: MultiDict[str, str] | None = None, *, platform: bool
) -> MissedAlertForm:
    """Return the form; only a reader of all sites may leave the site out."""
    form = MissedAlertForm(sent)
    form.zone = zone
    form.site.choices = ([("", _("Platform"))] if platform else []) + [(name, name) for name in sites]
    return form
