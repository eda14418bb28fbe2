"""The ladder: whom an unanswered order calls, when, and what comes next.

A ladder is an overlay on the order's life. The first climb counts from issue and is stopped
by the acknowledgement. The second begins when the time to preserve runs out. At the top
nothing stops by itself: the supervisor is paged at an interval until a person closes it.

Where a calendar is handed in, a step that calls somebody at the provider waits while they are
closed. Numbers stay those of the plan: a step that waits can come after one with a higher number.
What has come already, or never will, lets nobody wait (``Place``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Protocol

from liaison.domain.vocabulary import PERSONAL, Channel, Term


class Whom(Term):
    """Whom a rung calls."""

    ON_DUTY = "on_duty", "SPOC on duty", "Who is on duty at the provider; the SPOC otherwise."
    NAMED = "named", "Named contact", "One registered contact."
    EVERY_SPOC = "every_spoc", "Every SPOC", "The SPOC and all deputies."
    FALLBACK = "fallback", "Fallback addressee", "Who is reached when nobody else is."
    DUTY_OFFICER = "duty_officer", "Our duty officer", "The contact point's officer on duty."
    SUPERVISOR = "supervisor", "Our supervisor", "The contact point's supervisor."


AT_THE_PROVIDER = frozenset({Whom.ON_DUTY, Whom.EVERY_SPOC, Whom.FALLBACK})
"""Called at the provider whoever they are; a named contact may be on either side."""

APART = timedelta(minutes=15)
"""Between two steps that waited, unless the ladder has them closer: nobody opens to a volley."""


class Hours(Protocol):
    """When the provider is open, and which named contacts are its own (office_hours.Calendar)."""

    @property
    def named(self) -> frozenset[str]:
        """Ids of contacts at the provider."""

    def opens_at(self, moment: datetime) -> datetime:
        """The moment itself where the provider is open, else when it opens next."""


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
    """One moment of a climb. ``number`` counts from 0 without end; ``rung`` is None at the top.

    ``waits``: by how much it comes later than the ladder says, for the provider was closed.
    """

    number: int
    rung: int | None
    repeat: int
    due_at: datetime
    whom: Whom
    channels: tuple[Channel, ...]
    contact: str | None
    waits: timedelta = timedelta(0)

    @property
    def meant_at(self) -> datetime:
        """When it would have come, had the provider been open."""
        return self.due_at - self.waits

    @property
    def at_top(self) -> bool:
        """Whether the ladder is used up and the supervisor is paged."""
        return self.rung is None


@dataclass(frozen=True)
class Place:
    """Where a climb stands that waits for a provider to open.

    ``left`` have not come. ``before``: the last step that called somebody there, and by how much
    later than the ladder says. Nobody there is called before ``not_before``.
    """

    left: Collection[int]
    before: tuple[int, timedelta] | None = None
    not_before: datetime | None = None


def step(
    ladder: Ladder,
    climb: Climb,
    start: datetime,
    number: int,
    hours: Hours | None = None,
    place: Place | None = None,
) -> Step:
    """The ``number``-th moment of a climb that started at ``start``.

    The second climb starts with its first rung at once, for the time has run out already. The
    pages at the top begin when every rung that is left has called; where none is left, they come
    as the ladder says. They go by every way that is registered. No ``place``: nothing has come.
    """
    planned = _planned(ladder)
    if hours is None and number < len(planned):
        return _rung(ladder, start - _shift(planned, climb), planned, number)
    steps = _rungs(ladder, climb, start, hours, place)
    if number < len(steps):
        return steps[number]
    to_come = [one.due_at for one in steps if place is None or one.number in place.left]
    last = max(to_come or [one.meant_at for one in steps], default=start)
    pages = number - len(steps) + 1
    due = last + pages * ladder.page_every
    return Step(number, None, pages, due, Whom.SUPERVISOR, PERSONAL, None)


def outline(
    ladder: Ladder, climb: Climb, start: datetime, hours: Hours | None = None
) -> tuple[Step, ...]:
    """All steps of a climb up to and with the first page at the top, in time order."""
    steps = sorted(_rungs(ladder, climb, start, hours), key=comes)
    return (*steps, step(ladder, climb, start, len(steps), hours))


def first_of(
    ladder: Ladder, climb: Climb, start: datetime, place: Place, hours: Hours | None = None
) -> Step:
    """Which of the steps that are left comes first."""
    return min((step(ladder, climb, start, n, hours, place) for n in place.left), key=comes)


def length(ladder: Ladder) -> int:
    """How many steps a climb has before the top, repeats counted."""
    return sum(rung.repeats + 1 for rung in ladder.rungs)


def comes(one: Step) -> tuple[datetime, int]:
    """The order in which steps come."""
    return one.due_at, one.number


def is_there(one: Step, hours: Hours) -> bool:
    """Whether a step calls somebody at the provider."""
    return one.whom in AT_THE_PROVIDER or one.contact in hours.named


def _rungs(
    ladder: Ladder,
    climb: Climb,
    start: datetime,
    hours: Hours | None,
    place: Place | None = None,
) -> list[Step]:
    """Every step before the top, by number."""
    planned = _planned(ladder)
    begin = start - _shift(planned, climb)
    found = [_rung(ladder, begin, planned, number) for number in range(len(planned))]
    if hours is None:
        return found
    return _put_off(found, hours, place or Place(range(len(found))))


def _shift(planned: list[_Planned], climb: Climb) -> timedelta:
    return planned[0][0] if climb is Climb.PRESERVE and planned else timedelta(0)


def _rung(ladder: Ladder, begin: datetime, planned: list[_Planned], number: int) -> Step:
    after, index, repeat = planned[number]
    rung = ladder.rungs[index]
    return Step(number, index, repeat, begin + after, rung.whom, rung.channels, rung.contact)


def _put_off(steps: list[Step], hours: Hours, place: Place) -> list[Step]:
    """Who is called at the provider waits until it opens; their order and distance are kept."""
    found, before = [], None
    came, late = place.before or (None, timedelta(0))
    for one in steps:
        if one.number == came:
            before = one = at(one, one.due_at + late)
        elif one.number in place.left and is_there(one, hours):
            due = max(one.due_at, place.not_before or one.due_at)
            if before is not None:
                due = max(due, before.due_at + min(one.due_at - before.meant_at, APART))
            before = one = at(one, hours.opens_at(due))
        found.append(one)
    return found


def at(one: Step, moment: datetime) -> Step:
    """The step as it comes at a moment that is not the ladder's own."""
    return replace(one, due_at=moment, waits=moment - one.meant_at)


_Planned = tuple[timedelta, int, int]
"""How long after the beginning, which rung, which repeat of it."""


def _planned(ladder: Ladder) -> list[_Planned]:
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
