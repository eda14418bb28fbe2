"""JSON Schemas of the OpenAPI document, read for people: fields in words, and whole samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

DEEPEST = 3
"""How many models within models a list of fields goes down."""


@dataclass(frozen=True)
class Field:
    """One parameter or field: its name, type, meaning and the words it may hold."""

    name: str
    type: str
    needed: bool
    meaning: str
    words: tuple[str, ...]
    depth: int = 0


def parameter(schemas: Schema, given: Schema) -> Field:
    """A parameter of path, query or header."""
    schema = given["schema"]
    words = tuple(resolved(schemas, _core(schema)).get("enum", ()))
    return Field(
        given["name"],
        f"{given['in']}, {'word' if words else _type(schema)}",
        bool(given.get("required")),
        given.get("description", ""),
        words,
    )


def fields(schemas: Schema, schema: Schema, prefix: str = "", depth: int = 0) -> list[Field]:
    """A model's fields, those of its inner models after each, indented."""
    model = resolved(schemas, _core(schema))
    found: list[Field] = []
    for name, inner in model.get("properties", {}).items():
        core = _core(inner)
        words = tuple(resolved(schemas, core).get("enum", ()))
        kind = _type(inner) if not words else "word" + (" or null" if _nullable(inner) else "")
        needed = name in model.get("required", [])
        meaning = inner.get("description", "")
        found.append(Field(prefix + name, kind, needed, meaning, words, depth))
        if depth < DEEPEST and not words:
            mark = "[]." if _is_list(inner) else "."
            found += fields(schemas, core, f"{prefix}{name}{mark}", depth + 1)
    return found


def sample(schemas: Schema, schema: Schema) -> Any:
    """An answer made of the fields' own examples."""
    model = resolved(schemas, _core(schema))
    if "properties" in model and schema.get("example", {}) is not None:
        inner = {name: sample(schemas, s) for name, s in model["properties"].items()}
        return [inner] if _is_list(schema) else inner
    return schema.get("example")


def resolved(schemas: Schema, schema: Schema) -> Schema:
    """The model that a schema names, or the schema itself."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Schema = schemas[name] if name else schema
    return found


def _choices(schema: Schema) -> list[Schema]:
    return [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]


def _nullable(schema: Schema) -> bool:
    return any(s.get("type") == "null" for s in schema.get("anyOf", []))


def _is_list(schema: Schema) -> bool:
    return any(s.get("type") == "array" for s in _choices(schema))


def _core(schema: Schema) -> Schema:
    first = _choices(schema)[0]
    inner: Schema = first.get("items", first)
    return inner


_NAMES = {"integer": "whole number", "string": "text", "boolean": "true or false"}
_FORMATS = {"date-time": "moment (RFC 3339)", "uuid": "UUID", "date": "day"}


def _type(schema: Schema) -> str:
    names = []
    for choice in _choices(schema):
        kind = choice.get("type", "object")
        if kind == "array":
            names.append("list")
        else:
            names.append(_FORMATS.get(choice.get("format", ""), _NAMES.get(kind, str(kind))))
    return " or ".join([*names, *(["null"] if _nullable(schema) else [])])
