"""The sample form of the component gallery."""

from __future__ import annotations

from flask_babel import lazy_gettext
from wtforms import BooleanField, DateField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from console.forms.shared import BaseForm


class SampleForm(BaseForm):
    """Every kind of field once."""

    title = StringField(
        lazy_gettext("Title"),
        [InputRequired(), Length(max=120)],
        description=lazy_gettext("What is to be done, in a few words"),
    )
    site = SelectField(
        lazy_gettext("Site"), choices=[SelectChoice("a", "한빛마을 3단지"), SelectChoice("b", "강남 센터원")]
    )
    due = DateField(lazy_gettext("Due"), [Optional()])
    hours = IntegerField(lazy_gettext("Hours"), [Optional(), NumberRange(0, 168)])
    priority = RadioField(
        lazy_gettext("Priority"),
        choices=[SelectChoice("high", lazy_gettext("High")), SelectChoice("medium", lazy_gettext("Medium"))],
        default="medium",
    )
    notify = BooleanField(lazy_gettext("Notify the assignee"))
    note = TextAreaField(lazy_gettext("Note"), [Optional(), Length(max=500)])
