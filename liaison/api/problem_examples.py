"""Every problem the endpoint can answer with, by its name, for the reference."""

from __future__ import annotations

from typing import Any

from liaison.api.authority.acting import VersionNeeded
from liaison.api.problems import Malformed, NotJson, TooLarge
from liaison.api.shapes import ID
from liaison.errors import (
    FieldError,
    Forbidden,
    Invalid,
    InvalidTransition,
    LiaisonError,
    NotFound,
    RateLimited,
    Stale,
    Unauthenticated,
)
from liaison.web.errors import Busy

_PROBLEMS: tuple[LiaisonError, ...] = (
    Malformed("The body is no JSON in UTF-8: line 1, column 12."),
    Unauthenticated("This key is not known. A key begins with lsn_; check it for typos."),
    Forbidden("This key has no scope “respond”. Ask your provider administrator for one with it."),
    NotFound(),
    InvalidTransition("The order is declined: it cannot be acknowledged."),
    Stale("Somebody acted meanwhile. Nothing was done. Read it again, then decide."),
    TooLarge("Send less in one request; long notes belong in a document."),
    NotJson("Send JSON with Content-Type: application/json."),
    Invalid([FieldError("/days", "Give a whole number.")]),
    RateLimited("Too many requests. Wait, then go on.", 30),
    VersionNeeded("Read it, then send its ETag as If-Match with your change."),
    LiaisonError("The fault is ours and was noted. Try again, or call the contact point."),
    Busy("Nothing was done. Wait a few seconds and try again."),
)


def all_of(base_url: str) -> dict[str, Any]:
    """One example a problem, by its slug."""
    return {problem.slug: {"value": _body(problem, base_url)} for problem in _PROBLEMS}


def _body(problem: LiaisonError, base_url: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": f"{base_url}/problems/{problem.slug}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"urn:liaison:request:{ID.replace('-', '')}",
    }
    if isinstance(problem, Invalid):
        body["errors"] = [{"pointer": e.pointer, "detail": e.detail} for e in problem.errors]
    return body
