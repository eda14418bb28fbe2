"""Writes that nobody waits for one by one: PostgreSQL takes the next while it does the last.

A rung writes six rows, and waiting for each in turn takes longer than writing them. SQLite has
nothing to wait for. It is the driver's pipeline mode, which SQLAlchemy does not know: before a
statement goes SQLAlchemy's way, all that was sent is settled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

from sqlalchemy import Connection, Engine, event

from liaison.models.driver_errors import told

LONGEST = "2min"
"""How long the server waits for one of us that stopped within a rung, and keeps its locks.

In the pipeline mode it does not count as idle, however long it hears nothing.
"""

_LIMITS_TRANSACTIONS = 170_000
"""PostgreSQL from which on a transaction can be limited as a whole."""


class _Pipe:
    """One of the driver's connections, in its pipeline mode and out of it."""

    def __init__(self, raw: Any, errors: type[Exception]) -> None:
        self.errors = errors
        self._raw, self._mode = raw, ExitStack()
        self._is_in = self._is_limited = False

    def enter(self) -> None:
        if self._is_in:
            return
        self._mode.enter_context(self._raw.pipeline())
        self._is_in = True
        if not self._is_limited and self._raw.info.server_version >= _LIMITS_TRANSACTIONS:
            self._raw.execute(f"SET LOCAL transaction_timeout = '{LONGEST}'")
            self._is_limited = True

    def settle(self) -> None:
        """Waits for all that was sent, and raises the first error of it."""
        self._is_in = False
        self._mode.close()


_PIPES: dict[int, _Pipe] = {}
"""By the id of the driver's connection, while somebody is within ``unwaited`` and holds it."""


def is_heard(connection: Connection) -> bool:
    """Whether somebody listens to what is asked here, by SQLAlchemy's events."""
    heard = connection.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


@contextmanager
def unwaited(connection: Connection) -> Iterator[None]:
    """Within it, what a ``Deed`` writes without asking anything back is sent and not waited for.

    An error of it comes with a later statement, or at the end: whoever puts a transaction right
    stands around this. What is read within sees all that was written before.
    """
    raw = connection.connection
    own: Any = raw.driver_connection
    if not _has_pipes(connection) or id(own) in _PIPES:
        yield
        return
    pipe = _PIPES[id(own)] = _Pipe(own, connection.dialect.loaded_dbapi.Error)
    try:
        yield
        with told(connection.dialect, "what was sent", raw, connection.invalidate):
            pipe.settle()
    finally:
        del _PIPES[id(own)]
        # Where something went wrong before: its error is the one to tell.
        with suppress(pipe.errors):
            pipe.settle()


def _has_pipes(connection: Connection) -> bool:
    # By the dialect: an installation on SQLite does without the driver.
    pipeline = getattr(connection.dialect.loaded_dbapi, "Pipeline", None)
    return pipeline is not None and pipeline.is_supported() and not is_heard(connection)


def enter(own: object) -> None:
    """Before a statement goes by the driver's cursor: it is sent after what was sent before."""
    if pipe := _PIPES.get(id(own)):
        pipe.enter()


def watch(engine: Engine) -> None:
    """Before a statement goes SQLAlchemy's way, all that was sent on its connection is settled."""

    def _settle(cursor: Any, statement: str = "", *_: Any) -> None:
        if pipe := _PIPES.get(id(cursor.connection)):
            # What a savepoint is taken back for was told, or is undone with it.
            undoes = statement.startswith("ROLLBACK TO")
            with suppress(pipe.errors) if undoes else nullcontext():
                pipe.settle()

    for name in ("do_execute", "do_execute_no_params", "do_executemany"):
        event.listen(engine, name, _settle)
