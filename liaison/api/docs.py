"""``/api/docs``: the reference as a plain page, made from the OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from liaison.api.specification import spec
from liaison.web import settings

bp = Blueprint("api_docs", __name__)


@dataclass(frozen=True)
class Field:
    """One parameter or field: its name, type, meaning and the words it may hold."""

    name: str
    type: str
    needed: bool
    meaning: str
    words: tuple[str, ...]
    depth: int = 0


@dataclass(frozen=True)
class Call:
    """One call, as the page shows it."""

    id: str
    verb: str
    path: str
    summary: str
    meaning: str
    scope: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    answers: tuple[tuple[str, str], ...]
    curl: str
    example: str


@bp.get("/api/docs")
def docs() -> ResponseReturnValue:
    """The reference."""
    document = spec(settings().base_url)
    groups: dict[str, list[Call]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            groups[operation["tags"][0]].append(_call(document, path, verb, operation))
    schemas = document["components"]["schemas"]
    return render_template(
        "api/docs.html",
        document=document,
        groups=groups,
        base_url=settings().base_url,
        knocks=_knocks(document),
        knock=_fields(schemas, schemas["WebhookBody"]),
        knock_example=_knock_example(document),
        problem=_fields(schemas, schemas["Problem"]),
        problem_example=json.dumps(_problem(), indent=2, ensure_ascii=False),
    )


def _knocks(document: dict[str, Any]) -> dict[str, tuple[Field, ...]]:
    """Headers that a webhook is sent, and the types of event with their meanings."""
    told = document["webhooks"]
    first: dict[str, Any] = next(iter(told.values()))["post"]
    return {
        "headers": tuple(_parameter(p) for p in first["parameters"]),
        "events": tuple(Field(t, "", False, told[t]["post"]["summary"], ()) for t in told),
    }


def _knock_example(document: dict[str, Any]) -> str:
    body = document["webhooks"]["order.issued"]["post"]["requestBody"]
    return json.dumps(_body(body)["example"], indent=2, ensure_ascii=False)


def _problem() -> dict[str, Any]:
    return {
        "type": f"{settings().base_url}/problems/validation",
        "title": "The input is not valid",
        "status": 422,
        "detail": "There is a problem with 1 field.",
        "instance": "urn:liaison:request:019abc00000070008000000000000001",
        "errors": [{"pointer": "/days", "detail": "Give a whole number."}],
    }


def _call(document: dict[str, Any], path: str, verb: str, operation: dict[str, Any]) -> Call:
    schemas = document["components"]["schemas"]
    body, answer = _body(operation.get("requestBody")), _body(_good(operation))
    scopes = [scope for need in operation.get("security", []) for scope in need.get("key", [])]
    return Call(
        id=operation["operationId"],
        verb=verb,
        path=path,
        summary=operation["summary"],
        meaning=operation["description"],
        scope=", ".join(scopes),
        parameters=tuple(_parameter(p) for p in operation.get("parameters", [])),
        body=tuple(_fields(schemas, body.get("schema", {}))),
        answer=tuple(_fields(schemas, answer.get("schema", {}))),
        answers=tuple((code, r["description"]) for code, r in operation["responses"].items()),
        curl=_curl(path, verb, operation, body.get("example")),
        example=_example(schemas, answer) if verb == "get" else "",
    )


def _good(operation: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a call that did what it is for."""
    return next((r for s, r in operation["responses"].items() if s.startswith("2")), None)


def _body(part: dict[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = (part or {}).get("content", {}).get("application/json", {})
    return found


def _parameter(parameter: dict[str, Any]) -> Field:
    schema = parameter["schema"]
    return Field(
        parameter["name"],
        f"{parameter['in']}, {_type(schema)}",
        bool(parameter.get("required")),
        parameter.get("description", ""),
        (),
    )


def _fields(
    schemas: dict[str, Any], schema: dict[str, Any], prefix: str = "", depth: int = 0
) -> list[Field]:
    """A model's fields, those of its inner models after each, indented."""
    model = _resolved(schemas, schema)
    found: list[Field] = []
    for name, inner in model.get("properties", {}).items():
        core = _core(inner)
        words = tuple(_resolved(schemas, core).get("enum", ()))
        kind = _type(inner) if not words else "word" + (" or null" if _nullable(inner) else "")
        needed = name in model.get("required", [])
        meaning = inner.get("description", "")
        found.append(Field(prefix + name, kind, needed, meaning, words, depth))
        if depth < 3 and not words:
            mark = "[]." if _is_list(inner) else "."
            found += _fields(schemas, core, f"{prefix}{name}{mark}", depth + 1)
    return found


def _example(schemas: dict[str, Any], answer: dict[str, Any]) -> str:
    if "schema" not in answer:
        return ""
    return json.dumps(_sample(schemas, answer["schema"]), indent=2, ensure_ascii=False)


def _sample(schemas: dict[str, Any], schema: dict[str, Any]) -> Any:
    """An answer made of the fields' own examples."""
    model = _resolved(schemas, _core(schema))
    if "properties" in model and schema.get("example", {}) is not None:
        inner = {name: _sample(schemas, s) for name, s in model["properties"].items()}
        return [inner] if _is_list(schema) else inner
    return schema.get("example")


def _resolved(schemas: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schemas[name] if name else schema
    return found


def _choices(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [s for s in schema.get("anyOf", [schema]) if s.get("type") != "null"]


def _nullable(schema: dict[str, Any]) -> bool:
    return any(s.get("type") == "null" for s in schema.get("anyOf", []))


def _is_list(schema: dict[str, Any]) -> bool:
    return any(s.get("type") == "array" for s in _choices(schema))


def _core(schema: dict[str, Any]) -> dict[str, Any]:
    first = _choices(schema)[0]
    inner: dict[str, Any] = first.get("items", first)
    return inner


_NAMES = {"integer": "whole number", "string": "text", "boolean": "true or false"}
_FORMATS = {"date-time": "moment (RFC 3339)", "uuid": "UUID", "date": "day"}


def _type(schema: dict[str, Any]) -> str:
    names = []
    for choice in _choices(schema):
        kind = choice.get("type", "object")
        if kind == "array":
            names.append("list")
        else:
            names.append(_FORMATS.get(choice.get("format", ""), _NAMES.get(kind, kind)))
    return " or ".join([*names, *(["null"] if _nullable(schema) else [])])


_NAMED = {"order": "$ORDER", "attachment": "$ATTACHMENT", "webhook": "$WEBHOOK"}
_QUERIES = {"listEvents": "?after=0&limit=100", "listOrders": "?state=issued"}


def _curl(path: str, verb: str, operation: dict[str, Any], example: Any) -> str:
    """A call that runs as it stands once the two settings and the ids it names are there."""
    place = path.replace("{delivery}", "$DELIVERY")
    for name, shown in _NAMED.items():
        place = place.replace(f"{{{name}}}", shown)
    lines = [f'curl -sS "$LIAISON_URL{place}{_QUERIES.get(operation["operationId"], "")}"']
    if operation.get("security"):
        lines.append('-H "Authorization: Bearer $LIAISON_KEY"')
    if verb in ("put", "patch", "delete"):
        lines[0] = lines[0].replace("curl -sS", f"curl -sS -X {verb.upper()}")
    if operation["operationId"] == "changeDraft":
        lines.append('-H "If-Match: $ETAG"')
    if verb == "post":
        whom = next((shown for shown in _NAMED.values() if shown in place), "1")
        lines.append(f'-H "Idempotency-Key: {path.rpartition("/")[2]}-{whom}"')
    if verb in ("post", "put", "patch"):
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(example, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)
