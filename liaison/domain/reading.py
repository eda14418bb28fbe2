"""Reading what was given, field by field: every fault is collected with its JSON pointer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from liaison.domain.vocabulary import Term
from liaison.errors import FieldError, Invalid

T = TypeVar("T", bound=Term)

_TIMESTAMP = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Faults:
    """The faults found so far."""

    def __init__(self) -> None:
        self.found: list[FieldError] = []

    def add(self, pointer: str, detail: str) -> None:
        """One more fault."""
        self.found.append(FieldError(pointer, detail))


LONGEST_REFERENCE, LONGEST_REASON, LONGEST_NOTE, LONGEST_MESSAGE = 200, 2000, 5000, 10_000
"""Characters of what people and programs write about an order."""


def check_texts(*given: tuple[str, str | None, int]) -> None:
    """``Invalid`` where a text is too long or cannot be stored: pointer, text, longest."""
    faults = Faults()
    for pointer, text, longest in given:
        if text is not None and len(text) > longest:
            faults.add(pointer, f"Write at most {longest} characters; there are {len(text)}.")
        elif text is not None and unstorable(text):
            faults.add(pointer, "Remove the NUL character or broken character from this text.")
    if faults.found:
        raise Invalid(faults.found)


def unstorable(text: str) -> bool:
    """Whether a text holds a NUL or half a surrogate pair: no database keeps these."""
    return bool(_UNSTORABLE.search(text))


class Reader:
    """One JSON object being read. Each method gives None where there is nothing usable."""

    def __init__(self, data: object, pointer: str, faults: Faults) -> None:
        self.pointer = pointer
        self.faults = faults
        self.data: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if not isinstance(data, Mapping):
            faults.add(pointer, "This must be an object with named fields.")
        self._read: set[str] = set()

    def at(self, name: str | int) -> str:
        """The pointer of a field (RFC 6901)."""
        return f"{self.pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"

    def fault(self, name: str | int, detail: str) -> None:
        """Notes a fault of a field."""
        self.faults.add(self.at(name), detail)

    def get(self, name: str) -> Any:
        """The raw value; absent and null are the same."""
        self._read.add(name)
        return self.data.get(name)

    def done(self) -> None:
        """Names every field that nobody asked for: most are misspelt."""
        known = ", ".join(sorted(self._read))
        for name in self.data:
            if name not in self._read:
                self.fault(name, f"There is no such field. Known here: {known}.")

    def text(self, name: str, *, needed: str = "", longest: int = 2000) -> str | None:
        """A text as it was given. ``needed`` says what to enter where it must not be empty."""
        value = self.get(name)
        if value is None or value == "":
            if needed:
                self.fault(name, needed)
            return None
        if not isinstance(value, str):
            self.fault(name, "This must be a text.")
        elif unstorable(value):
            self.fault(name, "Remove the NUL character or broken character from this text.")
        elif len(value) > longest:
            self.fault(name, f"Enter at most {longest} characters; there are {len(value)}.")
        elif needed and not value.strip():
            self.fault(name, needed)
        else:
            return value
        return None

    def term(self, name: str, kind: type[T], default: T | None = None) -> T | None:
        """A word of a closed list."""
        value = self.get(name)
        if value is None and default is not None:
            return default
        return self.one_of(name, value, kind)

    def one_of(self, name: str | int, value: object, kind: type[T]) -> T | None:
        """A value as a word of a closed list."""
        try:
            return kind(str(value)) if isinstance(value, str) else kind("")
        except ValueError:
            choices = ", ".join(member.value for member in kind)
            self.fault(name, f"Choose one of: {choices}.")
            return None

    def flag(self, name: str) -> bool:
        """True or false; absent is false."""
        value = self.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            self.fault(name, "This must be true or false.")
            return False
        return value

    def number(self, name: str, low: int, high: int, *, needed: str = "") -> int | None:
        """A whole number within limits."""
        value = self.get(name)
        if value is None:
            if needed:
                self.fault(name, needed)
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.fault(name, f"Enter a whole number from {low} to {high}.")
            return None
        return value

    def day(self, name: str, *, needed: str = "") -> date | None:
        """A date, ``YYYY-MM-DD``."""
        value = self.text(name, needed=needed, longest=40)
        if value is None:
            return None
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            self.fault(name, "Enter a date like 2026-11-23.")
            return None

    def moment(self, name: str, *, needed: str = "") -> datetime | None:
        """A moment with its time zone (RFC 3339)."""
        value = self.text(name, needed=needed, longest=60)
        if value is None:
            return None
        try:
            if not _TIMESTAMP.fullmatch(value):
                raise ValueError
            moment = datetime.fromisoformat(value.upper())
            moment.astimezone(UTC)  # the first and last hours of the calendar have no UTC
        except (ValueError, OverflowError):
            self.fault(
                name,
                "Enter date, time with seconds and time zone, like 2026-11-23T01:10:00Z or "
                "2026-11-23T05:10:00+04:00.",
            )
            return None
        return moment

    def child(self, name: str, *, needed: str = "") -> Reader | None:
        """An object inside this one."""
        value = self.get(name)
        if value is None:
            if needed:
                self.fault(name, needed)
            return None
        return Reader(value, self.at(name), self.faults)

    def items(self, name: str, *, needed: str = "", most: int = 50) -> list[Any]:
        """A list; empty where there is none."""
        value = self.get(name)
        if value is not None and not isinstance(value, list):
            self.fault(name, "This must be a list.")
            return []
        if not value and needed:
            self.fault(name, needed)
        if value and len(value) > most:
            self.fault(name, f"There are {len(value)} entries; at most {most} are possible.")
            return []
        return list(value or [])

    def children(self, name: str, *, needed: str = "", most: int = 50) -> list[Reader]:
        """A list of objects."""
        return [
            Reader(value, f"{self.at(name)}/{index}", self.faults)
            for index, value in enumerate(self.items(name, needed=needed, most=most))
        ]
