"""How long a program tries: growing pauses with jitter, what the portal asks for, and an end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import httpx

LONGEST_WISH = 3600.0
"""Seconds: a ``Retry-After`` beyond counts as this."""


@dataclass(frozen=True)
class Time:
    """Clocks and sleep, to be exchanged in tests. All in seconds."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    """From 0 to 1; what spreads the tries of many programs."""


@dataclass(frozen=True)
class Pauses:
    """Growing pauses: ``first``, twice as long each time, up to ``longest``; half of it jitter."""

    first: float = 0.5
    longest: float = 30.0
    chance: Callable[[], float] = field(default=random.random)

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return whole * (0.5 + self.chance() / 2)


def retry_after(headers: httpx.Headers, wall: Callable[[], float]) -> float | None:
    """What ``Retry-After`` asks for, in seconds from 0 to an hour; None where it asks nothing.

    A date (RFC 9110, section 10.2.3) counts from the answer's own ``Date``: clocks differ.
    """
    told = headers.get("Retry-After", "").strip()
    if told.isascii() and told.isdigit():
        return min(float(told[:9]), LONGEST_WISH)
    until = _moment(told)
    if until is None:
        return None
    now = _moment(headers.get("Date", ""))
    return min(max(until - (wall() if now is None else now), 0.0), LONGEST_WISH)


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
