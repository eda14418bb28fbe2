"""One try against another side, within a time that the other side cannot stretch.

It runs in a thread of its own. Once its time is over its connection is shut beneath whatever
encryption lies on it, which waits for nobody: so the thread ends too. Only the look-up of a name
cannot be cut short; it ends in the resolver's own time, and no connection follows it.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Generic, TypeVar

from liaison.delivery import guard
from liaison.delivery.base import DeliveryError

STEP = 10.0
"""Seconds that one silence of the other side may last."""

T = TypeVar("T")


class Attempt(Generic[T]):
    """``hand_over`` does the work; it lets ``hold`` have its connection before it says a word.

    ``name`` is the thread's, ``who`` begins the sentence where the time ran out.
    """

    def __init__(self, name: str, who: str, hand_over: Callable[[Attempt[T]], T]) -> None:
        self._name, self._who, self._hand_over = name, who, hand_over
        self._lock = threading.Lock()
        self._given_up = False
        self._held: socket.socket | None = None
        self._answers: list[T] = []
        self._error: Exception | None = None

    def within(self, longest: float) -> T:
        """What came of it, or the error that it ended in.

        ``DeliveryError`` after ``longest`` seconds: what comes later is not heard.
        """
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        thread.start()
        thread.join(longest)
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._answers:
                return self._answers[0]
            self._given_up = True
            if self._held is not None:
                with suppress(OSError):  # the other side was quicker
                    self._held.shutdown(socket.SHUT_RDWR)
        raise DeliveryError(f"{self._who} took longer than {longest:g} s.")

    def hold(self, way: socket.socket) -> None:
        """From here on giving up ends ``way``; whoever comes too late has it closed at once.

        What is held is a second handle of the plain connection: it stays, whatever encryption
        takes the first one over.
        """
        try:
            way.settimeout(STEP)
            with self._lock:
                if self._given_up:
                    raise DeliveryError(f"{self._who} answered too late.")
                self._held = way.dup()
        except Exception:
            way.close()
            raise

    def _run(self) -> None:
        answers: list[T] = []
        error: Exception | None = None
        try:
            answers.append(self._hand_over(self))
        except Exception as caught:
            error = caught
        with self._lock:
            self._answers, self._error = answers, error
            if self._held is not None:
                self._held.close()


def connect(host: str, port: int, until: float) -> socket.socket:
    """A connection to a name, before ``until`` on the steady clock; else ``OSError``."""
    return first_of(guard.resolve(host, port), port, guard.dial, STEP, until)


def first_of(
    addresses: Sequence[str], port: int, dial: guard.Dial, step: float, until: float
) -> socket.socket:
    """A connection to the first address that answers, each within ``step`` seconds.

    All of them before ``until`` on the steady clock. ``OSError`` of the last one otherwise.
    """
    last: OSError = OSError("no address")
    for address in addresses:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError("no time is left to connect")
        try:
            return dial(address, port, min(step, left))
        except OSError as error:
            last = error
    raise last


def one_line(text: str) -> str:
    """One line: what another side said cannot forge a line of ours."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()
