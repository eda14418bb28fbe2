"""The calls of the OpenAPI document, as the pages show them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from liaison.api.docs import snippets
from liaison.api.docs.examples import EXAMPLES, NEEDS
from liaison.api.docs.schemas import Field, fields, parameter, sample

TYPES: Mapping[str, tuple[str, ...]] = {
    "400": ("malformed",),
    "401": ("unauthenticated",),
    "403": ("forbidden",),
    "404": ("not-found",),
    "405": ("method-not-allowed",),
    "409": ("invalid-transition", "stale"),
    "412": ("stale",),
    "413": ("too-large",),
    "415": ("unsupported-media-type",),
    "422": ("validation",),
    "428": ("precondition-required",),
    "429": ("rate-limited",),
    "500": ("error",),
    "503": ("busy",),
}
"""The problem types behind each status; each is a page under ``/problems/``."""


@dataclass(frozen=True)
class Answer:
    """One status, what it means, and the problem types that the meaning does not name."""

    status: str
    meaning: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call, as a page shows it. ``like`` is the call whose page shows the same answer."""

    id: str
    verb: str
    path: str
    group: str
    summary: str
    meaning: str
    scope: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answer: tuple[Field, ...]
    answers: tuple[Answer, ...]
    needs: str
    variables: tuple[str, ...]
    curl: str
    python: str
    sent: str
    example: str
    like: str


def calls(document: Mapping[str, Any]) -> list[Call]:
    """All of them, in the order of their examples: what comes first in a reader's day."""
    shown, order = _shown(document), list(EXAMPLES)
    found = [
        _call(document, path, verb, operation, shown)
        for path, item in document["paths"].items()
        for verb, operation in item.items()
    ]
    return sorted(found, key=lambda call: order.index(call.id))


def slug(tag: str) -> str:
    """A group's part of an address."""
    return tag.lower().replace(" ", "-")


def _shown(document: Mapping[str, Any]) -> dict[str, str]:
    """Which call shows the fields of which model: the last one that fetches it alone."""
    found: dict[str, str] = {}
    for item in document["paths"].values():
        for verb, operation in item.items():
            name = _answer(operation).get("schema", {}).get("$ref", "")
            if verb == "get" or name not in found:
                found[name] = operation["operationId"]
    return found


def _call(
    document: Mapping[str, Any],
    path: str,
    verb: str,
    operation: Mapping[str, Any],
    shown: Mapping[str, str],
) -> Call:
    schemas, example = document["components"]["schemas"], EXAMPLES[operation["operationId"]]
    body, answer = _json(operation.get("requestBody", {})), _answer(operation)
    like = shown.get(answer.get("schema", {}).get("$ref", ""), "")
    call = snippets.sent(path, verb, operation, example)
    alone = like in ("", operation["operationId"])
    return Call(
        id=operation["operationId"],
        verb=verb,
        path=path,
        group=slug(operation["tags"][0]),
        summary=operation["summary"],
        meaning=operation["description"],
        scope=_scopes(operation),
        parameters=tuple(parameter(schemas, p) for p in operation.get("parameters", [])),
        body=tuple(fields(schemas, body.get("schema", {}))),
        answer=tuple(fields(schemas, answer.get("schema", {}))) if alone else (),
        answers=tuple(
            Answer(status, told["description"], _unsaid(status, told["description"]))
            for status, told in operation["responses"].items()
        ),
        needs=NEEDS[example.needs],
        variables=call.names,
        curl=snippets.curl(call),
        python=snippets.python(call),
        sent="" if call.body is None else written(call.body),
        example=written(sample(schemas, answer["schema"])) if alone and "schema" in answer else "",
        like="" if alone else like,
    )


def written(value: Any) -> str:
    """JSON for a reader."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _unsaid(status: str, meaning: str) -> tuple[str, ...]:
    """The problem types that the meaning does not name by itself."""
    return tuple(kind for kind in TYPES.get(status, ()) if f"`{kind}`" not in meaning)


def _scopes(operation: Mapping[str, Any]) -> str:
    return ", ".join(
        scope
        for need in operation.get("security", [])
        for scopes in need.values()
        for scope in scopes
    )


def _answer(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body of the good answer; empty where it has none or is no JSON."""
    good = min(status for status in operation["responses"] if status.startswith("2"))
    return _json(operation["responses"][good])


def _json(part: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = part.get("content", {}).get("application/json", {})
    # A file that happens to be JSON is handed out as bytes.
    return {} if found.get("schema", {}).get("format") == "binary" else found
