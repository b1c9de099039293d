"""The form of a job's options, made from the job's own options model: its fields, limits and defaults."""

from __future__ import annotations

from types import NoneType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from flask_babel import gettext as _
from pydantic.fields import FieldInfo
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, FloatField, Form, IntegerField, SelectField, StringField
from wtforms.validators import InputRequired, Optional

from console.domain.text import N_
from console.forms.shared import BaseForm
from console.services.jobs.job import Job

# Message ids of the names that options share; a model may give its own by `Field(title=…)`.
LABELS = {
    "keep_days": N_("Keep for days"),
    "keep_per_job": N_("Keep at least, of each job"),
    "limit": N_("Most at once"),
    "include_warnings": N_("Take warnings too"),
    "max_items": N_("Most items"),
    "month": N_("Month (YYYY-MM)"),
    "window": N_("Period"),
}

# Values that a form cannot ask for stay at their default; the API and the command line take them.
SIMPLE = (bool, int, float, str)


def form_of(job: Job, data: MultiDict[str, str] | None = None) -> Form:
    """Return the form of a job, empty or with what was sent."""
    fields = {name: made for name, info in job.options.model_fields.items() if (made := _field(name, info)) is not None}
    kind = type(f"{job.options.__name__}Form", (BaseForm,), fields)
    return kind(data)


def can_ask(job: Job) -> bool:
    """Return whether a form can ask for everything that the job must be told."""
    return all(_simple(info) for info in job.options.model_fields.values() if info.is_required())


def words_of(form: Form) -> dict[str, str]:
    """Return what was filled in, as texts for the options model; what is empty stays at its default."""
    words: dict[str, str] = {}
    for field in form:
        if isinstance(field, BooleanField):
            words[field.name] = "true" if field.data else "false"
        elif field.raw_data and (text := str(field.raw_data[0]).strip()):
            words[field.name] = text
    return words


def _kind(info: FieldInfo) -> tuple[Any, bool]:
    """Return the type of a value and whether it may be left out."""
    annotation = info.annotation
    members = [member for member in get_args(annotation) if member is not NoneType]
    if get_origin(annotation) not in (None, Literal) and NoneType in get_args(annotation) and len(members) == 1:
        return members[0], True
    return annotation, not info.is_required()


def _simple(info: FieldInfo) -> bool:
    kind = _kind(info)[0]
    return kind in SIMPLE or get_origin(kind) is Literal


def _field(name: str, info: FieldInfo) -> Field | None:
    kind, optional = _kind(info)
    label = _(info.title or LABELS.get(name) or name.replace("_", " ").capitalize())
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    given: dict[str, Any] = {"description": _(info.description) if info.description else "", "default": default}
    limits = [Optional()] if optional else [InputRequired()]
    if get_origin(kind) is Literal:
        blank = [("", "–")] if default is None else []
        choices = blank + [(str(word), str(word)) for word in get_args(kind)]
        return SelectField(label, choices=choices, validate_choice=False, **given)
    if not _simple(info):
        return None
    if kind is bool:
        return BooleanField(label, false_values=("false", "", "0"), **given)
    if kind in (int, float):
        limits_of = {"min": _bound(info, Ge, "ge"), "max": _bound(info, Le, "le")}
        render = {key: value for key, value in limits_of.items() if value is not None}
        made = IntegerField if kind is int else FloatField
        return made(label, limits, render_kw=render, **given)
    longest = _bound(info, MaxLen, "max_length")
    return StringField(label, limits, render_kw={"maxlength": longest or 200}, **given)


def _bound(info: FieldInfo, kind: type, name: str) -> Any:
    return next((getattr(mark, name) for mark in info.metadata if isinstance(mark, kind)), None)
