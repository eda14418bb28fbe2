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
from liaison.models.looks import Look
from liaison.queries.feed import LOOK
from liaison.services import keys, throttle
from liaison.services.keys import FIND, KnownKey
from liaison.web import address, core, now

FAILURES = 20
"""Failed tries from one address in a window. A good key is never held up by others' failures."""
WINDOW = timedelta(minutes=1)

_log = structlog.get_logger("liaison.api")
_ASKS_MORE: dict[str, Look[KnownKey]] = {"api.events": LOOK, "api.authority_events": LOOK}
"""Who polls asks for the stream's end beside the key: one statement instead of three."""


def authenticate() -> None:
    """Finds the key's row and whose it is; asks for its door, and the scope the call needs."""
    try:
        g.api_key = found = _find()
    except Unauthenticated as error:
        # For the log of that key: somebody still uses it, or from where it does not count.
        g.api_refused = error.key_id if isinstance(error, keys.KeyRefused) else None
        _count_failure()
        raise
    # The limits and the log know it from here on, even where it may not.
    doors.demand(found)
    needed = scopes.needed()
    if needed not in found.scopes:
        raise Forbidden(
            f"This key has no scope “{needed}”. Ask your administrator for one with it."
        )
    _note_use(found)


def look_again() -> KnownKey:
    """The same, now, for a request that waits: ``Unauthenticated`` once its key counts no longer.

    The request's own moment stands still; here the clock is read.
    """
    return _find(waited=True)


def _find(*, waited: bool = False) -> KnownKey:
    shared, wanted = core(), _ASKS_MORE.get(request.endpoint or "", FIND)
    presented = _presented()
    with shared.database.looking() as looking:
        found = keys.find(looking, presented, wanted)
    return keys.demand_counts(found, address(), shared.clock.now() if waited else now())


def _note_use(key: KnownKey) -> None:
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
    if scheme.lower() != "bearer" or not (token := token.strip()):
        raise Unauthenticated("Send your key as: Authorization: Bearer lsn_…")
    return token


def _count_failure() -> None:
    with core().database.transaction() as session:
        name = f"api:{throttle.place(address())}"
        wait = throttle.count(session, name, FAILURES, WINDOW, now())
    if wait is not None:
        raise RateLimited("Too many requests with a wrong key. Wait, then check the key.", wait)


def key() -> KnownKey:
    """The key that asks; of who polls, with where its stream stood when the request came."""
    return cast(KnownKey, g.api_key)


def actor() -> Actor:
    """The program behind it."""
    if "api_actor" not in g:
        g.api_actor = keys.actor_of(key(), address())
    return cast(Actor, g.api_actor)
