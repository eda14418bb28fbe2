"""The endpoint's blueprint: version 1, JSON only, by API key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any, cast

from flask import current_app, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from liaison.api import access
from liaison.api.shapes import Problem

MOST_WAITERS = 8
"""Requests of one process that may wait at a time; fewer than its threads."""

EVENTS = Tag(name="Events", description="Your stream: everything that happened, in order.")
ORDERS = Tag(name="Orders", description="What you are asked to preserve.")
ANSWERS = Tag(name="Answers", description="Acknowledge, confirm preservation, decline.")
ACCOUNT = Tag(name="Key", description="Whose key it is, and this description.")
AUTHORITY = Tag(
    name="Contact points",
    description=(
        "For a contact point's case system, with a key of its own: `read` follows its stream and "
        "orders, `draft` drafts, changes, submits and discards. Authorising and issuing take a "
        "person with a second factor, always. A provider's key opens none of these."
    ),
)
TAGS = (ACCOUNT, EVENTS, ORDERS, ANSWERS, AUTHORITY)
"""In the order of the reference."""


Responses = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]


@dataclass
class Waiting:
    """How long polls wait: exchanged in tests for a clock that needs no time."""

    hook: Callable[[float], None] = time.sleep
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_WAITERS))


def waiting() -> Waiting:
    """The application's long polls."""
    return cast(Waiting, current_app.extensions["liaison_waiting"])


def problems(*statuses: int) -> Responses:
    """The errors a route can answer with, for the reference."""
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    said = {s: text for s, text in _PROBLEMS.items() if s in (401, 403, 422, 429, *statuses)}
    return {
        status: {"description": words, "content": {"application/problem+json": {"schema": schema}}}
        for status, words in said.items()
    }


_PROBLEMS = {
    400: "The body is no JSON.",
    401: "No key, or one that is wrong, revoked or expired.",
    403: "The key has not the scope, or belongs at the other door.",
    404: "No such order, or not one of yours.",
    409: "The order's state does not allow it, or somebody acted at the same moment.",
    412: "The order is no longer in the version you named in `If-Match`.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    422: "Something in the request breaks a rule; `errors` names each place.",
    428: "`If-Match` is needed here: the version you read.",
    429: "Too many requests with a wrong key, or messages; wait `Retry-After` seconds.",
    503: "The files could not be scanned; nothing was stored. Wait `Retry-After` seconds.",
}

PUBLIC = frozenset({"api.specification"})
"""What needs no key."""

api = APIBlueprint("api", __name__, url_prefix="/api/v1")


@api.before_request
def _who() -> None:
    if request.endpoint not in PUBLIC and request.method != "OPTIONS":
        access.authenticate()
