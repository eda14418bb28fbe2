"""Rungs fired and messages handed over by one worker process and by two, with the floor beside.

The floor writes as many rows in as many commits by bare SQL, in as many processes, half of it
before and half of it after. How many rows that are is counted, not assumed.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from bench import floor
from bench.figures import Figure
from bench.stage import Stage, issue, wait_with
from liaison.clock import FixedClock
from liaison.delivery import Outgoing, Receipt
from liaison.models import Database
from liaison.settings import Settings
from liaison.worker import Work
from liaison.worker.messages import LANES, send_some
from liaison.worker.timers import fire_one

FEW, MANY = 1_000, 1_000_000
ORDERS = 120
COUNTED = 10
FLOOR = 3_000
"""Commits of the floor at a time: as long as ours takes, so that checkpoints fall on both."""
WARM = 40
"""Units a process does before the clock starts."""
LATE = timedelta(hours=2)
"""Every rung of the emergency ladder is due by then, and the pages at the top."""


class Nowhere:
    """Takes every notice and keeps none."""

    def send(self, _outgoing: Outgoing) -> Receipt:
        """Taken."""
        return Receipt("taken", 250, "taken")


class OnStage(Work):
    """A worker at the stage's moment that asks the database for the time as a real one does."""

    def now(self, session: Session | None = None) -> datetime:
        """The stage's moment."""
        if session is not None:
            self.database.server_clock(session.connection())
        return self.clock.now()


@dataclass(frozen=True)
class Task:
    """What a worker process does: ``fire``, ``send`` or ``floor``; picklable."""

    what: str
    settings: Settings
    moment: datetime
    rows: float = 0.0
    rounds: int = 0


def figures(stage: Stage) -> Iterator[Figure]:
    """Both kinds of work, with few and with many timers waiting, by one process and by two."""
    floor.prepare(stage.database)
    order = issue(stage, 1)[0]
    for waiting, more in ((FEW, FEW), (MANY, MANY - FEW)):
        wait_with(stage, order, more)
        for workers in (1, 2):
            yield from _figures(stage, workers, waiting)


def _figures(stage: Stage, workers: int, waiting: int) -> Iterator[Figure]:
    kinds = {"fire": "rungs fired", "send": "messages handed over"}
    written = _counted(stage)
    issue(stage, ORDERS)
    for what, name in kinds.items():
        units, seen = written[what]
        rows, commits = seen.rows / seen.commits, seen.commits / units
        before = _floor(stage, workers, rows)
        rate = _run(Task(what, stage.settings, stage.clock.now() + LATE), workers)
        bare = (before + _floor(stage, workers, rows)) / 2 / commits
        yield Figure(name, stage.kind, waiting, rate, bare, workers, rows * commits)


def _floor(stage: Stage, workers: int, rows: float) -> float:
    return _run(Task("floor", stage.settings, stage.clock.now(), rows, FLOOR), workers)


def _counted(stage: Stage) -> dict[str, tuple[int, floor.Written]]:
    """Units of work, and what they wrote, for some orders."""
    issue(stage, COUNTED)
    found = {}
    for what in ("fire", "send"):
        task = Task(what, stage.settings, stage.clock.now() + LATE)
        with floor.counting(stage.database) as written:
            units = _do(task, stage.database)
        found[what] = (units, written)
    return found


def _run(task: Task, workers: int) -> float:
    """Units a second of so many processes that begin together."""
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(workers), context.Queue()
    processes = [context.Process(target=_work, args=(task, begin, results)) for _ in range(workers)]
    for process in processes:
        process.start()
    done = [results.get(timeout=3600) for _ in processes]
    for process in processes:
        process.join()
    first, last = min(start for _, start, _ in done), max(end for _, _, end in done)
    return float(sum(units for units, _, _ in done) / (last - first))


def _work(task: Task, begin: Any, results: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    database = Database(task.settings.database_url)
    _do(task, database, WARM)  # a worker runs for months: its start is not measured
    begin.wait()
    start = time.time()
    units = _do(task, database)
    results.put((units, start, time.time()))
    database.close()


def _do(task: Task, database: Database, most: int | None = None) -> int:
    """Units that were done: all there are, or about ``most``."""
    if task.what == "floor":
        rounds = most or task.rounds
        floor.write(database, task.rows, rounds)
        return rounds
    work = OnStage(task.settings, database, FixedClock(task.moment), Nowhere())
    if task.what == "fire":
        return _until(lambda sure: fire_one(work, sure=sure), most)
    return _until(lambda _: send_some(work, LANES[0])[1], most)


def _until(once: Callable[[bool], int], most: int | None) -> int:
    """Until nothing is found or enough is done, as the worker's loop does it."""
    units, found = 0, 0
    while (most is None or units < most) and (found := once(bool(found))):
        units += found
    return units
