"""Two calls about the endpoint itself: whose key it is, and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from flask import Response

from liaison.api import access, answering
from liaison.api.blueprint import ACCOUNT, api, problems
from liaison.api.reading import reads
from liaison.api.shapes import WhoAmI
from liaison.api.specification import spec
from liaison.clock import rfc3339
from liaison.services.keys import KnownKey
from liaison.web import settings


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


def told_of_key(kind: str, key: KnownKey) -> dict[str, Any]:
    """A key and its organisation, which is a ``provider`` or an ``authority``."""
    return {
        kind: {"id": str(key.owner_id), "name": key.organisation},
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
    responses={
        200: {"description": "OpenAPI 3.1.", "content": {"application/json": {}}},
        **problems(keyed=False),
    },
)
@reads
def specification() -> Response:
    """The OpenAPI document."""
    return answering.answer(answering.text(spec(settings().base_url)), cache="public, max-age=300")
