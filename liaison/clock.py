"""The one place that reads the clock; everything else is handed ``now``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """The present moment, time zone aware, in UTC."""
        ...


class SystemClock:
    """The process's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """Always the same moment: ``liaison worker --once --as-of TIME``."""

    moment: datetime

    def now(self) -> datetime:
        """That moment."""
        return self.moment


def rfc3339(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC with ``Z``; microseconds only where there are any."""
    text = moment.astimezone(UTC).isoformat()
    return text.replace("+00:00", "Z")
