"""What followed preservations: the share with no MLA request, told by Party and by unit.

"Preservation never followed by an MLA request" is what contact points complain of most (meeting of
24/7 contact points, The Hague 2017).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MONTHS = (3, 12, 36)
"""How far a period can reach back."""

FIRST_YEAR = 2000


@dataclass(frozen=True)
class Period:
    """Orders served from ``start`` on, before ``end``; ``key`` is what an address carries."""

    key: str
    label: str
    start: datetime
    end: datetime


def months_back(months: int, now: datetime) -> Period:
    """The last months, of 30.4 days each."""
    start = now - months * timedelta(days=365.25 / 12)
    return Period(f"{months}m", f"Last {months} months", start, now + timedelta(seconds=1))


def year(number: int) -> Period:
    """A calendar year, UTC."""
    start, end = (datetime(n, 1, 1, tzinfo=UTC) for n in (number, number + 1))
    return Period(str(number), str(number), start, end)


def periods(now: datetime) -> list[Period]:
    """What can be chosen: the last months, this year and the one before."""
    return [*(months_back(m, now) for m in MONTHS), year(now.year), year(now.year - 1)]


def period(key: str, now: datetime) -> Period:
    """The period an address names; twelve months where it names none."""
    known = {p.key: p for p in periods(now)}
    if key in known:
        return known[key]
    if key.isascii() and key.isdigit() and len(key) == 4 and FIRST_YEAR <= int(key) <= now.year:
        return year(int(key))
    return known["12m"]


@dataclass(frozen=True)
class Group:
    """Preserved orders of one Party or unit for which an MLA request was announced.

    ``judged`` can be judged: a request is recorded, or the order has ended, or the announced day
    has passed. ``without`` of them have none. The rest is ``open``.
    """

    name: str
    kept: int
    judged: int
    without: int

    @property
    def open(self) -> int:
        """Still under way: a request may come in time."""
        return self.kept - self.judged

    @property
    def percent(self) -> int | None:
        """The share with none, rounded down; None where nothing can be judged."""
        return None if not self.judged else 100 * self.without // self.judged


def grouped(rows: Iterable[tuple[str | None, int, int, int]]) -> list[Group]:
    """Rows of name, kept, judged, without: spellings that differ in case or spaces are one.

    The worst first: by how many have none, then by name.
    """
    found: dict[str, Group] = {}
    for name, kept, judged, without in rows:
        shown = " ".join((name or "").split()) or "Not named"
        key = shown.casefold()
        old = found.get(key, Group(shown, 0, 0, 0))
        found[key] = Group(old.name, old.kept + kept, old.judged + judged, old.without + without)
    return sorted(found.values(), key=lambda g: (-g.without, g.name.casefold()))


def together(groups: Iterable[Group]) -> Group:
    """All of them as one."""
    total = Group("All", 0, 0, 0)
    for g in groups:
        total = Group(
            "All", total.kept + g.kept, total.judged + g.judged, total.without + g.without
        )
    return total
