"""SIGTERM and SIGINT end the program between two entries, and never between an act and its note."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(BaseException):
    """Somebody asked the program to end, and now it can."""


class Stopping:
    """While ``held``, a signal waits; anywhere else it ends what is being waited for.

    A second signal calls ``hurry``: whoever asks twice does not want to wait for a command.
    """

    def __init__(self, hurry: Callable[[], None]) -> None:
        self._hurry = hurry
        self._held, self._resting, self._asked = False, False, 0

    def listen(self) -> None:
        """From now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is begun within is done to its end."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        self.look()

    def look(self) -> None:
        """Ends here what was asked to end while it could not."""
        if self._asked:
            self.rest()
            raise Stopped

    def rest(self) -> None:
        """The program ends now: who asks once more would only disturb that."""
        self._resting = True

    def _asked_to(self, _number: int, _frame: FrameType | None) -> None:
        if self._resting:
            return
        self._asked += 1
        if not self._held:
            self.look()
        elif self._asked > 1:
            self._hurry()
