"""Duty as a calendar (RFC 5545): the feed that is given out, and the file that is read in.

A file is anybody's: only the events' own lines are looked at, each event by itself, so that one
that is broken spoils no other. Zones are taken by their names; a file's own definitions of zones
are left unread, for they can be made to run for ever.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vText

from liaison.domain import repeats
from liaison.domain.reading import unstorable
from liaison.domain.rota import instant
from liaison.domain.rota_entry import LONGEST_OVERRIDE

MOST_BYTES = 200_000
MOST_EVENTS, MOST_OCCURRENCES = 1000, 1000
MOST_REPEATING = 100
MOST_DAYS = 200_000
"""Days that rules of repetition may ask for in one file: fifty rules counted for ten years."""

AHEAD = timedelta(days=366)
LONGEST_EVENT = LONGEST_OVERRIDE
MOST_UNREAD = 200
"""Events whose fault is told; of more only the number."""

LONGEST_UID, LONGEST_SUMMARY = 100, 200
_DAY = timedelta(days=1)
_READ = frozenset(
    {
        "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "SUMMARY", "ATTENDEE",
        "STATUS", "RECURRENCE-ID",
    }
)  # fmt: skip
_BROKEN = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, OSError,
)  # fmt: skip
"""What an odd line makes the library, or our own reckoning, raise."""

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""An end outside of these is as good as they are; the edge of the calendar lies in no zone."""

_FOLD = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"[A-Za-z0-9-]+", re.ASCII)


@dataclass(frozen=True)
class Entry:
    """One shift of one person, as the feed gives it out."""

    who: str
    function: str
    member: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Occurrence:
    """One span of a calendar that was read: whom it names is for the reader to find out."""

    uid: str
    start: datetime
    end: datetime
    summary: str
    people: tuple[str, ...]
    """E-mail addresses of who attends."""


@dataclass(frozen=True)
class Unread:
    """An event that cannot be used, and why."""

    summary: str
    why: str


@dataclass(frozen=True)
class CalendarFile:
    """What a file holds within the coming year."""

    occurrences: tuple[Occurrence, ...]
    unread: tuple[Unread, ...]


def write(organisation: str, entries: Iterable[Entry], now: datetime, host: str) -> bytes:
    """The feed. An event's UID is made of whose shift it is and when it begins, so it is stable."""
    calendar = Calendar()
    calendar.add("prodid", "-//Liaison//Duty//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Duty: {organisation}")
    calendar.add("x-published-ttl", "PT1H")
    for entry in entries:
        event = Event()
        named = f"{entry.member}|{entry.start.astimezone(UTC).isoformat()}"
        event.add("uid", f"{hashlib.sha256(named.encode()).hexdigest()[:32]}@{host}")
        event.add("dtstamp", now.astimezone(UTC))
        event.add("dtstart", entry.start.astimezone(UTC))
        event.add("dtend", entry.end.astimezone(UTC))
        event.add("summary", vText(f"On duty: {entry.who} ({entry.function})"))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    written: bytes = calendar.to_ical()
    return written


def read(content: bytes, zone: str, now: datetime) -> CalendarFile:
    """The events of a file from now on, for a year; ``ValueError`` where it is no calendar.

    ``zone`` is where times without a zone, and whole days, are told.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"The file is too large: at most {MOST_BYTES // 1000} kB are read.")
    blocks = _events(_text(content))
    if not blocks:
        raise ValueError("There is no event in this file. Export the calendar anew as .ics.")
    if len(blocks) > MOST_EVENTS:
        raise ValueError(f"There are {len(blocks)} events; at most {MOST_EVENTS} are read.")
    unread: list[Unread] = []
    parsed = []
    for lines in blocks:
        try:
            parsed.append(_Parsed(lines, zone))
        except _BROKEN as error:
            unread.append(Unread(_summary_of(lines), _words(error)))
    if sum(event.is_repeated for event in parsed) > MOST_REPEATING:
        raise ValueError(f"More than {MOST_REPEATING} events repeat. Export shifts one by one.")
    found = _found(parsed, unread, now)
    if len(unread) > MOST_UNREAD:
        more = len(unread) - MOST_UNREAD
        unread = [*unread[:MOST_UNREAD], Unread(f"{more} more", "These cannot be read either.")]
    return CalendarFile(tuple(sorted(found, key=lambda o: (o.start, o.uid))), tuple(unread))


def _found(
    parsed: Sequence[_Parsed], unread: list[Unread], now: datetime
) -> Collection[Occurrence]:
    """The occurrences, each once; an event whose rule cannot be followed goes to ``unread``."""
    moved = {(p.uid, p.replaces) for p in parsed if p.replaces is not None}
    found: dict[tuple[str, datetime], Occurrence] = {}
    budget = repeats.Budget(MOST_DAYS)
    for event in parsed:
        try:
            for one in list(event.occurrences(moved, now, budget)):
                found[one.uid, one.start] = one
        except repeats.SpentError:
            raise ValueError(
                "The events repeat for too many years. Export the coming year only."
            ) from None
        except _BROKEN as error:
            unread.append(Unread(event.summary, _words(error)))
        if len(found) > MOST_OCCURRENCES:
            raise ValueError(
                f"There are more than {MOST_OCCURRENCES} shifts within a year. Export less."
            )
    return found.values()


def _words(error: Exception) -> str:
    """Our own words, where we refused it; others' are for who writes programs."""
    ours = type(error) is ValueError
    return str(error) if ours else "It cannot be read: a line of it is broken."


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("The file is not in UTF-8. Export the calendar anew as .ics.") from None
    if unstorable(text):
        raise ValueError("The file holds a NUL character: it is no calendar.")
    if not re.match(r"\s*BEGIN:VCALENDAR\s", text, re.IGNORECASE):
        raise ValueError("This is no calendar: it does not begin with BEGIN:VCALENDAR.")
    return _FOLD.sub("", text)


def _events(text: str) -> list[list[str]]:
    """The lines of each event that are read; what stands inside an event (alarms) is left out."""
    found: list[list[str]] = []
    inside: list[str] = []
    for line in re.split(r"\r\n|\n|\r", text):
        head = line.strip().upper()
        if head.startswith("BEGIN:"):
            inside.append(head[6:])
            if inside[-1] == "VEVENT":
                found.append([])
        elif head.startswith("END:"):
            if inside:
                inside.pop()
        elif inside and inside[-1] == "VEVENT" and "VTIMEZONE" not in inside[-3:]:
            name = _NAME.match(line)
            if name is not None and name[0].upper() in _READ:
                found[-1].append(line)
    return found


def _summary_of(lines: Sequence[str]) -> str:
    for line in lines:
        if line.upper().startswith("SUMMARY"):
            return _short(line.partition(":")[2])
    return "An event without a title"


def _short(text: str) -> str:
    return " ".join(text.split())[:LONGEST_SUMMARY] or "An event without a title"


class _Parsed:
    """One event, read."""

    def __init__(self, lines: Sequence[str], zone: str) -> None:
        try:
            read_ = Event.from_ical("\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""]))
        except _BROKEN:
            raise ValueError("It cannot be read: a line of it is broken.") from None
        self._event: Any = read_
        self._zone = zone
        if self._event.errors:
            raise ValueError("It cannot be read: a line of it is broken.")
        self.summary = _short(str(self._single("SUMMARY") or ""))
        uid = str(self._single("UID") or "")
        if not uid:
            raise ValueError("It has no UID, so it could not be known again.")
        self.uid = uid if len(uid) <= LONGEST_UID else hashlib.sha256(uid.encode()).hexdigest()
        self.start = self._when("DTSTART")
        if self.start is None:
            raise ValueError("It does not say when it begins.")
        self._length = self._read_length()
        self.replaces = self._when("RECURRENCE-ID")
        self._is_cancelled = str(self._single("STATUS") or "").upper() == "CANCELLED"

    @property
    def is_repeated(self) -> bool:
        """Whether it has a rule of repetition."""
        return self._event.get("RRULE") is not None

    def occurrences(
        self, moved: Collection[tuple[str, _Wall]], now: datetime, budget: repeats.Budget
    ) -> Iterator[Occurrence]:
        """Its spans that are not over, within a year; what it costs is taken from ``budget``."""
        if self._is_cancelled:
            return
        assert self.start is not None
        gone = set(self._walls("EXDATE"))
        far = (now + AHEAD + 2 * _DAY).replace(tzinfo=None)
        for wall in self._begins(now, budget):
            if (
                wall.local > far
                or wall in gone
                or (self.replaces is None and (self.uid, wall) in moved)
            ):
                continue
            start, end = self._moments(wall)
            if now < end and start <= now + AHEAD:
                yield Occurrence(self.uid, start, end, self.summary, self._people())

    def _begins(self, now: datetime, budget: repeats.Budget) -> Iterator[_Wall]:
        start = self.start
        assert start is not None
        rule = self._single("RRULE")
        if rule is None:
            yield start
        else:
            first = start.local.date()
            near = now.date() - self._length - 2 * _DAY
            end = now.date() + AHEAD + _DAY
            for day in self._repeat(rule).dates(first, near, end, budget):
                yield _Wall(datetime.combine(day, start.local.time()), start.zone)
        yield from self._walls("RDATE")

    def _repeat(self, rule: Any) -> repeats.Repeat:
        given = {name: values for name, values in rule.items() if name.upper() != "UNTIL"}
        until = rule.get("UNTIL", [None])[0]
        if isinstance(until, datetime) and until.tzinfo is not None:
            assert self.start is not None
            until = min(max(until, _FIRST), _LAST).astimezone(ZoneInfo(self.start.zone))
            # It ends with the last that begins by then.
            late = until.time() < self.start.local.time()
            until = until.date() - _DAY if late else until.date()
        elif isinstance(until, datetime):
            until = until.date()
        return repeats.parse({**given, **({"UNTIL": [until]} if until else {})}, until)

    def _read_length(self) -> timedelta:
        assert self.start is not None
        duration, end = self._single("DURATION"), self._when("DTEND")
        if end is not None:
            here = self.start
            there = (
                end.local
                if end.zone == here.zone
                else end.moment().astimezone(ZoneInfo(here.zone)).replace(tzinfo=None)
            )
            length = there - here.local
        elif duration is not None:
            length = duration.dt
        else:
            length = _DAY if self._is_day("DTSTART") else timedelta(0)
        if not isinstance(length, timedelta) or length <= timedelta(0):
            raise ValueError("It does not end after it begins.")
        if length > LONGEST_EVENT:
            raise ValueError(f"It is longer than {LONGEST_EVENT.days} days.")
        return length

    def _moments(self, wall: _Wall) -> tuple[datetime, datetime]:
        return wall.moment(), _Wall(wall.local + self._length, wall.zone).moment()

    def _single(self, name: str) -> Any:
        value = self._event.get(name)
        if isinstance(value, list):
            raise ValueError(f"{name} stands more than once in it.")  # noqa: TRY004
        return value

    def _is_day(self, name: str) -> bool:
        return not isinstance(self._single(name).dt, datetime)

    def _when(self, name: str) -> _Wall | None:
        value = self._single(name)
        return None if value is None else _wall(value.dt, value.params.get("TZID"), self._zone)

    def _walls(self, name: str) -> Iterator[_Wall]:
        value = self._event.get(name)
        for listed in value if isinstance(value, list) else [value] if value is not None else []:
            for one in listed.dts:
                if isinstance(one.dt, tuple):
                    raise ValueError(f"{name} names spans; write beginnings only.")  # noqa: TRY004
                yield _wall(one.dt, listed.params.get("TZID"), self._zone)

    def _people(self) -> tuple[str, ...]:
        value = self._event.get("ATTENDEE")
        listed = value if isinstance(value, list) else [value] if value is not None else []
        found = (str(one).strip().lower().removeprefix("mailto:") for one in listed)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class _Wall:
    """A local time in a zone."""

    local: datetime
    zone: str

    def moment(self) -> datetime:
        """As a moment, by the rule of ``domain.rota``: it holds at both changes of the clocks."""
        try:
            at = instant(self.local.date(), f"{self.local:%H:%M}", self.zone)
        except OverflowError:
            raise ValueError("It lies outside the calendar.") from None
        return at + timedelta(seconds=self.local.second)


def _wall(given: date | datetime, named: object, zone: str) -> _Wall:
    if not isinstance(given, datetime):
        return _Wall(datetime.combine(given, time()), zone)
    plain = given.replace(tzinfo=None, fold=0)
    if given.tzinfo is None:
        if named:
            raise ValueError(f"There is no time zone {str(named)[:60]}.")
        return _Wall(plain, zone)
    return _Wall(plain, _zone_name(given.tzinfo))


def _zone_name(zone: tzinfo) -> str:
    key = getattr(zone, "key", None)
    if isinstance(key, str):
        return key
    if zone is UTC or zone.utcoffset(None) == timedelta(0):
        return "UTC"
    raise ValueError("Its time zone is not known by name.")
