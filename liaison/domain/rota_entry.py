"""A rota and an override as they are entered: every fault is named at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liaison.domain import windows
from liaison.domain.reading import LONGEST_NOTE, Faults, Reader
from liaison.domain.rota import instant
from liaison.domain.terms import Window
from liaison.domain.vocabulary import Holidays, Turn
from liaison.errors import Invalid

LONGEST_ROTA_NAME = 100
MOST_MEMBERS, MOST_WINDOWS = 20, 14
FAR = timedelta(days=366)
"""How far from today a rota may start and an override may reach."""

LONGEST_OVERRIDE = timedelta(days=31)
"""Who is to be on duty for longer takes turns in a rota: there everybody sees it."""

_HOUR = timedelta(hours=1)

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_LOCAL = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})", re.ASCII)
_OVERNIGHT = re.compile(
    r"(?P<days>.*?)(?P<opens>\d{1,2}[:.]\d\d)\s*(?:to|-|–)\s*(?P<closes>\d{1,2}[:.]\d\d)", re.ASCII
)


@dataclass(frozen=True)
class RotaEntry:
    """A rota, read and in normal form."""

    name: str
    time_zone: str
    turn: Turn
    handover: str
    weekday: int
    starts_on: date
    members: tuple[UUID, ...]
    windows: tuple[Window, ...]
    holidays: Holidays


@dataclass(frozen=True)
class OverrideEntry:
    """An override, read. ``rota`` None: in place of everybody."""

    contact: UUID
    rota: UUID | None
    start: datetime
    end: datetime
    note: str


def parse_rota(data: Mapping[str, Any], today: date) -> RotaEntry:
    """The rota that was entered; ``Invalid`` names every fault. ``windows`` are lines of text."""
    faults = Faults()
    reader = Reader(data, "", faults)
    name = reader.text("name", needed="Give the rota a name.", longest=LONGEST_ROTA_NAME)
    zone = reader.text("time_zone", needed="Name a time zone, like Europe/Amsterdam.", longest=60)
    if zone and not is_zone(zone):
        reader.fault("time_zone", "There is no such time zone. Write one like Europe/Amsterdam.")
    turn = reader.term("turn", Turn)
    handover = reader.text("handover", needed="Say at what time they hand over, like 08:00.")
    if handover and not _TIME.fullmatch(handover):
        reader.fault("handover", "Write the time of the hand-over like 08:00.")
    weekday = reader.number("weekday", 0, 6, needed="Choose the weekday of the hand-over.")
    starts = reader.day("starts_on", needed="Say on which day the first member begins.")
    if starts and abs(starts - today) > FAR:
        reader.fault("starts_on", "Choose a day at most one year from today.")
    members = _members(reader)
    hours = _windows(reader)
    holidays = reader.term("holidays", Holidays)
    if faults.found:
        raise Invalid(faults.found)
    assert name and zone and turn and handover and starts and holidays and weekday is not None
    return RotaEntry(name.strip(), zone, turn, handover, weekday, starts, members, hours, holidays)


def parse_override(data: Mapping[str, Any], zone: str, now: datetime) -> OverrideEntry:
    """The override that was entered, its times local to ``zone``.

    A time of beginning that has passed counts as now: what was, is not written anew.
    """
    faults = Faults()
    reader = Reader(data, "", faults)
    contact = _uuid(reader, "contact", "Choose who is on duty.")
    rota = _uuid(reader, "rota", "")
    begin = _moment(reader, "starts_at", zone)
    end = _moment(reader, "ends_at", zone)
    note = reader.text("note", longest=LONGEST_NOTE) or ""
    if begin and end and end <= begin:
        reader.fault("ends_at", "The end must come after the beginning.")
    elif end and end <= now:
        reader.fault("ends_at", "This end has passed already. Choose a later one.")
    elif end and end - now > FAR:
        reader.fault("ends_at", "Choose an end at most one year from today.")
    elif begin and end and end - max(begin, now) > LONGEST_OVERRIDE + _HOUR:
        # One hour more: a month on the wall, when the clocks are set back.
        longest = LONGEST_OVERRIDE.days
        reader.fault(
            "ends_at",
            f"Somebody stands in for at most {longest} days. Choose an earlier end, or change the "
            "rota.",
        )
    if faults.found:
        raise Invalid(faults.found)
    assert contact and begin and end
    return OverrideEntry(contact, rota, max(begin, now), end, note.strip())


def is_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    try:
        return bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A folder of the zones' files, or a name that no file can have, is an OSError.
        return False


def window(text: str) -> Window:
    """One window of a rota; unlike a memorandum's it may cross midnight."""
    try:
        return windows.parse(text)
    except ValueError:
        found = _OVERNIGHT.fullmatch(text.strip())
        if found is None or _time(found["closes"]) > _time(found["opens"]):
            raise
        evening = windows.parse(f"{found['days']}{found['opens']} to 24:00")
        morning = windows.parse(f"{found['days']}{found['closes']} to 24:00")
        return Window(evening.days, evening.opens, morning.opens)


def _time(text: str) -> str:
    return text.replace(".", ":").zfill(5)


def _members(reader: Reader) -> tuple[UUID, ...]:
    given = reader.items("members", needed="Choose who takes turns.", most=MOST_MEMBERS)
    found = []
    for index, value in enumerate(given):
        try:
            found.append(UUID(str(value)))
        except ValueError:
            reader.faults.add(f"/members/{index}", "Choose a contact from the list.")
    return tuple(found)


def _windows(reader: Reader) -> tuple[Window, ...]:
    found = []
    for line in reader.items("windows", most=MOST_WINDOWS):
        try:
            found.append(window(str(line)))
        except ValueError as error:
            reader.fault("windows", f"“{str(line)[:60]}”: {error}")
    return tuple(found)


def _uuid(reader: Reader, name: str, needed: str) -> UUID | None:
    text = reader.text(name, needed=needed, longest=60)
    try:
        return UUID(text) if text else None
    except ValueError:
        reader.fault(name, "Choose one from the list.")
        return None


def _moment(reader: Reader, name: str, zone: str) -> datetime | None:
    """A local time; one that comes twice is the first of the two (see ``domain.rota``)."""
    how = "Enter date and time, like 2026-11-23 20:00."
    text = reader.text(name, needed=how, longest=40)
    found = _LOCAL.fullmatch(text.strip()) if text else None
    if text and (found is None or not _TIME.fullmatch(found[2])):
        reader.fault(name, how)
        return None
    try:
        return instant(date.fromisoformat(found[1]), found[2], zone) if found else None
    except (ValueError, OverflowError):
        reader.fault(name, how)
        return None
