"""Where a worker can die: every boundary of its work by name, and a wire across each.

The wires are put in from outside: the worker itself knows nothing of them. A function that is
renamed breaks this, so that no boundary is lost unnoticed.
"""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from liaison.delivery import Outgoing, Receipt
from liaison.services import claims
from liaison.services import timers as timer_verbs
from liaison.worker import Work, messages, timers

WRITING = ("fire", "claim", "confirm", "put-off", "acknowledge", "issue")
"""Steps with a transaction of their own."""

POINTS = (
    *(f"{step}:{at}" for step in WRITING for at in ("begin", "before-commit", "after-commit")),
    "fire:claimed",
    "look:begin",
    "send:before",
    "send:after",
)
"""Every boundary at which a process is killed."""

OF_THE_WORKER = tuple(p for p in POINTS if p.split(":")[0] not in ("acknowledge", "issue"))

_step = threading.local()


class Wires:
    """Notes each boundary that is passed; at the one that is armed the process ends or stops.

    ``nth``: at the first, second … time it is passed.
    """

    def __init__(self, log: Path, point: str | None, nth: int, by: int) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._point, self._nth, self._by = point, nth, by
        self._passed: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, *words: object) -> None:
        """One line in the log, with the machine's own clock: it is there whatever comes next."""
        line = " ".join(map(str, (time.monotonic_ns(), os.getpid(), *words)))
        os.write(self._log, f"{line}\n".encode())

    def passes(self, point: str) -> None:
        """The process is at a boundary."""
        with self._lock:
            self._passed[point] += 1
            is_it = point == self._point and self._passed[point] == self._nth
        if is_it:
            self.note("trips", point)
            os.kill(os.getpid(), self._by)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """What is done now; its transaction ends at boundaries of this name."""
        self.passes(f"{name}:begin")
        before, _step.name = getattr(_step, "name", None), name
        try:
            yield
        finally:
            _step.name = before


def lay(wires: Wires, work: Work | None = None) -> Work | None:
    """Puts wires across all boundaries; gives back the worker with a sender that has some."""
    _around(wires, timers, "_fire", "fire")
    _around(wires, messages, "claim", "claim")
    _around(wires, messages, "_still_wanted", "look")
    _around(wires, messages, "_confirm", "confirm")
    _around(wires, messages, "_put_off", "put-off")
    _after_a_claim(wires)
    _note_claims(wires)

    @event.listens_for(Session, "before_commit")
    def _before(_session: Session) -> None:
        _pass(wires, "before-commit")

    @event.listens_for(Session, "after_commit")
    def _afterwards(_session: Session) -> None:
        _pass(wires, "after-commit")

    return work and replace(work, sender=_Wired(work.sender, wires))


def _pass(wires: Wires, at: str) -> None:
    name = getattr(_step, "name", None)
    if name in WRITING:
        wires.passes(f"{name}:{at}")


def _around(wires: Wires, module: Any, name: str, step: str) -> None:
    real = getattr(module, name)

    @functools.wraps(real)
    def wired(*args: Any, **more: Any) -> Any:
        with wires.step(step):
            return real(*args, **more)

    setattr(module, name, wired)


def _after_a_claim(wires: Wires) -> None:
    real = timer_verbs.claim

    @functools.wraps(real)
    def wired(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        if found is not None:
            wires.passes("fire:claimed")
        return found

    timer_verbs.claim = wired


def _note_claims(wires: Wires) -> None:
    """Each claim by the moment at which its transaction had begun: later than it looked, never."""
    real = claims.claim

    @functools.wraps(real)
    def wired(*args: Any, **more: Any) -> Any:
        args[0].connection()  # the transaction begins: what it sees is as of now
        begun = time.monotonic_ns()
        found = real(*args, **more)
        for one in found:
            wires.note("claims", begun, one.idem)
        return found

    claims.claim = wired


class _Wired:
    """A sender between two boundaries."""

    def __init__(self, real: Any, wires: Wires) -> None:
        self._real, self._wires = real, wires

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands the notice on."""
        self._wires.passes("send:before")
        receipt: Receipt = self._real.send(outgoing)
        self._wires.passes("send:after")
        return receipt


KILL, STOP = int(signal.SIGKILL), int(signal.SIGSTOP)
