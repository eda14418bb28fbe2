"""Errors as ``application/problem+json`` (RFC 9457); ``type`` is a page of the portal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Response, g
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from liaison.errors import (
    FieldError,
    Invalid,
    LiaisonError,
    NotFound,
    Stale,
    Unauthenticated,
)
from liaison.web import request_id, settings

MOST_TOLD = 1000
"""Faults in one answer: as many as the largest order has targets."""


class Malformed(LiaisonError):
    """The request is no JSON at all."""

    slug = "malformed"
    title = "The request cannot be read"
    status = 400


class WrongMethod(LiaisonError):
    """The address exists, the method does not."""

    slug = "method-not-allowed"
    title = "This address does not take this method"
    status = 405


class TooLarge(LiaisonError):
    """The body is larger than the server takes."""

    slug = "too-large"
    title = "The request is too large"
    status = 413


class NotJson(LiaisonError):
    """The body is of another type than JSON."""

    slug = "unsupported-media-type"
    title = "The body must be JSON"
    status = 415


class PreconditionFailed(Stale):
    """The order is not in the version that ``If-Match`` names."""

    status = 412


_BY_STATUS: dict[int, LiaisonError] = {
    404: NotFound("There is no call at this address. /api/docs lists all of them."),
    405: WrongMethod("See the Allow header and /api/docs."),
    413: TooLarge("Send less in one request; long notes belong in a document."),
    415: NotJson("Send JSON with Content-Type: application/json."),
}


def present(error: Exception) -> Response:
    """Any error as a problem; what is not foreseen says nothing about the inside."""
    known = error if isinstance(error, LiaisonError) else _translated(error)
    g.api_problem = known  # for the key's log
    body: dict[str, Any] = {
        "type": f"{settings().base_url}/problems/{known.slug}",
        "title": known.title,
        "status": known.status,
        "detail": known.detail,
        "instance": f"urn:liaison:request:{request_id()}",
    }
    if isinstance(known, Invalid):
        body["errors"] = _told(known.errors)
    text = json.dumps(body, ensure_ascii=False)
    response = Response(text, known.status, mimetype="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    if isinstance(known, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="Liaison"'
    if known.retry_after is not None:
        response.headers["Retry-After"] = str(known.retry_after)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _told(errors: Sequence[FieldError]) -> list[dict[str, str]]:
    """Each fault, as far as anybody reads: a body of 4 MB has room for hundreds of thousands."""
    told = [{"pointer": e.pointer, "detail": e.detail} for e in errors[:MOST_TOLD]]
    more = len(errors) - len(told)
    return [*told, *([{"pointer": "", "detail": f"And {more} more."}] if more else [])]


def _translated(error: Exception) -> LiaisonError:
    status = error.code or 500 if isinstance(error, HTTPException) else 500
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if 400 <= status < 500:
        return Malformed("The request cannot be read. See /api/docs for what it must look like.")
    return LiaisonError("The fault is ours and was noted. Try again, or call the contact point.")
