"""Who is on duty: rotations, what departs from them, and the hours at which nobody is.

Everything is told in local time, for people hand over by the clock on their wall. One rule turns
a local time into a moment, and it holds at both changes of daylight saving time: *the first
moment at which the local clock shows that time or a later one*. A time that is skipped in spring
becomes the first moment after the skipped hour; of a time that comes twice in autumn, the first
counts. Days are counted by the calendar and never as 24 hours.

- A rotation begins on ``starts_on`` at its hand-over; before that nobody of it is on duty. Its
  members take turns in their order and begin again. A daily turn ends at the next day's hand-over,
  a weekly one at the hand-over of the next ``weekday``: a rotation that starts on another weekday
  has a first turn that is shorter than a week.
- With windows, a member is on duty within them only. A window that closes at or before the time
  it opens closes on the next day.
- Holidays are local days, from midnight to midnight, of the rotation's own zone.
- An override puts one member in the place of one rotation's, or of everybody's, and so it also
  fills a gap. Where overrides overlap, the one made last counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from liaison.domain.terms import Window
from liaison.domain.vocabulary import Holidays, Turn

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_MIDNIGHT = "00:00"


@dataclass(frozen=True)
class Rotation:
    """Members that take turns. Times are ``HH:MM`` in ``zone``; ``weekday`` 0 is Monday.

    ``begins_at`` and ``ends_at`` bound it: it counts for no moment before or after.
    """

    id: UUID
    members: tuple[UUID, ...]
    turn: Turn
    handover: str
    weekday: int
    zone: str
    starts_on: date
    windows: tuple[Window, ...] = ()
    holidays: Holidays = Holidays.AS_USUAL
    begins_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Override:
    """``member`` is on duty from ``start`` until ``end``; ``rota`` None: in place of everybody."""

    start: datetime
    end: datetime
    member: UUID
    rota: UUID | None = None


@dataclass(frozen=True)
class Shift:
    """A span in which the same members of the same rotations are on duty; none in a gap."""

    start: datetime
    end: datetime
    members: tuple[UUID, ...]
    rotas: tuple[UUID, ...] = field(default=())

    @property
    def is_gap(self) -> bool:
        """Whether nobody is on duty."""
        return not self.members


def instant(day: date, at: str, zone: str) -> datetime:
    """The first moment (UTC) at which the clock in ``zone`` shows this time or a later one.

    ``24:00`` is the next day's midnight.
    """
    return _instant(day + _DAY, _MIDNIGHT, zone) if at == "24:00" else _instant(day, at, zone)


@lru_cache(maxsize=50_000)
def _instant(day: date, at: str, zone: str) -> datetime:
    there = ZoneInfo(zone)
    wall = datetime.combine(day, time(int(at[:2]), int(at[3:])))
    # Of a time that comes twice, fold=0 is the first.
    moment = wall.replace(tzinfo=there).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == wall:
        return moment
    # It was skipped: the change lies between the two readings of the time.
    low = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    high = moment
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        shown = middle.astimezone(there).replace(tzinfo=None)
        low, high = (low, middle) if shown >= wall else (middle, high)
    return high


def on_duty(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    moment: datetime,
) -> tuple[UUID, ...]:
    """The members on duty at a moment, in the order of the rotations; empty in a gap.

    ``overrides`` stand in the order in which they were made.
    """
    return _posts(rotations, overrides, holidays, moment)[0]


def timeline(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    start: datetime,
    end: datetime,
) -> list[Shift]:
    """The whole span in the longest pieces in which nothing changes, gaps included."""
    if start >= end:
        return []
    edges = {start, end}
    for rotation in rotations:
        edges.update(_edges(rotation, start, end))
    for override in overrides:
        edges.update((override.start, override.end))
    cuts = sorted(edge for edge in edges if start <= edge <= end)
    found: list[Shift] = []
    for left, right in pairwise(cuts):
        members, rotas = _posts(rotations, overrides, holidays, left)
        last = found[-1] if found else None
        if last is not None and (last.members, last.rotas) == (members, rotas):
            found[-1] = Shift(last.start, right, members, rotas)
        else:
            found.append(Shift(left, right, members, rotas))
    return found


def shifts(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    start: datetime,
    end: datetime,
) -> list[Shift]:
    """The spans in which somebody is on duty."""
    return [s for s in timeline(rotations, overrides, holidays, start, end) if not s.is_gap]


def gaps(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    start: datetime,
    end: datetime,
) -> list[tuple[datetime, datetime]]:
    """The spans in which nobody is on duty, each as long as it can be."""
    whole = timeline(rotations, overrides, holidays, start, end)
    return [(s.start, s.end) for s in whole if s.is_gap]


def coverage(whole: Iterable[Shift]) -> float:
    """The share of a timeline in which somebody is on duty, 0 to 1; 1 where it is empty."""
    total = covered = timedelta(0)
    for shift in whole:
        total += shift.end - shift.start
        covered += timedelta(0) if shift.is_gap else shift.end - shift.start
    return covered / total if total else 1.0


def _posts(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    moment: datetime,
) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    """Who is on duty, and of which rotations."""
    live = [o for o in overrides if o.start <= moment < o.end]
    members: dict[UUID, None] = {}
    rotas: list[UUID] = []
    standing = [r for r in rotations if _stands(r, moment)]
    for rotation in standing:
        member = _member(rotation, live, holidays, moment)
        if member is not None:
            members[member] = None
            rotas.append(rotation.id)
    if not standing:
        members.update((o.member, None) for o in [o for o in live if o.rota is None][-1:])
    return tuple(members), tuple(rotas)


def _stands(rotation: Rotation, moment: datetime) -> bool:
    begun = rotation.begins_at is None or rotation.begins_at <= moment
    return begun and (rotation.ends_at is None or moment < rotation.ends_at)


def _member(
    rotation: Rotation, live: Sequence[Override], holidays: Set[date], moment: datetime
) -> UUID | None:
    for override in reversed(live):
        if override.rota in (None, rotation.id):
            return override.member
    turn = _turn(rotation, moment)
    if turn is None or not _is_open(rotation, moment) or not _is_day(rotation, holidays, moment):
        return None
    return rotation.members[turn % len(rotation.members)]


def _turn(rotation: Rotation, moment: datetime) -> int | None:
    """Which turn runs, from 0; None before the first."""
    if not rotation.members:
        return None
    # A day ahead: where the clock is set back across midnight, tomorrow's may have begun.
    turn = _turn_of(rotation, _local(moment, rotation.zone) + _DAY)
    while turn >= 0 and _handover(rotation, turn) > moment:
        turn -= 1
    return turn if turn >= 0 else None


def _turn_of(rotation: Rotation, day: date) -> int:
    """The last turn that begins on or before a day; -1 where none does."""
    since = (day - rotation.starts_on).days
    if since < 0:
        return -1
    if rotation.turn is Turn.DAILY:
        return since
    first = _first_week(rotation)
    return 0 if since < first else 1 + (since - first) // 7


def _handover(rotation: Rotation, turn: int) -> datetime:
    """When a turn begins."""
    days = turn
    if rotation.turn is Turn.WEEKLY and turn:
        days = _first_week(rotation) + (turn - 1) * 7
    return instant(rotation.starts_on + timedelta(days=days), rotation.handover, rotation.zone)


def _first_week(rotation: Rotation) -> int:
    """Days from the start to the first hand-over after it, 1 to 7."""
    return (rotation.weekday - rotation.starts_on.weekday() - 1) % 7 + 1


def _is_open(rotation: Rotation, moment: datetime) -> bool:
    if not rotation.windows:
        return True
    today = _local(moment, rotation.zone)
    # Yesterday's may cross midnight; tomorrow's may have opened, see _turn.
    days = [today + _DAY * n for n in (-2, -1, 0, 1)]
    spans = (_span(w, day, rotation.zone) for w in rotation.windows for day in _on(w, days))
    return any(opens <= moment < closes for opens, closes in spans)


def _on(window: Window, days: Iterable[date]) -> Iterator[date]:
    return (day for day in days if day.weekday() in window.days)


def _span(window: Window, day: date, zone: str) -> tuple[datetime, datetime]:
    closing = day if window.closes > window.opens else day + _DAY
    return instant(day, window.opens, zone), instant(closing, window.closes, zone)


def _is_day(rotation: Rotation, holidays: Set[date], moment: datetime) -> bool:
    if rotation.holidays is Holidays.AS_USUAL:
        return True
    today = _local(moment, rotation.zone)
    # Where the clock is set back across midnight, tomorrow has begun and stays so.
    begun = instant(today + _DAY, _MIDNIGHT, rotation.zone) <= moment
    is_holiday = (today + _DAY if begun else today) in holidays
    return is_holiday is (rotation.holidays is Holidays.ONLY)


def _edges(rotation: Rotation, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every moment of a span at which something of a rotation may change."""
    yield from (edge for edge in (rotation.begins_at, rotation.ends_at) if edge is not None)
    first = _local(start, rotation.zone) - 2 * _DAY
    last = _local(end, rotation.zone) + _DAY
    for turn in range(max(_turn_of(rotation, first), 0), _turn_of(rotation, last) + 1):
        yield _handover(rotation, turn)
    days = [first + _DAY * n for n in range((last - first).days + 1)]
    for window in rotation.windows:
        for day in _on(window, days):
            yield from _span(window, day, rotation.zone)
    if rotation.holidays is not Holidays.AS_USUAL:
        yield from (instant(day, _MIDNIGHT, rotation.zone) for day in days)


def _local(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()
