"""The OpenAPI document as rows that a page can show without scripts of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class FieldRow:
    """A parameter or a member of a body: where it stands, its type in words, its bounds."""

    name: str
    where: str
    type: str
    required: bool
    note: str


@dataclass(frozen=True)
class AnswerRow:
    """One status code with the shape of its body."""

    status: str
    description: str
    shape: str
    fields: tuple[FieldRow, ...]


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    tag: str
    parameters: tuple[FieldRow, ...]
    body: tuple[FieldRow, ...]
    answers: tuple[AnswerRow, ...]


def operations(document: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    """Return the operations of a document by tag, in the order of their addresses."""
    schemas = document.get("components", {}).get("schemas", {})
    groups: dict[str, list[Operation]] = {}
    for path, methods in sorted(document.get("paths", {}).items()):
        for method in METHODS:
            if method in methods:
                made = _operation(path, method, methods[method], schemas)
                groups.setdefault(made.tag, []).append(made)
    return sorted(groups.items())


def _operation(path: str, method: str, said: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    parameters = tuple(_parameter(one, schemas) for one in said.get("parameters", ()))
    content = said.get("requestBody", {}).get("content", {})
    body = next((_fields(media.get("schema", {}), schemas, "body") for media in content.values()), ())
    answers = tuple(_answer(status, found, schemas) for status, found in said.get("responses", {}).items())
    return Operation(
        id=said.get("operationId", f"{method}-{path}"),
        method=method.upper(),
        path=path,
        summary=said.get("summary", ""),
        description=said.get("description", ""),
        tag=(said.get("tags") or ["other"])[0],
        parameters=parameters,
        body=body,
        answers=answers,
    )


def _parameter(said: Mapping[str, Any], schemas: Mapping[str, Any]) -> FieldRow:
    schema = said.get("schema", {})
    note = _note(schema, said.get("description", ""))
    return FieldRow(said["name"], said["in"], type_words(schema, schemas), bool(said.get("required")), note)


def _answer(status: str, said: Mapping[str, Any], schemas: Mapping[str, Any]) -> AnswerRow:
    media: Mapping[str, Any] = next(iter(said.get("content", {}).values()), {})
    schema = media.get("schema", {})
    item = schema.get("items", schema)
    return AnswerRow(status, said.get("description", ""), type_words(schema, schemas), _fields(item, schemas, "body"))


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> tuple[FieldRow, ...]:
    found = _resolved(schema, schemas)
    required = set(found.get("required", ()))
    return tuple(
        FieldRow(name, where, type_words(one, schemas), name in required, _note(one, one.get("description", "")))
        for name, one in found.get("properties", {}).items()
    )


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = _name(schema)
    return schemas.get(name, {}) if name else schema


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def type_words(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return a schema's type in words, such as "array of UserOut" or "integer or null"."""
    if name := _name(schema):
        return name
    if "enum" in schema:
        return " | ".join(str(word) for word in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(type_words(one, schemas) for one in schema[key]))
    if schema.get("type") == "array":
        return f"array of {type_words(schema.get('items', {}), schemas)}"
    return str(schema.get("type", "any"))


_BOUNDS = (
    ("minimum", "≥ {}"),
    ("maximum", "≤ {}"),
    ("exclusiveMinimum", "> {}"),
    ("exclusiveMaximum", "< {}"),
    ("minLength", "{} characters or more"),
    ("maxLength", "{} characters at most"),
    ("pattern", "matches {}"),
    ("format", "{}"),
)


def _note(schema: Mapping[str, Any], description: str) -> str:
    parts = [description] if description else []
    bounds = next((one for one in schema.get("anyOf", ()) if one.get("type") != "null"), schema)
    parts += [words.format(_plain(bounds[key])) for key, words in _BOUNDS if key in bounds]
    if schema.get("default") is not None:
        parts.append(f"default {schema['default']}")
    return "; ".join(parts)


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
