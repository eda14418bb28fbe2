"""Days on which something repeats (RFC 5545, 3.3.10), in a bounded time whatever the rule says.

A day is asked, not searched for: an ordinary library looks for the next match, and for a rule that
never matches (30 February) it looks until the year 9999. Read are rules by day, week, month and
year, as calendars of duty have them; others are refused in words.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST_PAST = timedelta(days=3660)
"""A rule with a count is counted from its first day; that may lie ten years back."""

_KNOWN = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "WKST"}
_BYDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)


class SpentError(Exception):
    """More days would be asked than are allowed."""


@dataclass
class Budget:
    """How many days may be asked, by all rules that share it."""

    left: int

    def spend(self) -> None:
        """One day; ``SpentError`` where none is left."""
        if self.left <= 0:
            raise SpentError
        self.left -= 1


@dataclass(frozen=True)
class Repeat:
    """A rule, read. ``days`` are (ordinal in the month or 0, weekday)."""

    every: str
    interval: int
    count: int | None
    until: date | None
    days: tuple[tuple[int, int], ...]
    month_days: frozenset[int]
    months: tuple[int, ...]
    week_start: int

    def dates(
        self, first: date, start: date, end: date, budget: Budget | None = None
    ) -> Iterator[date]:
        """Its days from ``start`` to ``end`` inclusive; ``first`` is the day it begins on.

        Each day that is asked is taken from ``budget``.
        """
        if first < start - LONGEST_PAST:
            raise ValueError("It began more than ten years ago. Let it begin anew.")
        # The day it begins on counts, whether it fits the rule or not.
        number, day = 0, first if self.count is not None else max(first, start)
        last = end if self.until is None else min(end, self.until)
        while day <= last and (self.count is None or number < self.count):
            if budget is not None:
                budget.spend()
            if day == first or self._fits(day, first):
                number += 1
                if day >= start:
                    yield day
            day += timedelta(days=1)

    def _fits(self, day: date, first: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.every == "DAILY":
            near = (day - first).days % self.interval == 0
            return near and self._is_weekday(day) and self._is_month_day(day)
        if self.every == "WEEKLY":
            weeks = (self._monday(day) - self._monday(first)).days // 7
            wanted = self.days or ((0, first.weekday()),)
            return weeks % self.interval == 0 and any(day.weekday() == d for _, d in wanted)
        months = (day.year - first.year) * 12 + day.month - first.month
        if self.every == "MONTHLY":
            return months % self.interval == 0 and self._fits_month(day, first)
        in_month = bool(self.months) or day.month == first.month
        return (
            (day.year - first.year) % self.interval == 0
            and in_month
            and self._fits_month(day, first)
        )

    def _fits_month(self, day: date, first: date) -> bool:
        if not self.days and not self.month_days:
            return day.day == first.day
        return self._is_weekday(day) and self._is_month_day(day)

    def _is_weekday(self, day: date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        ordinals = {0, (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)}
        return not self.days or any(day.weekday() == d and n in ordinals for n, d in self.days)

    def _is_month_day(self, day: date) -> bool:
        length = calendar.monthrange(day.year, day.month)[1]
        return not self.month_days or bool({day.day, day.day - length - 1} & self.month_days)

    def _monday(self, day: date) -> date:
        return day - timedelta(days=(day.weekday() - self.week_start) % 7)


def parse(rule: Mapping[str, Sequence[object]], until: date | None) -> Repeat:
    """The rule, by the names of RFC 5545; ``ValueError`` says what of it is not read."""
    given = {name.upper(): [str(v).upper() for v in values] for name, values in rule.items()}
    if unknown := sorted(set(given) - _KNOWN):
        raise ValueError(f"{', '.join(unknown)[:60]} in its rule of repetition is not read.")
    every = _one(given, "FREQ", "")
    if every not in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY"):
        raise ValueError("It repeats more often than daily, or without saying how often.")
    # Each once: a day said a thousand times would be asked for a thousand times.
    days = tuple(dict.fromkeys(_by_day(text) for text in given.get("BYDAY", [])))
    if every == "YEARLY" and days and not given.get("BYMONTH"):
        raise ValueError("It repeats by weekdays of a year; name the month too.")
    if every in ("DAILY", "WEEKLY") and any(n for n, _ in days):
        raise ValueError("It counts weekdays of a month, but repeats by days or weeks.")
    if every == "WEEKLY" and given.get("BYMONTHDAY"):
        raise ValueError("It repeats by weeks and by days of a month at once.")
    week_start = _one(given, "WKST", "MO")
    if week_start not in DAYS:
        raise ValueError("Its week begins on no day of the week.")
    return Repeat(
        every,
        _number(given, "INTERVAL", 1, 1000) or 1,
        _number(given, "COUNT", 1, 100_000),
        until,
        days,
        frozenset(_numbers(given, "BYMONTHDAY", 31, signed=True)),
        _numbers(given, "BYMONTH", 12),
        DAYS.index(week_start),
    )


def _one(given: Mapping[str, list[str]], name: str, usual: str) -> str:
    values = given.get(name, [usual])
    if len(values) != 1:
        raise ValueError(f"{name} stands more than once in its rule of repetition.")
    return values[0]


def _number(given: Mapping[str, list[str]], name: str, low: int, high: int) -> int | None:
    if name not in given:
        return None
    text = _one(given, name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 8 and low <= int(text) <= high):
        raise ValueError(f"{name} in its rule must be a number from {low} to {high}.")
    return int(text)


def _numbers(
    given: Mapping[str, list[str]], name: str, high: int, *, signed: bool = False
) -> tuple[int, ...]:
    found = []
    for text in given.get(name, []):
        bare = text.lstrip("+-") if signed else text
        if not (bare.isascii() and bare.isdigit() and len(bare) < 3 and 1 <= int(bare) <= high):
            raise ValueError(f"{name} in its rule holds what is no such number.")
        found.append(-int(bare) if text.startswith("-") else int(bare))
    return tuple(dict.fromkeys(found))


def _by_day(text: str) -> tuple[int, int]:
    found = _BYDAY.fullmatch(text)
    if found is None:
        raise ValueError("BYDAY in its rule holds what is no weekday.")
    return int(found[1] or 0), DAYS.index(found[2])
