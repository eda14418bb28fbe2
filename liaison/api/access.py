"""Who asks: the API key, its scopes, and a limit on failed tries."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import structlog
from flask import g, request
from sqlalchemy.exc import OperationalError

from liaison.api import doors, scopes
from liaison.domain.actors import Actor
from liaison.errors import Forbidden, RateLimited, Unauthenticated
from liaison.models import ApiKey
from liaison.services import keys, throttle
from liaison.web import address, core, now

FAILURES = 20
"""Failed tries from one address in a window. A good key is never held up by others' failures."""
WINDOW = timedelta(minutes=1)

_log = structlog.get_logger("liaison.api")


def authenticate() -> None:
    """Finds the key's row and whose it is; asks for its door, and the scope the call needs."""
    try:
        with core().database.reading() as session:
            key, actor = keys.actor_for_key(session, _presented(), address(), now())
    except Unauthenticated as error:
        # For the log of that key: somebody still uses it, or from where it does not count.
        g.api_refused = error.key_id if isinstance(error, keys.KeyRefused) else None
        _count_failure()
        raise
    # Before more is asked: the limits and the log know a key that may not, too.
    g.api_key, g.api_actor = key, actor
    doors.demand(actor)
    needed = scopes.needed()
    if needed not in key.scopes:
        raise Forbidden(
            f"This key has no scope “{needed}”. Ask your administrator for one with it."
        )
    _note_use(key)


def look_again() -> None:
    """For a request that waits: ``Unauthenticated`` once its key counts no longer."""
    with core().database.reading() as session:
        keys.look_again(session, key().id, address(), core().clock.now())


def _note_use(key: ApiKey) -> None:
    """At most once a minute, in a transaction of its own; a busy database loses only the note."""
    if not keys.is_use_due(key, now()):
        return
    try:
        with core().database.transaction() as session:
            keys.note_use(session, key.id, address(), now())
    except OperationalError as error:
        _log.warning("key use not noted", key=str(key.id), error=type(error).__name__)


def _presented() -> str:
    header = request.headers.get("Authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send your key as: Authorization: Bearer lsn_…")
    return token.strip()


def _count_failure() -> None:
    with core().database.transaction() as session:
        name = f"api:{throttle.place(address())}"
        wait = throttle.count(session, name, FAILURES, WINDOW, now())
    if wait is not None:
        raise RateLimited("Too many requests with a wrong key. Wait, then check the key.", wait)


def key() -> ApiKey:
    """The key that asks."""
    return cast(ApiKey, g.api_key)


def actor() -> Actor:
    """The program behind it."""
    return cast(Actor, g.api_actor)
