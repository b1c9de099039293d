"""What all forms share: messages in the reader's language, limits and checks from the input models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from annotated_types import MaxLen, MinLen
from flask_babel import gettext as _
from pydantic import BaseModel, ValidationError
from wtforms import Form, SelectMultipleField
from wtforms.meta import DefaultMeta
from wtforms.widgets import CheckboxInput, ListWidget

from console.domain.errors import DomainError
from console.ui.reader import locale

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
    from console.ui.errors import sentence

    text = sentence(message) if not isinstance(message, str) else _(message)
    if name in form:
        form[name].errors = [*form[name].errors, text]
    else:
        form.form_errors.append(text)
