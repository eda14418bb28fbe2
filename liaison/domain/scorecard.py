"""What answers amount to: medians, percentiles, shares within the term.

Whoever did not answer is counted as infinitely late: silence must not better a figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Case:
    """One order as the figures see it. ``answered_at`` is the acknowledgement, or the refusal of
    one that was not acknowledged before; ``closed_at`` when it ended unanswered."""

    issued_at: datetime
    acknowledge_by: datetime
    preserve_by: datetime
    answered_at: datetime | None = None
    preserved_at: datetime | None = None
    declined: bool = False
    closed_at: datetime | None = None

    def counts(self, now: datetime) -> bool:
        """Whether it can be judged: answered, or its time to acknowledge ran out while it stood.

        What was taken back before says nothing about the provider.
        """
        return self.answered_at is not None or self._stood(self.acknowledge_by, now)

    @property
    def in_time(self) -> bool:
        """Acknowledged within the term."""
        return self.answered_at is not None and self.answered_at <= self.acknowledge_by

    def counts_kept(self, now: datetime) -> bool:
        """Whether its preservation can be judged; one that was declined is answered otherwise."""
        if self.declined:
            return False
        return self.preserved_at is not None or self._stood(self.preserve_by, now)

    def _stood(self, until: datetime, now: datetime) -> bool:
        return until < now if self.closed_at is None else until <= self.closed_at

    @property
    def kept_in_time(self) -> bool:
        """Preservation confirmed within the term."""
        return self.preserved_at is not None and self.preserved_at <= self.preserve_by


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        """Rounded down: 100 means all. None of nothing."""
        return self.part * 100 // self.whole if self.whole else None


@dataclass(frozen=True)
class Figures:
    """One kind of orders. ``number`` were served, ``judged`` of them can be judged."""

    number: int
    judged: int
    answered: int
    median: timedelta | None
    """Time to acknowledge; None where it is not reached: too many did not answer."""
    ninetieth: timedelta | None
    in_time: Share
    kept_in_time: Share
    hours: tuple[Share, ...]
    """Acknowledged within the term, by the hour of issue in the provider's time zone."""


def figures(cases: Sequence[Case], zone: str, now: datetime) -> Figures:
    """The figures of some orders."""
    judged = [case for case in cases if case.counts(now)]
    kept = [case for case in cases if case.counts_kept(now)]
    spans = [case.answered_at - case.issued_at for case in judged if case.answered_at is not None]
    return Figures(
        number=len(cases),
        judged=len(judged),
        answered=len(spans),
        median=nearest_rank(spans, len(judged), 50),
        ninetieth=nearest_rank(spans, len(judged), 90),
        in_time=_share(case.in_time for case in judged),
        kept_in_time=_share(case.kept_in_time for case in kept),
        hours=_by_hour(judged, zone),
    )


def nearest_rank(spans: Sequence[timedelta], of: int, percent: int) -> timedelta | None:
    """The percentile by nearest rank among ``of``, those without a span being infinite."""
    rank = math.ceil(percent * of / 100)
    return sorted(spans)[rank - 1] if 0 < rank <= len(spans) else None


def _by_hour(judged: Iterable[Case], zone: str) -> tuple[Share, ...]:
    there = ZoneInfo(zone)
    hours: list[list[bool]] = [[] for _ in range(24)]
    for case in judged:
        hours[case.issued_at.astimezone(there).hour].append(case.in_time)
    return tuple(map(_share, hours))


def _share(found: Iterable[bool]) -> Share:
    outcomes = list(found)
    return Share(sum(outcomes), len(outcomes))
