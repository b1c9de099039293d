"""Bases of all input and output models: what is refused everywhere, and how times are written."""

from __future__ import annotations

import re
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from console.core.serialize import iso
from console.domain.entered import entered, entered_value
from console.domain.ids import row_id


def _from_text(value: Any) -> Any:
    # Numbers would otherwise be read as seconds since 1970.
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 date and time")
    try:
        return datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError("must be an ISO 8601 date and time") from None


def _as_utc(value: datetime) -> datetime:
    # Published rule: an instant without zone is read as UTC.
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the calendar") from error


# An id in an address: what is no number is refused, what no row can have is simply not found (API contract, 5).
RowId = Annotated[int, AfterValidator(row_id)]
InstantIn = Annotated[datetime, BeforeValidator(_from_text), AfterValidator(_as_utc)]
Instant = Annotated[datetime, PlainSerializer(iso, return_type=str, when_used="json")]


SITE_LIMIT = 120


SiteName = Annotated[str, Field(min_length=1, max_length=SITE_LIMIT)]
# Published rule: a blank site is none, which is all that the caller may see.
SiteFilter = Annotated[
    Annotated[str, Field(max_length=SITE_LIMIT)] | None,
    BeforeValidator(lambda value: entered(value) or None if isinstance(value, str) else value),
]


# A body that is any JSON object, within the same limits as all others.
AnyObject = Annotated[dict[str, Any], BeforeValidator(entered_value)]


class _Input(BaseModel):
    """Input whose texts are as they are stored."""

    @model_validator(mode="before")
    @classmethod
    def _entered(cls, data: Any) -> Any:
        return entered_value(data) if isinstance(data, dict) else data


class _Cached(_Input):
    """Model whose JSON schema is made once; the router asks for it on every request."""

    @classmethod
    @cache
    def _schema_once(cls) -> dict[str, Any]:
        return super().model_json_schema()

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the JSON schema; the plain form comes from a cache."""
        return cls._schema_once() if not args and not kwargs else super().model_json_schema(*args, **kwargs)


# Set for requests of old clients, whose unknown fields are passed over (API_UNKNOWN_FIELDS).
unknown_fields_pass: ContextVar[bool] = ContextVar("unknown_fields_pass", default=False)


class BodyModel(_Input):
    """JSON body: unknown fields are refused, booleans and numbers are taken as such only, no NaN or Infinity.

    A misspelt `dry_run` must not make a real run. Use `Literal` for words and `InstantIn` for instants: strict models
    take no Enum or datetime from text.
    """

    @model_validator(mode="before")
    @classmethod
    def _pass_over(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not unknown_fields_pass.get():
            return data
        known = {name for key, one in cls.model_fields.items() for name in (key, one.alias) if name}
        return {name: value for name, value in data.items() if name in known}

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, str_strip_whitespace=False)


_WORDS = {"true": True, "false": False}
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class WrittenBody(BodyModel):
    """JSON body whose numbers and booleans may be written as text: `"20"` and `"true"` (API contract, conventions).

    Nothing else is converted: neither `1` to true nor true to a number.
    """

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        kinds = _kinds(cls)
        return {name: _read(value, kinds[name]) if name in kinds else value for name, value in data.items()}


@cache
def _kinds(model: type[BaseModel]) -> dict[str, frozenset[type]]:
    """Return the plain types of each field."""
    return {name: frozenset(_parts(field.annotation)) for name, field in model.model_fields.items()}


def _parts(hint: Any) -> list[type]:
    if inner := get_args(hint):
        return [part for one in inner for part in _parts(one)]
    return [hint] if isinstance(hint, type) else []


def _read(value: Any, kinds: frozenset[type]) -> Any:
    if not isinstance(value, str) or str in kinds:
        return value
    if bool in kinds:
        return _WORDS.get(value.lower(), value)
    if int in kinds and _WHOLE.fullmatch(value):
        return int(value)
    return float(value) if float in kinds and _NUMBER.fullmatch(value) else value


class QueryModel(_Cached):
    """Query string: words are converted (`yes`, `1`, `on`), unknown names ignored."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False)


class PathModel(_Cached):
    """Path parameters."""

    model_config = ConfigDict(extra="ignore")


class OutModel(BaseModel):
    """Answer: read from a dataclass, written with the model's key order."""

    model_config = ConfigDict(from_attributes=True)
