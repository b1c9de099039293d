"""Forms of policies, made from the fields of their kind: types, bounds and defaults stand there once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, FloatField, Form, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from console.domain.policies.policy import PolicyField
from console.forms.shared import BaseForm
from console.inputs.policies import REASON_MAX
from console.services.policies.kinds import PolicyKind
from console.ui.labels.automation import FieldWords

NUMBERS = {"int": IntegerField, "float": FloatField}


def form_of(
    kind: PolicyKind,
    words: Mapping[str, FieldWords],
    values: Mapping[str, Any],
    sent: MultiDict[str, str] | None = None,
    *,
    without: tuple[str, ...] = (),
) -> Form:
    """Return the form of a kind with its present values, or with what was sent."""
    fields = {one.name: _field(one, words[one.name]) for one in kind.fields if one.name not in without}
    fields["reason"] = TextAreaField(_("Reason"), [InputRequired(), Length(max=REASON_MAX)])
    fields["shadow"] = BooleanField(_("Try it in the shadow until it is decided"), default=True)
    form: Form = type("PolicyForm", (BaseForm,), fields)(sent, data=dict(values))
    return form


def _field(one: PolicyField, words: FieldWords) -> Field:
    label = f"{_(words.label)} ({_(words.unit)})" if words.unit else _(words.label)
    hint = _(words.hint) if words.hint else ""
    if one.kind == "bool":
        return BooleanField(label, description=hint)
    if one.kind == "choice":
        named = [SelectChoice(word, _(words.choices.get(word, word))) for word in one.choices]
        return SelectField(label, choices=named, description=hint)
    if one.kind == "text":
        return StringField(label, [Length(max=int(one.most or 200))], description=hint)
    # The browser gets the bounds from the validator.
    return NUMBERS[one.kind](label, [InputRequired(), NumberRange(one.least, one.most)], description=hint)


def sent_of(form: Form, kind: PolicyKind) -> dict[str, Any]:
    """Return what was filled in, as the policy reads it."""
    return {one.name: form[one.name].data for one in kind.fields if one.name in form}
