"""What all forms share: messages in the reader's language, limits and checks from the input models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from annotated_types import Ge, Le, MaxLen, MinLen
from flask_babel import lazy_gettext
from pydantic import BaseModel, ValidationError
from wtforms import Form, IntegerField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.core import UnboundField
from wtforms.meta import DefaultMeta
from wtforms.validators import Length, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from console.domain.errors import DomainError
from console.ui.reader import locale

# A text that may be longer is written on several lines.
LINE = 300
Model = TypeVar("Model", bound=BaseModel)


class BaseForm(Form):
    """A form whose built-in messages are in the reader's language."""

    class Meta(DefaultMeta):
        cache_translations = False

        @property
        def locales(self) -> list[str]:
            """Return the language of the built-in messages."""
            return [locale()]


class SelectMultipleCheckboxField(SelectMultipleField):
    """Several choices as boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def span(model: type[BaseModel], name: str) -> tuple[int, int]:
    """Return the least and the greatest value of a number of an input model."""
    marks = list(model.model_fields[name].metadata)
    least = next(mark.ge for mark in marks if isinstance(mark, Ge))
    most = next(mark.le for mark in marks if isinstance(mark, Le))
    return int(str(least)), int(str(most))


def input_of(model: type[BaseModel], name: str, label: str) -> UnboundField[Any]:
    """Return the form field of a plain value of an input model, with its bounds: a number, a line, or longer text."""
    if int in get_args(model.model_fields[name].annotation):
        return IntegerField(lazy_gettext(label), [Optional(), NumberRange(*span(model, name))])
    _least, most = limits(model, name)
    more = {"maxlength": most} | ({"rows": 3} if most > LINE else {})
    kind = TextAreaField if most > LINE else StringField
    return kind(lazy_gettext(label), [Optional(), Length(max=most)], render_kw=more)


def limits(model: type[BaseModel], name: str) -> tuple[int, int]:
    """Return the least and the greatest length of a text field of an input model (-1 where there is none)."""
    marks = list(model.model_fields[name].metadata)
    least = next((mark.min_length for mark in marks if isinstance(mark, MinLen)), -1)
    most = next((mark.max_length for mark in marks if isinstance(mark, MaxLen)), -1)
    return least, most


def handed(form: Form, model: type[Model], values: Mapping[str, Any]) -> Model | None:
    """Return the input model made from a form that passed its own checks, or None with the errors at the fields."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for part in error.errors(include_url=False, include_context=False):
            _blame(form, str(part["loc"][0]) if part["loc"] else "", part["msg"])
        return None


def blame(form: Form, error: DomainError, field: str = "") -> None:
    """Put a refusal of the service to the field it concerns, or above the form."""
    parts: list[Any] = error.detail if isinstance(error.detail, list) else [{"loc": [field], "msg": error.detail}]
    for part in parts:
        _blame(form, str(part["loc"][-1]), part["msg"])


def _blame(form: Form, name: str, message: Any) -> None:
    from console.ui.errors import field_message, sentence

    text = sentence(message) if not isinstance(message, str) else field_message(message)
    if name in form:
        form[name].errors = [*form[name].errors, text]
    else:
        form.form_errors.append(text)
