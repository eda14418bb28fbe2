"""The OpenAPI document, from the views and the models: all that a program can send and be told."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask_openapi3.models import (
    OPENAPI3_REF_TEMPLATE,
    APISpec,
    Components,
    Info,
    PathItem,
    SecurityScheme,
    Server,
)

from liaison.api import headers, problem_examples, scopes
from liaison.api.blueprint import TAGS, api
from liaison.api.knocks import knocks
from liaison.api.shapes import Problem
from liaison.api.webhook_shapes import WebhookBody

ABOUT = (
    "For a provider's programs: read the stream of what happened, fetch orders, acknowledge, "
    "confirm preservation, decline, keep webhooks. For a contact point's case system, under "
    "`/authority`: draft, submit and follow orders; a key never authorises or issues one. JSON in "
    "UTF-8; times in RFC 3339, UTC; ids are UUIDs. Unknown fields and parameters are errors. "
    "Errors are `application/problem+json` (RFC 9457)."
)
CSV_EXAMPLE = (
    "id,outcome,until,note\r\n"
    "019abc00-0000-7000-8000-000000000002,partial,2027-02-21 12:00,The log begins at 03:00 UTC.\r\n"
)

_SCHEME = SecurityScheme(
    type="http",
    scheme="bearer",
    description=(
        "`Authorization: Bearer lsn_…`. A key belongs to one provider, or to one contact point. It "
        "has scopes: "
        + "; ".join(f"`{scope}`: {words}" for scope, words in scopes.WORDS.items())
        + ". Each call names the one it needs."
    ),
)


@cache
def spec(base_url: str) -> dict[str, Any]:
    """The OpenAPI document; nothing of the portal is in it."""
    document = APISpec(
        openapi="3.1.0",
        info=Info(title="Liaison", version="1", description=ABOUT),
        servers=[Server(url=base_url)],
        tags=list(TAGS),
        paths=_ordered(),
        components=Components(schemas=_schemas(), securitySchemes={"key": _SCHEME}),
    )
    made = document.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    # The framework keeps limits as floats; whole numbers read better.
    whole: dict[str, Any] = json.loads(json.dumps(made), parse_float=_whole)
    for path in whole["paths"].values():
        for verb, operation in path.items():
            _complete(verb, operation, whole["components"]["schemas"])
    whole["components"]["headers"] = headers.received()
    whole["components"]["examples"] = problem_examples.all_of(base_url)
    whole["webhooks"] = knocks()
    return whole


def _ordered() -> dict[str, Any]:
    order = [tag.name for tag in TAGS]
    return dict(sorted(api.paths.items(), key=lambda item: order.index(_tag(item[1]))))


def _tag(path: PathItem) -> str:
    operation = path.get or path.post or path.put
    assert operation is not None, "a path has a call"
    assert operation.tags, "a call has a tag"
    return operation.tags[0]


def _whole(text: str) -> int | float:
    return int(float(text)) if float(text).is_integer() else float(text)


def _complete(verb: str, operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Adds what the framework cannot know: headers, a second content type, what an answer is."""
    operation.pop("deprecated", None)
    headers.add(verb, operation)
    if operation["operationId"] == "confirmPreservation":
        operation["requestBody"]["content"]["text/csv"] = {
            "schema": {"type": "string"},
            "example": CSV_EXAMPLE,
        }
    for status, response in operation["responses"].items():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if status.startswith("2") and name:
            response["description"] = schemas[name]["description"]


def _schemas() -> dict[str, Any]:
    """The models' JSON Schemas; the problem is named by every route and described once."""
    found: dict[str, Any] = {}
    for model in (Problem, WebhookBody):
        told = model.model_json_schema(ref_template=OPENAPI3_REF_TEMPLATE)
        found |= {**told.pop("$defs", {}), model.__name__: told}
    return {**api.components_schemas, **found}
