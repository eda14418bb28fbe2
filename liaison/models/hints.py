"""What wakes a worker: PostgreSQL tells it, of SQLite's file it sees that it has changed."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine, Text, bindparam, func, select
from sqlalchemy.orm import Session

from liaison.models.deeds import bare
from liaison.models.looks import Look

_WAKES = "liaison_wakes"
_LOOK_EVERY = 0.05
"""Seconds between two looks at whether an SQLite file has changed; one takes some 10 µs."""

TIMERS = "timers"
"""The kind of hint that timers are; that of a message is its channel."""


def hint(session: Session, kind: str) -> None:
    """Tells the workers, when the transaction commits, that there may be work of this kind.

    It is a hint only: whoever misses it finds the work at their next look. SQLite needs none: a
    worker sees there that the file has changed.
    """
    session.info.setdefault(_WAKES, set()).add(kind)


def unhint(session: Session, kind: str) -> None:
    """Takes such a hint back."""
    session.info.get(_WAKES, set()).discard(kind)


def notify(session: Session) -> None:
    """Before the commit: in the same transaction as the work, and once for all of it."""
    kinds = session.info.pop(_WAKES, None)
    if kinds:
        _NOTIFY.within(bare(session), kinds=",".join(sorted(kinds)))


class _Told(NamedTuple):
    nothing: str


_NOTIFY = Look(select(func.pg_notify("liaison", bindparam("kinds", type_=Text()))), _Told)


class Hints(Protocol):
    """``wait`` says of what kinds there may be work: none when time is up, None for any."""

    def wait(self, seconds: float) -> set[str] | None:
        """Waits for a hint, so many seconds at most; raises where the connection is lost."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...


def _own_connection(engine: Engine) -> Any:
    """The driver's own, taken out of the pool for good."""
    pooled = engine.raw_connection()
    own = pooled.driver_connection
    pooled.detach()
    return own


class ServerHints:
    """Listens on a connection of its own, outside the pool."""

    def __init__(self, engine: Engine) -> None:
        self._connection = _own_connection(engine)
        self._connection.autocommit = True
        self._connection.execute("LISTEN liaison")

    def wait(self, seconds: float) -> set[str] | None:
        """See ``Hints``."""
        found = self._connection.notifies(timeout=seconds, stop_after=1)
        return {kind for notice in found for kind in notice.payload.split(",")}

    def close(self) -> None:
        """See ``Hints``."""
        self._connection.close()


class FileHints:
    """Looks whether anybody else has committed: the file tells no more than that."""

    def __init__(self, engine: Engine) -> None:
        self._connection = _own_connection(engine)
        self._seen = self._version()

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def wait(self, seconds: float) -> set[str] | None:
        """See ``Hints``."""
        end = time.monotonic() + seconds
        while (now := self._version()) == self._seen:
            if time.monotonic() >= end:
                return set()
            time.sleep(_LOOK_EVERY)
        self._seen = now
        return None

    def close(self) -> None:
        """See ``Hints``."""
        self._connection.close()
