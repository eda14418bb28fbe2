"""Drills: when they happen in a memorandum's year, and what a drill's order says.

Drills are spread over the year and over day and night, so that nobody is only ever tried at a
convenient hour. What is drawn is unforeseeable; the draw is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from liaison.domain.vocabulary import DataCategory, TargetType, Urgency

Draw = Callable[[int], int]
"""A number from 0 up to, and without, the one given; such as ``SystemRandom().randrange``."""

NIGHT_BEGINS, NIGHT_LASTS, DAY = 22 * 60, 8 * 60, 24 * 60
"""Minutes: the night is from 22:00 to 06:00 in the provider's time zone."""

MOST = 366
"""Drills a year, at most."""

ANNOUNCED_AHEAD = timedelta(hours=24)
"""How long before an announced drill the provider is told, at least."""

MARK = "TEST"
"""Stands everywhere a drill is named."""


@dataclass(frozen=True)
class Slot:
    """One of the drills of a year: ``number`` counts from 1; ``at`` is None where no hour is left
    in its part of the year."""

    number: int
    at: datetime | None

    @property
    def announced(self) -> bool:
        """Every second drill is announced beforehand."""
        return self.number % 2 == 0

    @property
    def urgency(self) -> Urgency:
        """Mostly emergencies: that is what the network is for. Every fourth is urgent."""
        return Urgency.URGENT if self.number % 4 == 3 else Urgency.EMERGENCY


def anniversary(begun: date, years: int) -> date:
    """The same day so many years later; 28 February where there is no 29th."""
    try:
        return begun.replace(year=begun.year + years)
    except ValueError:
        return begun.replace(year=begun.year + years, day=28)


def year_of(begun: date, day: date) -> date:
    """The first day of the memorandum's year in which a day lies."""
    years = day.year - begun.year
    return anniversary(begun, years if anniversary(begun, years) <= day else years - 1)


def spread(
    number: int, start: datetime, end: datetime, zone: str, draw: Draw, not_before: datetime
) -> list[Slot]:
    """So many drills between two moments: one in each equal part, by day and by night.

    A third of them, and one where there are two or more, falls into the night; within night and
    day the hours are spread too. None lies before ``not_before``.
    """
    number = min(number, MOST)
    if number < 1:
        return []
    part = (end - start) / number
    hours = _shuffled(_hours(number), draw)
    return [
        Slot(
            k + 1,
            _moment(
                max(start + k * part, not_before), start + (k + 1) * part, hours[k], zone, draw
            ),
        )
        for k in range(number)
    ]


def is_night(moment: datetime, zone: str) -> bool:
    """Whether it is between 22:00 and 06:00 there."""
    local = moment.astimezone(ZoneInfo(zone))
    return (local.hour * 60 + local.minute - NIGHT_BEGINS) % DAY < NIGHT_LASTS


def _hours(number: int) -> list[tuple[int, int]]:
    """A stretch of the day for each drill: first minute (local) and length."""
    if number == 1:
        return [(0, DAY)]
    by_night = max(round(number * NIGHT_LASTS / DAY), 1)
    return [
        *_stretches(NIGHT_BEGINS, NIGHT_LASTS, by_night),
        *_stretches(NIGHT_BEGINS + NIGHT_LASTS, DAY - NIGHT_LASTS, number - by_night),
    ]


def _stretches(begins: int, lasts: int, number: int) -> list[tuple[int, int]]:
    edges = [begins + lasts * k // number for k in range(number + 1)]
    return [(low % DAY, max(high - low, 1)) for low, high in pairwise(edges)]


def _shuffled(given: Sequence[tuple[int, int]], draw: Draw) -> list[tuple[int, int]]:
    left, out = list(given), []
    while left:
        out.append(left.pop(draw(len(left))))
    return out


def _moment(
    low: datetime, high: datetime, hours: tuple[int, int], zone: str, draw: Draw
) -> datetime | None:
    """A moment in ``[low, high)`` at a local time of day within the stretch; None without one."""
    if low >= high:
        return None
    begins, lasts = hours
    offset = draw(lasts)
    for shift in range(lasts):  # a short rest of a part may lack the drawn minute, not all
        minute = (begins + (offset + shift) % lasts) % DAY
        found = _at(low, high, time(minute // 60, minute % 60), ZoneInfo(zone))
        if found:
            return found[draw(len(found))]
    return None


def _at(low: datetime, high: datetime, at: time, zone: ZoneInfo) -> list[datetime]:
    """The moments in ``[low, high)`` at this local time of day."""
    first, last = low.astimezone(zone).date(), high.astimezone(zone).date()
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    moments = (datetime.combine(day, at, zone).astimezone(UTC) for day in days)
    return [moment for moment in moments if low <= moment < high]


_EXAMPLES = {
    TargetType.IP_ADDRESS: "192.0.2.1",
    TargetType.IP_RANGE: "192.0.2.0/24",
    TargetType.DOMAIN: "test.example.com",
    TargetType.EMAIL: "test@example.com",
    TargetType.URL: "https://test.example.com/",
    TargetType.MAC: "00:00:5E:00:53:01",
    TargetType.ACCOUNT: "TEST",
    TargetType.OTHER: "TEST",
    TargetType.DEVICE: "TEST",
    TargetType.PAYMENT: "TEST",
    TargetType.PHONE: "+441632960001",
    TargetType.IMSI: "001010000000001",
    TargetType.IMEI: "00100000000000",
}
"""Values that belong to nobody (RFC 5737, 2606, 7042; Ofcom's numbers for drama; test networks),
in the order in which they are preferred."""


def example(covered: Collection[TargetType]) -> tuple[TargetType, str]:
    """What a drill asks about: of the covered kinds, a value that is nobody's."""
    kind = next((k for k in _EXAMPLES if k in covered), TargetType.OTHER)
    return kind, _EXAMPLES[kind]


def asked_for(covered: Collection[DataCategory]) -> list[DataCategory]:
    """The one category a drill asks for: the least private of those covered."""
    return [next((c for c in DataCategory if c in covered), DataCategory.OTHER)]


TEXTS = {
    "offence": f"{MARK}: this is a drill. There is no offence and no case.",
    "facts": f"{MARK}: this is a drill. Nothing has happened, nobody is at risk. "
    "Answer as you would answer a real order; no data need be kept.",
    "necessity": f"{MARK}: this is a drill. It tries whether an order is answered in time.",
    "relation": f"{MARK}: a value from documentation that is nobody's.",
    "ground": f"{MARK}: this is a drill. There is no risk to anybody.",
    "case": f"{MARK}: no case",
}
"""What stands in the fields of a drill's order."""
