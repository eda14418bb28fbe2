"""Moments as people type them: one text and a zone beside it. A time of day is never invented."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liaison.clock import rfc3339

_MOMENT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt]|\s+)(?P<time>\d{2}:\d{2})(?P<seconds>:\d{2}(?:\.\d{1,6})?)?"
    r"\s*(?P<zone>[Zz]|UTC|[+-]\d{2}:\d{2})?",
    re.ASCII,
)

HOW = "Enter date and time, like 2026-11-23 01:10 or 2026-11-23 01:10:30.250."


def to_rfc3339(text: str, zone: str) -> str:
    """A typed moment with its offset; ``ValueError`` says what is missing.

    A zone in the text itself (``Z``, ``+04:00``) goes before the zone chosen beside it.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(HOW)
    local = f"{found['day']}T{found['time']}{found['seconds'] or ':00'}"
    given = found["zone"]
    if given:
        return local + ("Z" if given.upper() in ("Z", "UTC") else given)
    try:
        moment = datetime.fromisoformat(local)
    except ValueError:
        raise ValueError(HOW) from None
    return rfc3339(moment.replace(tzinfo=UTC)) if zone == "UTC" else _in_zone(moment, zone)


def _in_zone(moment: datetime, name: str) -> str:
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A folder of the zones' files, or a name that no file can have, is an OSError.
        raise ValueError("Choose the time zone from the list.") from None
    early, late = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() != late.utcoffset():
        raise ValueError(
            f"The clocks change at that hour in {name}: this time comes twice or not at all. "
            "Choose UTC, or write the offset behind the time, like +02:00."
        )
    return early.isoformat()


def as_typed(moment: datetime, offset: int) -> str:
    """A stored moment as it is typed: ``offset`` is minutes east of UTC."""
    try:
        local = moment.astimezone(timezone(timedelta(minutes=offset)))
    except OverflowError:
        return as_typed(moment, 0)
    text = _plain(local)
    return text if offset == 0 else text + local.isoformat()[-6:]


def for_form(moment: datetime, offset: int, zone: str) -> tuple[str, str]:
    """A stored moment as text and zone: in the named zone where that had the same offset."""
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        return as_typed(moment, offset), "UTC"
    if offset and local.utcoffset() == timedelta(minutes=offset):
        return _plain(local), zone
    return as_typed(moment, offset), "UTC"


def shown(text: str | None, zone: str | None) -> str:
    """A typed moment as an order shows it, in UTC; what cannot be read stays as it was typed."""
    try:
        moment = datetime.fromisoformat(to_rfc3339(text or "", zone or "UTC"))
    except ValueError:
        return text or ""
    return as_typed(moment, 0)


def _plain(local: datetime) -> str:
    """``2026-11-23 01:10:30.25``: no zone, no zeros that say nothing."""
    text = local.replace(tzinfo=None).isoformat(sep=" ")
    return text.rstrip("0") if local.microsecond else text
