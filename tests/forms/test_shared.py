"""Form fields that are made from the input model of their value."""

import pytest
from pydantic import Field
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField, TextAreaField

from console.forms.shared import LINE, input_of
from console.inputs.base import BodyModel


class Sent(BodyModel):
    """A number, a line and a longer text."""

    cost: int | None = Field(None, ge=0, le=100)
    line: str | None = Field(None, max_length=LINE)
    note: str | None = Field(None, max_length=LINE + 1)


class SentForm(Form):
    """The form of it."""

    cost = input_of(Sent, "cost", "Cost")
    line = input_of(Sent, "line", "Line")
    note = input_of(Sent, "note", "Note")


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [
        ({"cost": "100", "line": "a" * LINE, "note": "a" * (LINE + 1)}, set()),
        ({"cost": "", "line": "", "note": ""}, set()),
        ({"cost": "101"}, {"cost"}),
        ({"cost": "-1"}, {"cost"}),
        ({"cost": "x"}, {"cost"}),
        ({"line": "a" * (LINE + 1), "note": "a" * (LINE + 2)}, {"line", "note"}),
    ],
)
def test_a_field_obeys_the_bounds_of_its_input_model(app, sent, wrong):
    form = SentForm(MultiDict(sent))
    with app.test_request_context():
        form.validate()
        assert set(form.errors) == wrong


def test_a_number_is_a_number_and_a_long_text_has_several_lines():
    form = SentForm(MultiDict({"cost": "7"}))

    assert form.cost.data == 7
    assert isinstance(form.line, StringField)
    assert not isinstance(form.line, TextAreaField)
    assert isinstance(form.note, TextAreaField)
    assert (form.line.render_kw, form.note.render_kw) == ({"maxlength": LINE}, {"maxlength": LINE + 1, "rows": 3})
