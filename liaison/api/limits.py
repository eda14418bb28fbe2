"""A limit on each key's requests, and the headers that say how far it is away.

``RateLimit-Policy`` and ``RateLimit`` as in draft-ietf-httpapi-ratelimit-headers (10 and later):
``q`` requests in ``w`` seconds; ``r`` are left, and in ``t`` seconds there is more. A long poll is
one request. Each process counts for itself: what a limit is for is a program gone wild, and that
one meets it in every process.
"""

from __future__ import annotations

from typing import cast

from flask import Response, current_app, g

from liaison.api import access
from liaison.api.blueprint import api
from liaison.api.rates import WINDOW, Rates, Standing
from liaison.errors import RateLimited
from liaison.web import now

POLICY = "key"
"""The policy's name in the headers."""


def rates() -> Rates | None:
    """The count of this process; None where the setting is 0."""
    return cast(Rates | None, current_app.extensions["liaison_rates"])


@api.before_request
def _count() -> None:
    """After the key was found good (the blueprint's own step): 429 for one that asks too often."""
    counts = rates()
    if counts is None or "api_key" not in g:
        return
    g.api_standing = standing = counts.take(access.key().id, now())
    if standing.refused:
        raise RateLimited(
            f"This key has made more requests than its {counts.a_minute} a minute. Wait "
            f"{standing.more_in} s; poll no faster than X-Poll-Interval says, or wait in the poll.",
            standing.more_in,
        )


@api.after_request
def _tell(response: Response) -> Response:
    """On every answer to a key that counts: also where it may not do what it asked for."""
    counts = rates()
    if counts is None or "api_key" not in g:
        return response
    standing: Standing | None = g.get("api_standing")
    if standing is None:  # it has not the scope, and was refused before it was counted
        standing = counts.take(access.key().id, now())
    response.headers["RateLimit-Policy"] = f'"{POLICY}";q={counts.a_minute};w={WINDOW}'
    response.headers["RateLimit"] = f'"{POLICY}";r={standing.left};t={standing.more_in}'
    return response
