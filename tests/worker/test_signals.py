"""A worker that is told to stop: whatever its threads are at, it stops."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from liaison.worker import Work, loop, run_until_signalled


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_while_a_lock_is_held_stops_it(
    work: Work, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    handlers: dict[int, Callable[..., Any]] = {}
    events: list[threading.Event] = []
    real = threading.Event

    def event() -> threading.Event:
        events.append(real())
        return events[-1]

    def interrupted(_seconds: float) -> None:
        # As where a signal interrupts the thread that is just about to wait for the event.
        with events[0]._cond:  # type: ignore[attr-defined]
            handler = threading.Thread(target=handlers[number], args=(number, None), daemon=True)
            handler.start()
            handler.join(5)
            assert not handler.is_alive(), "the handler waits for whom it interrupted"

    monkeypatch.setattr(loop, "_jobs", lambda *_: [])
    monkeypatch.setattr(signal, "signal", handlers.__setitem__)
    monkeypatch.setattr(time, "sleep", interrupted)
    with monkeypatch.context() as patched:
        patched.setattr(threading, "Event", event)
        run_until_signalled(work)
    assert set(handlers) == {signal.SIGTERM, signal.SIGINT}
