"""The floor: the same number of row writes and commits, by bare SQL, with no rule in between."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import text

from liaison.models import Database
from liaison.models.base import WRITES


def rows_per_second(database: Database, writes: int, rounds: int) -> float:
    """Rounds a second of ``writes`` inserts of about the size of a ledger entry, and a commit."""
    engine = database.engine.execution_options(**{WRITES: True})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS bench_floor (n INTEGER, line TEXT)"))
    line = "x" * 400

    def once() -> None:
        with engine.begin() as connection:
            for n in range(writes):
                connection.execute(
                    text("INSERT INTO bench_floor VALUES (:n, :line)"), {"n": n, "line": line}
                )

    return rate(once, rounds)


def rate(once: Callable[[], object], rounds: int) -> float:
    """How often a second something can be done."""
    start = time.perf_counter()
    for _ in range(rounds):
        once()
    return rounds / (time.perf_counter() - start)
