"""Extending a preservation: how long each time, and how often, by memorandum and by law.

"Renewable" is all the Convention says (Budapest Convention art. 16(2)). How often and for how
long, the memorandum's terms say, and the law that binds the provider, where a rule of the register
names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from liaison.domain.answer import SHORTEST
from liaison.errors import FieldError

MOST_DAYS = 3650
"""No number of days beyond this is read at all."""

GRACE = timedelta(days=1)
"""For a date, not for a number of days: whoever counts in their own time zone may end up on the
day after."""

WAYS_OUT = (
    "Record the MLA request once it is sent (the data then stay until it is decided), issue a new "
    "order, or agree an amendment of the memorandum."
)


@dataclass(frozen=True)
class Limit:
    """One source's say: ``days`` for each extension, ``times`` in all; None where it sets none.

    ``days_term`` and ``times_term`` are how a refusal names it, source included.
    """

    days: int | None
    times: int | None
    days_term: str
    times_term: str
    ways_out: str = WAYS_OUT


@dataclass(frozen=True)
class Wish:
    """The later date: ``days`` from the promised one, or ``until``; one of the two."""

    days: int | None = None
    until: datetime | None = None


def of_terms(memorandum: str, longest_days: int, extensions: int) -> Limit:
    """The memorandum's terms, as they were copied at issue."""
    return Limit(
        days=longest_days,
        times=extensions,
        days_term=f"Memorandum {memorandum}, longest duration",
        times_term=f"Memorandum {memorandum}, number of extensions",
    )


def of_rule(name: str, source: str, days: int | None, times: int | None) -> Limit:
    """The law that binds the provider, as the register has it."""
    where = f"Rule “{name}” of the register ({source})"
    return Limit(
        days=days,
        times=times,
        days_term=f"{where}, days of an extension",
        times_term=f"{where}, number of extensions",
        ways_out="Record the MLA request once it is sent (the data then stay until it is decided), "
        "or issue a new order.",
    )


def resolve(wish: Wish, current: datetime) -> tuple[datetime | None, list[FieldError]]:
    """The date that is meant, later than the promised one; or what is wrong with it."""
    if wish.days is not None and wish.until is not None:
        return None, [FieldError("/until", "Give days or until, not both.")]
    if wish.days is None and wish.until is None:
        detail = "Say how much longer: days from the promised date, or until when."
        return None, [FieldError("/days", detail)]
    if wish.days is not None:
        if not 1 <= wish.days <= MOST_DAYS:
            detail = "Enter how many days longer, a whole number from 1."
            return None, [FieldError("/days", detail)]
        return current + timedelta(days=wish.days), []
    assert wish.until is not None
    until = wish.until.astimezone(UTC)
    if until < current + SHORTEST:
        detail = (
            f"This is not a day later than the date promised, {_day(current)}. Enter a later one."
        )
        return None, [FieldError("/until", detail)]
    return until, []


def refusals(
    wish: Wish, until: datetime, current: datetime, extended: int, limits: Sequence[Limit]
) -> list[FieldError]:
    """Which limits stand in the way, each with its source and what to do instead.

    ``extended``: how many extensions the provider has confirmed already.
    """
    found = []
    for limit in limits:
        if limit.times is not None and extended >= limit.times:
            done = "" if not extended else f" The order was extended {_times(extended)} already."
            detail = f"{limit.times_term}: {limit.times or 'none'}.{done} {limit.ways_out}"
            found.append(FieldError("", detail))
        elif limit.days is not None and until > current + _span(wish, limit.days):
            last = current + timedelta(days=limit.days)
            detail = (
                f"{limit.days_term}: {limit.days}. Enter {limit.days} days or fewer, "
                f"that is until {_day(last)}."
            )
            found.append(FieldError("/days" if wish.days is not None else "/until", detail))
    return found


def longest(limits: Sequence[Limit]) -> int | None:
    """The most days one extension may have; None where nothing limits it."""
    return min((limit.days for limit in limits if limit.days is not None), default=None)


def left(extended: int, limits: Sequence[Limit]) -> int | None:
    """How many extensions are left; None where nothing limits their number."""
    most = min((limit.times for limit in limits if limit.times is not None), default=None)
    return None if most is None else max(most - extended, 0)


def _span(wish: Wish, days: int) -> timedelta:
    return timedelta(days=days) + (GRACE if wish.days is None else timedelta(0))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
