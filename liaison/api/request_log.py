"""The log of each key's requests: noted after the answer is made, written beside the work.

An answer waits for nothing but memory: a thread of each process writes what was collected, every
few seconds what needs an engineer's eye and every act, every minute the rest, and at the end of
the process all of it. A process that is killed loses what it had collected, and a database that is
busy is asked again.
"""

from __future__ import annotations

import atexit
import re
from functools import lru_cache
from threading import Event, Lock, Thread
from typing import cast
from uuid import UUID

import structlog
from flask import Response, current_app, g, request
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from liaison.api import access
from liaison.api.blueprint import api
from liaison.api.noted import Notes
from liaison.clock import Clock
from liaison.errors import Invalid, LiaisonError
from liaison.models import Database
from liaison.services import key_log
from liaison.web import address, now, request_id

EVERY = 5.0
"""Seconds between two writings."""
CALM_EVERY = 12
"""Every so manyeth also tells who only looked."""
POINTERS, LONGEST = 20, 120
"""Places of one fault that are kept, and characters of each: a program may send any name."""

_ORDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_log = structlog.get_logger("liaison.api")


class RequestLog:
    """Of one process: what was noted, and the thread that writes it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.notes = Notes()
        self._database, self._clock = database, clock
        self._writing, self._starting = Lock(), Lock()
        self._thread: Thread | None = None
        self._stopped = Event()

    def flush(self, *, everything: bool = True) -> int:
        """Writes what is due in one short transaction; how many rows."""
        if not self._writing.acquire(timeout=EVERY):
            return 0
        try:
            return self._flush(everything=everything)
        finally:
            self._writing.release()

    def start(self) -> None:
        """The thread, unless it runs: from the first request on, so that each fork has its own."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._stopped.clear()
                self._thread = Thread(target=self._keep_on, name="key log", daemon=True)
                self._thread.start()
                atexit.register(self._end)

    def stop(self) -> None:
        """Ends the thread; the next request begins another. What was collected waits for it."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(EVERY)

    def _flush(self, *, everything: bool) -> int:
        if lost := self.notes.lost():
            _log.warning("requests of keys lost", requests=lost)
        found = self.notes.due(everything=everything)
        if not found:
            return 0
        try:
            with self._database.transaction() as session:
                key_log.write(session, found)
        except (OperationalError, PoolTimeoutError) as error:
            _log.warning("requests of keys not written yet", error=type(error).__name__)
            return 0
        except SQLAlchemyError as error:
            # Whatever stands in these, it must not keep all that comes after.
            _log.error("requests of keys lost", rows=len(found), error=type(error).__name__)
        self.notes.settle(found, self._clock.now())
        return len(found)

    def _keep_on(self) -> None:
        turn = 0
        while not self._stopped.wait(EVERY):
            turn += 1
            self.flush(everything=turn % CALM_EVERY == 0)

    def _end(self) -> None:
        while self.flush():
            pass


def request_log() -> RequestLog:
    """The log of this process."""
    return cast(RequestLog, current_app.extensions["liaison_request_log"])


@api.after_request
def _note(response: Response) -> Response:
    """Keys that count, and those that are known and do not; never a stranger's."""
    key_id = access.key().id if "api_key" in g else g.get("api_refused")
    if key_id is not None:
        log = request_log()
        log.notes.note(_alike(key_id, response.status_code), request_id(), now())
        if not current_app.testing:
            log.start()
    return response


def _alike(key_id: UUID, status: int) -> key_log.Alike:
    rule, given = request.url_rule, request.view_args or {}
    problem: LiaisonError | None = g.get("api_problem")
    order = str(given.get("order", ""))
    return key_log.Alike(
        api_key_id=key_id,
        method=request.method,
        route=_route(rule.rule if rule is not None else ""),
        # What is neither a ref nor an id is whatever somebody typed.
        order_name=order if _ORDER.fullmatch(order) else None,
        status=status,
        problem=problem.slug if problem is not None else None,
        pointers=_places(problem),
        address=address(),
    )


@lru_cache(maxsize=256)
def _route(rule: str) -> str:
    """As the reference writes it."""
    return re.sub(r"<(?:[^<>:]*:)?([^<>]*)>", r"{\1}", rule)


def _places(problem: LiaisonError | None) -> tuple[str, ...]:
    """Where the input was refused. A place may be named by the program, so no sign is taken over
    that a page or the database cannot show."""
    if not isinstance(problem, Invalid):
        return ()
    found = dict.fromkeys(fault.pointer for fault in problem.errors)
    return tuple(_plain(pointer) for pointer in list(found)[:POINTERS])


def _plain(pointer: str) -> str:
    shown = "".join(c if c.isprintable() else "\ufffd" for c in pointer[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
