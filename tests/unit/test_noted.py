"""Requests on their way to a key's log: none doubled, none forgotten while they wait."""

from __future__ import annotations

import threading
from uuid import uuid4

from liaison.api.noted import Notes
from liaison.services.key_log import Alike
from tests.world import START, MovableClock

KEY = uuid4()


def alike(problem: str | None = "not-found", method: str = "GET") -> Alike:
    status = 404 if problem else 304
    return Alike(KEY, method, "/api/v1/events", None, status, problem, (), "198.51.100.9")


def test_what_comes_while_it_is_written_is_written_next() -> None:
    notes = Notes()
    notes.note(alike(), "a", START)
    (first,) = notes.due(everything=False)
    notes.note(alike(), "b", START)
    notes.settle([first], START)
    (again,) = notes.due(everything=False)
    assert (again.id, again.count, again.request_id) == (first.id, 2, "b")
    notes.settle([again], START)
    assert notes.due(everything=True) == []


def test_rows_wait_for_a_database_that_is_away_and_leave_once_it_knows_them() -> None:
    notes, clock = Notes(), MovableClock()
    for name in "abc":
        notes.note(alike(), name, clock.now())
        clock.move(minutes=1)
    waiting = notes.due(everything=False)
    assert [(row.count, row.request_id) for row in waiting] == [(1, "a"), (1, "b"), (1, "c")]
    assert len({row.id for row in waiting}) == 3
    notes.settle(waiting[:1], clock.now())
    assert [row.request_id for row in notes.due(everything=True)] == ["b", "c"]
    notes.settle(waiting, clock.now())
    assert len(notes) == 0


def test_a_clock_that_is_put_back_far_begins_another_row() -> None:
    notes, clock = Notes(), MovableClock()
    notes.note(alike(None), "a", clock.now())
    notes.note(alike(None), "b", clock.move(minutes=-5))
    notes.note(alike(None), "c", clock.move(hours=-3))
    rows = notes.due(everything=True)
    assert [(row.count, row.request_id) for row in rows] == [(2, "b"), (1, "c")]
    assert rows[0].first_at == rows[0].last_at == START


def test_threads_lose_nothing() -> None:
    notes = Notes()

    def ask() -> None:
        for n in range(400):
            notes.note(alike(method="POST" if n % 2 else "GET"), "x", START)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        notes.settle(notes.due(everything=True), START)
    for thread in threads:
        thread.join()
    for method in ("GET", "POST"):
        notes.note(alike(method=method), "x", START)
    assert [row.count for row in notes.due(everything=True)] == [801, 801]
