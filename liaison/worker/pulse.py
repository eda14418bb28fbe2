"""Whether the worker does its work: only then does it say that it lives."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from liaison.worker.work import Work

BEAT_EVERY = 5.0
"""Seconds between two heartbeats; ``/readyz`` misses one that is older than a minute."""
LONGEST_SILENCE = 60.0
"""Seconds without success after which a step counts as failed. One step takes at most 40."""

Step = Callable[[Work], bool]
"""One piece of work; whether it found any. Finding none is a success."""


class Pulse:
    """Beats only while every watched step succeeds: a worker that pages nobody is not alive.

    Its seconds are the process's own, which no change of the clock moves.
    """

    def __init__(self, *watched: str, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._succeeded = dict.fromkeys(watched, -math.inf)
        self._beaten = -math.inf

    def watched(self, name: str, step: Step) -> Step:
        """The step, with its successes noted; what it raises passes through."""

        def run(work: Work) -> bool:
            found = step(work)
            self._succeeded[name] = self._seconds()
            return found

        return run

    def is_well(self) -> bool:
        """Whether every watched step has succeeded within ``LONGEST_SILENCE``."""
        return self._seconds() - min(self._succeeded.values()) <= LONGEST_SILENCE

    def beating(self, beat: Step) -> Step:
        """The heartbeat as a step: often looked at, written every ``BEAT_EVERY`` seconds."""

        def run(work: Work) -> bool:
            now = self._seconds()
            if self.is_well() and now - self._beaten >= BEAT_EVERY:
                beat(work)
                self._beaten = now
            return False

        return run
