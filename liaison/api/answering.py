"""Answers as JSON: the body, its ETag, and how long it may be kept (never)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Response, request

KEEP_NOTHING = "no-store"
ASK_AGAIN = "private, no-cache"
"""Kept by the asker only, and asked for again each time: what ETag needs."""


def text(data: Mapping[str, Any]) -> str:
    """The body of an answer."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def answer(body: str, *, etag: str | None = None, cache: str = KEEP_NOTHING) -> Response:
    """200 with this body."""
    response = Response(body, 200, mimetype="application/json")
    response.headers["Cache-Control"] = cache
    if etag is not None:
        response.set_etag(etag)
    return response


def not_modified(etag: str) -> Response:
    """304: the asker has it already."""
    response = Response(status=304)
    response.headers["Cache-Control"] = ASK_AGAIN
    response.set_etag(etag)
    return response


def has_it(etag: str) -> bool:
    """Whether the asker says it has this version."""
    sent = request.headers.get("If-None-Match")
    # Most send back what they were given, and nothing else.
    return sent is not None and (sent == f'"{etag}"' or request.if_none_match.contains_weak(etag))
