"""Answer models made from the rows and results of services, so that the shape of an answer stands in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from functools import cache
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, RootModel, create_model

from console.core.i18n import DEFAULT_LOCALE, text_in
from console.core.records import entries, published
from console.core.serialize import plain
from console.domain.text import Text
from console.inputs.base import Instant, OutModel

# Sentences are English in answers; pages show them in the reader's language.
Sentence = Annotated[str, BeforeValidator(str)]


def _open(value: Any) -> Any:
    """Write a value of any kind as answers do; what an item is called is Korean, like its published `action`."""
    if isinstance(value, Mapping):
        if value.keys() == {"msgid", "params"}:
            return text_in(DEFAULT_LOCALE, value)
        return {key: _open(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_open(one) for one in value]
    return plain(value)


Open = Annotated[Any, BeforeValidator(_open)]


def _complete(schema: dict[str, Any]) -> None:
    # An answer has every key, whatever its row has when nobody says otherwise.
    schema["required"] = list(schema["properties"])
    for one in schema["properties"].values():
        one.pop("default", None)


class RowModel(OutModel):
    """Base of the answers that are made from a row or a result."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=_complete)


class RunModel(OutModel):
    """Base of run answers: a run that broke off tells why beside the keys of its job, which are null then."""

    model_config = ConfigDict(from_attributes=True, extra="allow")


@cache
def shape(kind: type[Any], name: str = "", *, whole: bool = False, **more: Any) -> type[OutModel]:
    """Return the model of a dataclass: its published fields in their order, nested ones too.

    `whole` adds those that are not published elsewhere; `more` are types of further ones.
    """
    definitions = _fields(kind, whole=whole) | {key: (one, ...) for key, one in more.items()}
    name = name or f"{kind.__name__.removesuffix('View')}Out"
    return create_model(name, __base__=RowModel, __doc__=_told(kind), **definitions)


def joined(model: type[OutModel], row: Any, **more: Any) -> OutModel:
    """Return the answer of a row with further values beside its own."""
    own = {name: getattr(row, name) for name in model.model_fields if name not in more}
    return model.model_validate(own | more)


@cache
def array(kind: type[BaseModel], name: str) -> type[BaseModel]:
    """Return the model of a bare array of answers."""
    listed: Any = GenericAlias(list, (kind,))
    return create_model(name, __base__=RootModel[listed], __doc__=f"A bare array of {kind.__name__}.")


@cache
def run_shape(kind: type[Any], name: str, *, without: tuple[str, ...] = ()) -> type[OutModel]:
    """Return the model of a run's answer: the fields of the run, then those of its result."""
    definitions: dict[str, Any] = {
        "run_id": (int, ...),
        "job_name": (str, ...),
        "trigger": (str, ...),
        "status": (Literal["success", "warning", "critical"], ...),
        "started_at": (Instant, ...),
        "finished_at": (Instant, ...),
    }
    for key, (value, _default) in _fields(kind).items():
        if key not in without:
            definitions[key] = (value | None, None)
    return create_model(name, __base__=RunModel, __doc__=_told(kind), **definitions)


def _told(kind: type[Any]) -> str:
    return (kind.__doc__ or "").strip().split("\n")[0]


def _fields(kind: Any, *, whole: bool = False) -> dict[str, Any]:
    defaults = {one.name: _default(one) for one in fields(kind)}
    found = entries(kind).values() if whole else published(kind)
    return {one.name: (one.fact.answer or _type(one.type), defaults.get(one.name, ...)) for one in found}


def _default(one: Field[Any]) -> Any:
    if one.default is not MISSING:
        return one.default
    return ... if one.default_factory is MISSING else one.default_factory()


def _type(hint: Any) -> Any:
    if hint is Any:
        return Open
    if hint is datetime:
        return Instant
    if hint is Text:
        return Sentence
    if isinstance(hint, type) and is_dataclass(hint):
        return shape(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        parts = [_type(part) for part in inner if part is not NoneType]
        made: Any = parts[0]
        for part in parts[1:]:
            made = made | part
        return made | None if NoneType in inner else made
    if origin in (tuple, list, Sequence):
        return GenericAlias(list, (_type(inner[0]),))
    if origin in (dict, Mapping):
        return GenericAlias(dict, (inner[0], _type(inner[1])))
    return hint
