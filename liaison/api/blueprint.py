"""The endpoint's blueprint: version 1, JSON only, by API key."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import BoundedSemaphore, Lock
from typing import Any, cast
from uuid import UUID

from flask import current_app, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel

from liaison.api import access
from liaison.api.packing import pack
from liaison.api.shapes import Problem

MOST_WAITERS = 8
"""Requests of one process that may wait at a time; fewer than its threads."""
MOST_OWN = 4
"""Of these, one organisation's: its programs leave places to the others, however many they are."""

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
WEBHOOKS = Tag(name="Webhooks", description="Be told at once that your stream has grown.")
TAGS = (ACCOUNT, EVENTS, ORDERS, ANSWERS, WEBHOOKS, AUTHORITY)
"""In the order of the reference."""


Responses = dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None]


@dataclass
class Waiting:
    """How long polls wait: exchanged in tests for a clock that needs no time."""

    hook: Callable[[float], None] = time.sleep
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(MOST_WAITERS))
    _own: Counter[UUID] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def place(self, organisation: UUID) -> Iterator[bool]:
        """A place for one of its programs while it waits; False where none is free for it."""
        got = self._take(organisation)
        try:
            yield got
        finally:
            if got:
                self.places.release()
                with self._lock:
                    self._own -= Counter([organisation])

    def _take(self, organisation: UUID) -> bool:
        with self._lock:
            free = self._own[organisation] < MOST_OWN and self.places.acquire(blocking=False)
            self._own += Counter([organisation] if free else ())
        return free


def waiting() -> Waiting:
    """The application's long polls."""
    return cast(Waiting, current_app.extensions["liaison_waiting"])


def problems(*statuses: int, keyed: bool = True) -> Responses:
    """The errors a route can answer with, for the reference: each status with its types.

    ``keyed``: it needs a key. What any such call may meet is added to ``statuses``.
    """
    said = {422, 500, *statuses, *((401, 403, 429, 503) if keyed else ())}
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {
            "description": f"{', '.join(f'`{slug}`' for slug in slugs)}: {words}",
            "content": {
                "application/problem+json": {
                    "schema": schema,
                    "examples": {slug: {"$ref": f"#/components/examples/{slug}"} for slug in slugs},
                }
            },
        }
        for status, (slugs, words) in _PROBLEMS.items()
        if status in said
    }


_PROBLEMS: dict[int, tuple[tuple[str, ...], str]] = {
    400: (("malformed",), "the body is no JSON."),
    401: (("unauthenticated",), "no key, or one that is wrong, revoked or expired."),
    403: (("forbidden",), "the key has not the scope, or belongs at the other door."),
    404: (("not-found",), "there is none of this name, or it is not one of yours."),
    409: (
        ("invalid-transition", "stale"),
        "the state does not allow it, or somebody acted at the same moment.",
    ),
    412: (("stale",), "it is no longer in the version you named in `If-Match`."),
    413: (("too-large",), "the body is too large."),
    415: (("unsupported-media-type",), "the body is of another type than the call takes."),
    422: (("validation",), "something in the request breaks a rule; `errors` names each place."),
    428: (("precondition-required",), "`If-Match` is needed here: the version you read."),
    429: (
        ("rate-limited",),
        "too many requests, with this key or with a wrong one, or too many messages; wait "
        "`Retry-After` seconds.",
    ),
    500: (("error",), "the fault is ours; repeat it with the same `Idempotency-Key`."),
    503: (
        ("busy",),
        "the database is held by others, files could not be scanned, or a PDF not be made. "
        "Nothing was done; repeat it, after `Retry-After` seconds where they are given.",
    ),
}

PUBLIC = frozenset({"api.specification"})
"""What needs no key."""

api = APIBlueprint("api", __name__, url_prefix="/api/v1")


@api.before_request
def _who() -> None:
    if request.endpoint not in PUBLIC and request.method != "OPTIONS":
        access.authenticate()


# The last of this blueprint's hooks behind a view, for it is the first that was registered: what
# others add to an answer stands before it is packed.
api.after_request(pack)
