"""Who asks: the API key, its scopes, and a limit on failed tries."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from flask import g, request

from liaison.domain.actors import Actor
from liaison.errors import Forbidden, RateLimited, Unauthenticated
from liaison.models import ApiKey
from liaison.services import keys, throttle
from liaison.web import address, core, now

FAILURES = 20
"""Failed tries from one address in a window. A good key is never held up by others' failures."""
WINDOW = timedelta(minutes=1)

_SCOPES = {"GET": "read", "HEAD": "read", "POST": "respond"}


def authenticate() -> None:
    """Finds the key's row and provider, and asks for the scope the method needs."""
    try:
        with core().database.reading() as session:
            key, actor = keys.actor_for_key(session, _presented(), address(), now())
    except Unauthenticated:
        _count_failure()
        raise
    needed = _SCOPES.get(request.method, "respond")
    if needed not in key.scopes:
        raise Forbidden(
            f"This key has no scope “{needed}”. Ask your provider administrator for one with it."
        )
    g.api_key, g.api_actor = key, actor


def _presented() -> str:
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send your key as: Authorization: Bearer lsn_…")
    return token.strip()


def _count_failure() -> None:
    with core().database.transaction() as session:
        name = f"api:{address()}"
        wait = throttle.count(session, name, FAILURES, WINDOW, now())
    if wait is not None:
        raise RateLimited("Too many requests with a wrong key. Wait, then check the key.", wait)


def key() -> ApiKey:
    """The key that asks."""
    return cast(ApiKey, g.api_key)


def actor() -> Actor:
    """The program behind it."""
    return cast(Actor, g.api_actor)
