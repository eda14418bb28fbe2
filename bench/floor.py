"""The floor: the same number of row writes and commits, by bare SQL, with no rule in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text

from liaison.models import Database
from liaison.models.engines import WRITES


@dataclass
class Written:
    """What was written while somebody counted: rows, and transactions that wrote any."""

    rows: int = 0
    commits: int = 0


@contextmanager
def counting(database: Database) -> Iterator[Written]:
    """Counts the rows that are written and the commits that follow."""
    written, open_ = Written(), [False]

    def executed(_c: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE", "DELETE")):
            # An insert that gives back what it wrote has no count on SQLite.
            written.rows += max(cursor.rowcount, 1 if statement.startswith("INSERT") else 0)
            open_[0] = True

    def committed(_connection: Any) -> None:
        written.commits += open_[0]
        open_[0] = False

    event.listen(database.engine, "after_cursor_execute", executed)
    event.listen(database.engine, "commit", committed)
    try:
        yield written
    finally:
        event.remove(database.engine, "after_cursor_execute", executed)
        event.remove(database.engine, "commit", committed)


def prepare(database: Database) -> None:
    """Makes the floor's table."""
    with database.engine.execution_options(**{WRITES: True}).begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_floor (n INTEGER, line TEXT)"))


def write(database: Database, rows: float, rounds: int) -> None:
    """So many commits, each of ``rows`` inserts of about the size of a ledger entry.

    Where ``rows`` is no whole number, rounds have one more or one less, so that the sum is right.
    """
    engine = database.engine.execution_options(**{WRITES: True})
    line = "x" * 400
    for n in range(rounds):
        with engine.begin() as connection:
            for row in range(int((n + 1) * rows) - int(n * rows)):
                connection.execute(
                    text("INSERT INTO bench_floor VALUES (:n, :line)"), {"n": row, "line": line}
                )


def rate(once: Callable[[], object], rounds: int) -> float:
    """How often a second something can be done."""
    start = time.perf_counter()
    for _ in range(rounds):
        once()
    return rounds / (time.perf_counter() - start)
