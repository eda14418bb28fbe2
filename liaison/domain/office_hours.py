"""When a provider is open: its office hours and public holidays, in its own time zone.

Only the ladders of routine orders ask (domain/ladder.py): a step that calls somebody at the
provider waits until it opens. No deadline moves by it: those count from issue, day and night.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from liaison.domain.terms import Window

LONGEST_WAIT = timedelta(days=14)
"""Whoever does not open within it is not waited for: nobody is called late for ever."""

_ALL_WEEK = (Window(tuple(range(7)), "00:00", "24:00"),)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Calendar:
    """The hours of one provider; no windows: around the clock. Holidays are closed all day."""

    zone: ZoneInfo
    windows: tuple[Window, ...]
    holidays: frozenset[date]
    named: frozenset[str] = frozenset()
    """Of the contacts that a ladder names, those at the provider: a call to them waits, too."""

    def is_open(self, moment: datetime) -> bool:
        """Whether the provider is open; closing time itself is closed."""
        return any(start <= moment < end for start, end in self.open_from(moment, timedelta(0)))

    def opens_at(self, moment: datetime) -> datetime:
        """``moment`` where the provider is open, else when it opens next.

        ``moment`` as well where it does not open within ``LONGEST_WAIT``.
        """
        for start, end in self.open_from(moment, LONGEST_WAIT):
            if moment < end:
                opens = max(start, moment)
                return opens if opens <= moment + LONGEST_WAIT else moment
        return moment

    def open_from(self, moment: datetime, ahead: timedelta) -> Iterator[tuple[datetime, datetime]]:
        """Open spans in time order, from the day before a moment to the day after ``ahead``."""
        today = moment.astimezone(self.zone).date()
        # The day before: where clocks go back at midnight, it has not ended when the next begins.
        for number in range(-1, ahead.days + 2):
            yield from sorted(self._open(today + number * _DAY))

    def _open(self, day: date) -> Iterable[tuple[datetime, datetime]]:
        if day in self.holidays:
            return
        for hours in self.windows or _ALL_WEEK:
            if day.weekday() in hours.days:
                start, end = max(self._at(day, hours.opens)), min(self._at(day, hours.closes))
                if start < end:
                    yield start, end

    def _at(self, day: date, clock: str) -> tuple[datetime, datetime]:
        """A time on the wall as moments: two where clocks go back over it, or leap over it.

        It opens at the later and closes at the earlier of them: nobody is called while the
        clock on the wall may say that they are closed.
        """
        hour, minute = (int(part) for part in clock.split(":"))
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        local = local.replace(hour=hour % 24, minute=minute) + (hour // 24) * _DAY
        first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
        return first, second
