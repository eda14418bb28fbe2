"""The tests' orders, moved in time: they are written as of 23 November 2026."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from liaison.demo.place import order_file

WRITTEN = date(2026, 11, 23)
"""The day as of which the orders are written."""

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MOIS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]


def order_as_of(name: str, moment: datetime) -> Any:
    """An order whose days all lie as far from ``moment`` as they lay from the day it was written.

    Only whole days are moved, so that hours named in the text stay true. Every period has ended
    by then.
    """
    data = order_file(name)
    days = (moment.date() - WRITTEN).days
    ends = [datetime.fromisoformat(t["to"]).astimezone(UTC) for t in data["targets"]]
    while max(ends) + timedelta(days=days) > moment:
        days -= 1
    return _moved(data, days)


def _moved(value: Any, days: int) -> Any:
    if isinstance(value, dict):
        return {key: _moved(one, days) for key, one in value.items()}
    if isinstance(value, list):
        return [_moved(one, days) for one in value]
    return _moved_text(value, days) if isinstance(value, str) else value


def _moved_text(text: str, days: int) -> str:
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return (date.fromisoformat(text) + timedelta(days=days)).isoformat()
    if re.fullmatch(r"\d{4}-\d\d-\d\dT.+", text):
        return (datetime.fromisoformat(text) + timedelta(days=days)).isoformat()
    for months in (_MONTHS, _MOIS):
        text = _moved_prose(text, months, days)
    return text


def _moved_prose(text: str, months: list[str], days: int) -> str:
    """``3 and 9 November 2026``, ``22 November``: days that the story names."""
    pattern = re.compile(rf"(?:(\d{{1,2}}) and )?(\d{{1,2}}) ({'|'.join(months)})( \d{{4}})?")

    def moved(found: re.Match[str]) -> str:
        month = months.index(found[3]) + 1

        def on(day: str) -> datetime:
            written = date(int(found[4] or WRITTEN.year), month, int(day))
            return datetime.combine(written, time(), UTC) + timedelta(days=days)

        last = on(found[2])
        first = f"{_said(on(found[1]), months)} and " if found[1] else ""
        return f"{first}{_said(last, months)}" + (f" {last.year}" if found[4] else "")

    return pattern.sub(moved, text)


def _said(moment: datetime, months: list[str]) -> str:
    return f"{moment.day} {months[moment.month - 1]}"
