"""Hours of the week as people write them: ``Monday to Friday, 08:00 to 20:00``."""

from __future__ import annotations

import re

from liaison.domain.terms import Window

WANTED = "Write days and hours like “Monday to Friday, 08:00 to 20:00” or “Sat, Sun, 10:00-14:00”."

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY = ("every day", "daily", "all week")
_TIME = r"([01]?\d|2[0-4])[:.]([0-5]\d)"
_LINE = re.compile(rf"(?P<days>[a-z ,–-]+?),?\s*{_TIME}\s*(?:to|-|–)\s*{_TIME}", re.ASCII)
_RUN = re.compile(r"\s*(?:to|-|–)\s*")


def parse(text: str) -> Window:
    """One window; ``ValueError`` says what to write instead. Days are in the order of the week.

    It ends on the day it begins, at 24:00 at the latest: the night after is a window of its own.
    """
    found = _LINE.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(WANTED)
    opens, closes = _clock(found[2], found[3]), _clock(found[4], found[5])
    if opens == "24:00" or closes > "24:00" or opens > "24:00":
        raise ValueError("Write hours from 00:00 to 24:00.")
    if closes <= opens:
        raise ValueError("Write a window over midnight as two: until 24:00, and from 00:00.")
    return Window(_days(found["days"].strip(" ,")), opens, closes)


def _clock(hour: str, minute: str) -> str:
    return f"{int(hour):02}:{minute}"


def _days(text: str) -> tuple[int, ...]:
    if text in _EVERY:
        return tuple(range(7))
    found: set[int] = set()
    for part in re.split(r",| and ", text):
        first, *rest = _RUN.split(part.strip(), maxsplit=1)
        begin = _day(first)
        end = _day(rest[0]) if rest else begin
        # Friday to Monday goes over the end of the week.
        found |= {(begin + n) % 7 for n in range((end - begin) % 7 + 1)}
    return tuple(sorted(found))


def _day(text: str) -> int:
    for number, name in enumerate(_NAMES):
        if len(text) >= 2 and name.startswith(text):
            return number
    raise ValueError(WANTED)
