"""Spans of time as people write them: ``90 min``, ``1 h 30 min``, ``5 days``."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=366)

WANTED = "Write a time with its unit, like 45 min, 1 h 30 min or 5 days."

_PART = re.compile(r"\s*(\d{1,6})\s*([a-z]+)\.?\s*,?", re.ASCII)
_UNITS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("week", "weeks"), timedelta(weeks=1)),
}


def parse(text: str) -> timedelta:
    """The span, in whole minutes; ``ValueError`` says what to write instead.

    A bare number is refused: whoever means hours and is understood in minutes pages people.
    """
    rest, whole, smallest = text.strip().lower().replace(" and ", " "), timedelta(0), None
    if not rest:
        raise ValueError(WANTED)
    while rest:
        found = _PART.match(rest)
        unit = _UNITS.get(found[2]) if found else None
        if found is None or unit is None or (smallest is not None and unit >= smallest):
            raise ValueError(WANTED)
        whole, smallest = whole + int(found[1]) * unit, unit
        rest = rest[found.end() :]
        if whole > LONGEST:
            raise ValueError(f"Write a time of at most {LONGEST.days} days.")
    return whole
