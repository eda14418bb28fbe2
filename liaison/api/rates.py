"""How many requests a key may make: a bucket a key, in the memory of each process.

The bucket holds a minute's requests and fills evenly, so that a program may catch up at once after
a silence and then goes on at the pace of the limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from threading import Lock
from uuid import UUID

WINDOW = 60
"""Seconds in which an empty bucket is full again."""
MANY = 1024
"""Buckets from which on those are looked for that are full again: they say nothing."""

_DUST = 1e-9
"""What a sum of fractions may be short of a whole request."""


@dataclass(frozen=True)
class Standing:
    """Where a key stands after a request: how many are left, and in how many seconds one more."""

    left: int
    more_in: int
    refused: bool


class Rates:
    """The buckets of one process. Only keys that were found good have one: strangers fill none."""

    def __init__(self, a_minute: int) -> None:
        self.a_minute = a_minute
        self._buckets: dict[UUID, tuple[float, datetime]] = {}
        self._lock = Lock()
        self._look_at = MANY

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: UUID, now: datetime) -> Standing:
        """Counts a request of this key. One that is refused costs nothing."""
        with self._lock:
            tokens = self._tokens(key, now)
            refused = tokens + _DUST < 1
            tokens -= 0 if refused else 1
            self._buckets[key] = (tokens, now)
            if len(self._buckets) > self._look_at:
                self._forget(now)
        left = max(0, int(tokens + _DUST))
        short = left + 1 - tokens
        return Standing(left, max(1, ceil(short * WINDOW / self.a_minute - _DUST)), refused)

    def _tokens(self, key: UUID, now: datetime) -> float:
        tokens, then = self._buckets.get(key, (float(self.a_minute), now))
        # A clock that was put back gives nothing, and takes nothing either.
        passed = max(0.0, (now - then).total_seconds())
        return min(float(self.a_minute), tokens + passed * self.a_minute / WINDOW)

    def _forget(self, now: datetime) -> None:
        for key in list(self._buckets):
            if self._tokens(key, now) + _DUST >= self.a_minute:
                del self._buckets[key]
        self._look_at = max(MANY, 2 * len(self._buckets))
