"""The endpoint described: whose key it is, and the OpenAPI document."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from flask import Response
from flask_openapi3.models import (
    OPENAPI3_REF_TEMPLATE,
    APISpec,
    Components,
    Info,
    PathItem,
    SecurityScheme,
    Server,
)

from liaison.api import access, answering
from liaison.api.blueprint import ACCOUNT, TAGS, api, problems
from liaison.api.reading import reads
from liaison.api.shapes import Problem, WhoAmI
from liaison.clock import rfc3339
from liaison.models import ApiKey
from liaison.web import settings

ABOUT = (
    "For a provider's programs: read the stream of what happened, fetch orders, acknowledge, "
    "confirm preservation, decline. For a contact point's case system, under `/authority`: draft, "
    "submit and follow orders; a key never authorises or issues one. JSON in UTF-8; times in "
    "RFC 3339, UTC; ids are UUIDs. Unknown fields and parameters are errors. Errors are "
    "`application/problem+json` (RFC 9457)."
)


@api.get(
    "/whoami",
    operation_id="whoAmI",
    summary="Whose key is this?",
    description="The key's provider, its scopes and its expiry: the first call to try.",
    tags=[ACCOUNT],
    security=[{"key": ["read"]}],
    responses={200: WhoAmI, **problems()},
)
@reads
def whoami() -> Response:
    """The key that asks."""
    return answering.answer(answering.text(told_of_key("provider", access.key())))


def told_of_key(kind: str, key: ApiKey) -> dict[str, Any]:
    """A key and its organisation, which is a ``provider`` or an ``authority``."""
    return {
        kind: {"id": str(key.owner.id), "name": key.owner.name},
        "key": {"id": str(key.id), "name": key.name, "prefix": key.prefix},
        "scopes": key.scopes,
        "expires_at": rfc3339(key.expires_at) if key.expires_at else None,
    }


@api.get(
    "/openapi.json",
    operation_id="specification",
    summary="This description",
    description="The OpenAPI 3.1 document of this version. No key is needed.",
    tags=[ACCOUNT],
    responses={200: {"description": "OpenAPI 3.1.", "content": {"application/json": {}}}},
)
@reads
def specification() -> Response:
    """The OpenAPI document."""
    return answering.answer(answering.text(spec(settings().base_url)), cache="public, max-age=300")


@cache
def spec(base_url: str) -> dict[str, Any]:
    """The OpenAPI document, from the views and the models; nothing of the portal is in it."""
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
        for operation in path.values():
            _complete(operation, whole["components"]["schemas"])
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


def _complete(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Adds what the framework cannot know: headers, and what a good answer is."""
    operation.pop("deprecated", None)
    sent, received = HEADERS.get(operation["operationId"], ((), ()))
    if sent:
        operation["parameters"] = operation.get("parameters", []) + [_header(n) for n in sent]
    good = next(told for status, told in operation["responses"].items() if status in _GOOD)
    if received:
        good["headers"] = {
            n: {k: _header(n)[k] for k in ("description", "schema")} for n in received
        }
    name = good["content"]["application/json"].get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name:
        good["description"] = schemas[name]["description"]


def _header(name: str) -> dict[str, Any]:
    meaning, example = _MEANINGS[name]
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": meaning,
        "schema": {"type": "string", "example": example},
    }


_GOOD = ("200", "201")

_MEANINGS = {
    "Idempotency-Key": (
        "1 to 255 visible ASCII characters of your own making; the answer is kept for 30 days.",
        "acknowledgement-EM-2026-0412",
    ),
    "Idempotency-Replayed": (
        "true where this answer was given before and nothing was done.",
        "true",
    ),
    "If-Match": ("The version you read; 412 where the order has moved on.", '"3"'),
    "If-None-Match": ("The ETag you have; 304 where nothing is new.", '"3"'),
    "ETag": ("The version of this answer.", '"3"'),
    "Location": (
        "Where the new draft is.",
        "/api/v1/authority/orders/019abc00-0000-7000-8000-000000000001",
    ),
    "X-Poll-Interval": ("Seconds until you should ask again.", "30"),
}

_POST = (("Idempotency-Key", "If-Match"), ("ETag", "Idempotency-Replayed"))

HEADERS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "listEvents": (("If-None-Match",), ("ETag", "X-Poll-Interval")),
    "getOrder": (("If-None-Match",), ("ETag",)),
    "acknowledgeOrder": _POST,
    "confirmPreservation": _POST,
    "declineOrder": _POST,
    "listAuthorityEvents": (("If-None-Match",), ("ETag", "X-Poll-Interval")),
    "getAuthorityOrder": (("If-None-Match",), ("ETag",)),
    "draftOrder": (("Idempotency-Key",), ("ETag", "Location", "Idempotency-Replayed")),
    "changeDraft": _POST,
    "discardDraft": _POST,
    "submitDraft": _POST,
}
"""Headers of each call: those a program may send, those it receives."""

_SCHEME = SecurityScheme(
    type="http", scheme="bearer", description="`Authorization: Bearer lsn_…`; a key has scopes."
)


def _schemas() -> dict[str, Any]:
    """The models' JSON Schemas; the problem is named by every route and described once."""
    problem = Problem.model_json_schema(ref_template=OPENAPI3_REF_TEMPLATE)
    inner = problem.pop("$defs", {})
    return {**api.components_schemas, **inner, Problem.__name__: problem}
