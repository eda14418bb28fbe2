"""The ladder: whom an unanswered order calls, when, and what comes next.

A ladder is an overlay on the order's life. The first climb counts from issue and is stopped
by the acknowledgement. The second begins when the time to preserve runs out. At the top
nothing stops by itself: the supervisor is paged at an interval until a person closes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from liaison.domain.vocabulary import Channel, Term


class Whom(Term):
    """Whom a rung calls."""

    ON_DUTY = "on_duty", "SPOC on duty", "Who is on duty at the provider; the SPOC otherwise."
    NAMED = "named", "Named contact", "One registered contact."
    EVERY_SPOC = "every_spoc", "Every SPOC", "The SPOC and all deputies."
    FALLBACK = "fallback", "Fallback addressee", "Who is reached when nobody else is."
    DUTY_OFFICER = "duty_officer", "Our duty officer", "The contact point's officer on duty."
    SUPERVISOR = "supervisor", "Our supervisor", "The contact point's supervisor."


class Climb(IntEnum):
    """Which clock ran: to acknowledge, or to preserve."""

    ACKNOWLEDGE = 1
    PRESERVE = 2


@dataclass(frozen=True)
class Rung:
    """One rung: ``after`` from the start, then ``repeats`` more times, ``every`` so long."""

    after: timedelta
    whom: Whom
    channels: tuple[Channel, ...]
    contact: str | None = None
    repeats: int = 0
    every: timedelta = timedelta(0)


@dataclass(frozen=True)
class Ladder:
    """Rungs in time order; ``page_every`` is the interval of the pages at the top."""

    rungs: tuple[Rung, ...]
    page_every: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Step:
    """One moment of a climb. ``number`` counts from 0 without end; ``rung`` is None at the top."""

    number: int
    rung: int | None
    repeat: int
    due_at: datetime
    whom: Whom
    channels: tuple[Channel, ...]
    contact: str | None

    @property
    def at_top(self) -> bool:
        """Whether the ladder is used up and the supervisor is paged."""
        return self.rung is None


def step(ladder: Ladder, climb: Climb, start: datetime, number: int) -> Step:
    """The ``number``-th moment of a climb that started at ``start``.

    The second climb starts with its first rung at once, for the time has run out already.
    """
    planned = _planned(ladder)
    shift = planned[0][0] if climb is Climb.PRESERVE and planned else timedelta(0)
    if number < len(planned):
        after, index, repeat = planned[number]
        rung = ladder.rungs[index]
        return Step(
            number, index, repeat, start + after - shift, rung.whom, rung.channels, rung.contact
        )
    last = planned[-1][0] - shift if planned else timedelta(0)
    pages = number - len(planned) + 1
    due = start + last + pages * ladder.page_every
    return Step(number, None, pages, due, Whom.SUPERVISOR, (Channel.EMAIL, Channel.CALL), None)


def outline(ladder: Ladder, climb: Climb, start: datetime) -> tuple[Step, ...]:
    """All steps of a climb up to and with the first page at the top, in time order."""
    return tuple(step(ladder, climb, start, n) for n in range(len(_planned(ladder)) + 1))


def _planned(ladder: Ladder) -> list[tuple[timedelta, int, int]]:
    return sorted(
        (rung.after + k * rung.every, index, k)
        for index, rung in enumerate(ladder.rungs)
        for k in range(rung.repeats + 1)
    )


def ladder_json(ladder: Ladder) -> dict[str, Any]:
    """The ladder as data; times in minutes."""
    return {
        "page_every": _minutes(ladder.page_every),
        "rungs": [
            {
                "after": _minutes(rung.after),
                "whom": rung.whom.value,
                "channels": [c.value for c in rung.channels],
                "contact": rung.contact,
                "repeats": rung.repeats,
                "every": _minutes(rung.every),
            }
            for rung in ladder.rungs
        ],
    }


def ladder_from_json(data: Mapping[str, Any]) -> Ladder:
    """The ladder that ``ladder_json`` wrote."""
    rungs = tuple(
        Rung(
            after=timedelta(minutes=r["after"]),
            whom=Whom(r["whom"]),
            channels=tuple(Channel(c) for c in r["channels"]),
            contact=r.get("contact"),
            repeats=r.get("repeats", 0),
            every=timedelta(minutes=r.get("every", 0)),
        )
        for r in data["rungs"]
    )
    return Ladder(rungs, timedelta(minutes=data["page_every"]))


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
