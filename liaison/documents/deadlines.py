"""An order's deadlines as a calendar file (RFC 5545).

It goes into anybody's calendar, so it says no more than a letter does: the ref, an organisation,
a moment and where to look. Taken again later, the same file moves what has moved and cancels
what is done: an event keeps its UID, and its SEQUENCE is the order's version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Calendar, Event, vText


@dataclass(frozen=True)
class Deadline:
    """One thing that is due at a moment, or on a day.

    ``key`` names it for good: ``acknowledge``, ``preserve``, ``kept``, …; ``alarm`` is how long
    before a reader is reminded.
    """

    key: str
    title: str
    at: datetime | date
    alarm: timedelta | None = None
    done: bool = False
    stopped: bool = False
    """Its clock stands still: the moment will move."""


@dataclass(frozen=True)
class About:
    """The order the deadlines are of; ``with_`` is the organisation on the other side."""

    ref: str
    version: int
    with_: str
    link: str
    test: bool = False


def write(about: About, deadlines: Iterable[Deadline], now: datetime, host: str) -> bytes:
    """The file. Moments are in UTC; a day is a whole day."""
    calendar = Calendar()
    calendar.add("prodid", "-//Liaison//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", vText(f"Order {about.ref}"))
    for deadline in deadlines:
        calendar.add_component(_event(about, deadline, now, host))
    written: bytes = calendar.to_ical()
    return written


def _event(about: About, deadline: Deadline, now: datetime, host: str) -> Event:
    event, at = Event(), deadline.at
    named = f"{about.ref}|{deadline.key}"
    event.add("uid", f"{hashlib.sha256(named.encode()).hexdigest()[:32]}@{host}")
    event.add("sequence", about.version)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", at.astimezone(UTC) if isinstance(at, datetime) else at)
    title = f"{deadline.title}: order {about.ref}"
    event.add("summary", vText(f"TEST, a drill. {title}" if about.test else title))
    event.add("description", vText(f"With {about.with_}. Look in the portal: {about.link}"))
    event.add("url", about.link)
    event.add("transp", "TRANSPARENT")
    status = "CANCELLED" if deadline.done else "TENTATIVE" if deadline.stopped else "CONFIRMED"
    event.add("status", status)
    if deadline.alarm is not None and not deadline.done:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", vText(title))
        alarm.add("trigger", -deadline.alarm)
        event.add_component(alarm)
    return event
