"""A provider's answer as a table: which target, what was found, until when, and a note.

The first line names the columns, in any order and case. A target is named by ``id`` or by
``number`` (its place in the order, from 1). Lines without an outcome, date and note say nothing;
so does a target that has no line. Faults name the line; with one fault nothing is taken.

``pointer`` is the form's field at which all faults stand; None: each has its own place,
``/LINE/COLUMN``, lines counted from 1 as an editor does.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

from liaison.domain.reading import LONGEST_NOTE, unstorable
from liaison.domain.vocabulary import Outcome
from liaison.errors import FieldError, Invalid

COLUMNS = (
    "number",
    "id",
    "type",
    "value",
    "port",
    "protocol",
    "from",
    "to",
    "data",
    "outcome",
    "until",
    "note",
)
"""As the file that is taken away has them; others may stand there and are not read."""

LARGEST = 2 * 1024 * 1024
"""Bytes; a thousand lines with long notes."""

MOST_LINES = 10_000
"""Ten for each target of the largest order; each line takes time, and room for what is wrong."""

MOST_FAULTS = 50

_DELIMITERS = (";", "\t", ",")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS = ("\t", "\r", "\n")
_SPREADSHEET_NUMBER = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?\s*([Zz]|UTC|[+-]\d{2}:\d{2})?",
    re.ASCII,
)
_LINE_ENDS = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")
"""No other character ends a line: a cell may hold U+2028."""

_WORDS = {
    **{o.value: o for o in Outcome},
    **{o.label.lower(): o for o in Outcome},
    "partly": Outcome.PARTIAL,
    "nothing": Outcome.NOTHING_HELD,
}
_OUTCOMES = ", ".join(o.value for o in Outcome)


@dataclass(frozen=True)
class Target:
    """A target of the order, as far as a line is held against it."""

    id: UUID
    value: str


@dataclass(frozen=True)
class Line:
    """What one line says of one target."""

    target_id: UUID
    outcome: Outcome
    until: datetime | None
    note: str | None
    number: int = field(default=0, compare=False)
    """The line's number in the file."""


def decode(content: bytes, pointer: str) -> str:
    """A file's text; ``Invalid`` where it is no CSV file in UTF-8."""
    if len(content) > LARGEST:
        raise _refused(pointer, f"A file has at most {LARGEST // 1024 // 1024} MB.")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refused(pointer, "This is a spreadsheet, not CSV. Save it as “CSV UTF-8”.")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        detail = f"Line {line} holds a character that is not UTF-8. Save it as “CSV UTF-8”."
        raise _refused(pointer, detail) from None


def read(text: str, targets: Sequence[Target], pointer: str | None) -> list[Line]:
    """What the table says; ``Invalid`` names every line that is wrong, and then nothing counts."""
    rows = list(islice(_rows(text.removeprefix("\ufeff"), pointer), MOST_LINES + 1))
    if len(rows) > MOST_LINES:
        raise _refused(pointer, f"A file has at most {MOST_LINES} lines.")
    if not rows:
        raise _refused(pointer, "There is no line. The first one names the columns.")
    columns = _header(rows[0][1], pointer)
    reader = _Reader(targets, columns, pointer)
    found = [line for number, cells in rows[1:] if (line := reader.line(number, cells))]
    if reader.faults:
        raise Invalid(_bounded(reader.faults, pointer))
    if not found and len(rows) == 1:
        raise _refused(
            pointer, "There is one line only: keep the line breaks (curl: --data-binary, not -d)."
        )
    if not found:
        raise _refused(
            pointer, f"No line has an outcome. Write one of {_OUTCOMES} in the column outcome."
        )
    return found


class _Reader:
    """Reads lines one after the other and remembers what was wrong, and who was named."""

    def __init__(self, targets: Sequence[Target], columns: list[str], pointer: str | None) -> None:
        self.targets = targets
        self.places = {target.id: place for place, target in enumerate(targets)}
        self.columns = columns
        self.pointer = pointer
        self.faults: list[FieldError] = []
        self.seen: dict[UUID, int] = {}

    def line(self, number: int, cells: list[str]) -> Line | None:
        """One line; None where it says nothing or is wrong."""
        before = len(self.faults)
        while len(cells) > len(self.columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) > len(self.columns):
            self._fault(
                number,
                "",
                f"there are {len(cells)} cells and {len(self.columns)} columns. A cell with a "
                "delimiter in it needs quotation marks.",
            )
            return None
        given = dict(zip(self.columns, (_plain(cell) for cell in cells), strict=False))
        if not any(given.get(name) for name in ("outcome", "until", "note")):
            return None
        target = self._target(number, given)
        outcome = self._outcome(number, given)
        until = self._until(number, given)
        note = self._note(number, given)
        if target is None or outcome is None or len(self.faults) > before:
            return None
        return Line(target.id, outcome, until, note, number)

    def _fault(self, number: int, column: str, detail: str) -> None:
        place = _place(self.pointer, number, column)
        self.faults.append(FieldError(place, f"Line {number}: {detail}"))

    def _target(self, number: int, given: dict[str, str]) -> Target | None:
        by_id, by_number = given.get("id", ""), given.get("number", "")
        if not by_id and not by_number:
            self._fault(number, "id", "say which target it is: its id or its number.")
            return None
        places = {
            *([self._by_id(by_id)] if by_id else []),
            *([self._by_number(by_number)] if by_number else []),
        }
        if None in places:
            is_id = bool(by_id) and self._by_id(by_id) is None
            column, named = ("id", by_id) if is_id else ("number", by_number)
            self._fault(number, column, f"the order has no target “{named[:40]}”.")
            return None
        if len(places) > 1:
            self._fault(number, "number", f"number {by_number} is another target than this id.")
            return None
        target = self.targets[places.pop() or 0]
        value = given.get("value", "")
        # A spreadsheet writes long numbers its own way; the id has said already which is meant.
        if (
            value
            and _bare(value) != _bare(target.value)
            and not _SPREADSHEET_NUMBER.fullmatch(value)
        ):
            self._fault(
                number,
                "value",
                f"“{value[:40]}” is not the value of this target ({target.value[:40]}). "
                "Were the rows sorted column by column?",
            )
            return None
        if target.id in self.seen:
            self._fault(number, "id", f"this target was answered in line {self.seen[target.id]}.")
            return None
        self.seen[target.id] = number
        return target

    def _by_id(self, text: str) -> int | None:
        try:
            return self.places.get(UUID(text))
        except ValueError:
            return None

    def _by_number(self, text: str) -> int | None:
        if not re.fullmatch(r"\d{1,6}(?:[.,]0+)?", text, re.ASCII):
            return None
        place = int(re.split("[.,]", text)[0]) - 1
        return place if 0 <= place < len(self.targets) else None

    def _outcome(self, number: int, given: dict[str, str]) -> Outcome | None:
        word = " ".join(given.get("outcome", "").lower().split())
        if not word:
            self._fault(number, "outcome", f"there is no outcome. Write one of {_OUTCOMES}.")
            return None
        found = _WORDS.get(word)
        if found is None:
            self._fault(
                number, "outcome", f"“{word[:40]}” is no outcome. Write one of {_OUTCOMES}."
            )
        return found

    def _until(self, number: int, given: dict[str, str]) -> datetime | None:
        text = given.get("until", "")
        if not text:
            return None
        try:
            return moment(text)
        except ValueError:
            self._fault(
                number,
                "until",
                f"“{text[:40]}” is no date with a time, like 2027-02-21 12:00 (UTC).",
            )
            return None

    def _note(self, number: int, given: dict[str, str]) -> str | None:
        note = given.get("note", "")
        if len(note) > LONGEST_NOTE:
            self._fault(
                number, "note", f"the note has {len(note)} characters; at most {LONGEST_NOTE}."
            )
        elif unstorable(note):
            self._fault(number, "note", "remove the NUL or broken character from the note.")
        return note or None


def moment(text: str) -> datetime:
    """A date with its time, in UTC where no zone is given; ``ValueError`` where it is none."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    day, time, seconds, zone = found.groups()
    offset = "+00:00" if not zone or zone.upper() in ("Z", "UTC") else zone
    try:
        return datetime.fromisoformat(f"{day}T{time}{seconds or ':00'}{offset}").astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def named(text: str, targets: Sequence[Target], pointer: str) -> list[UUID]:
    """Targets listed one a line: by number, id or value; ``Invalid`` names each wrong line."""
    ids = {str(target.id): [target.id] for target in targets}
    values: dict[str, list[UUID]] = {}
    for target in targets:
        # The same value twice, in two periods: both are meant.
        values.setdefault(_bare(target.value), []).append(target.id)
    faults: list[str] = []
    found: list[UUID] = []
    for number, line in enumerate(text.splitlines(), 1):
        word = _plain(line)
        if not word:
            continue
        place = int(word) if re.fullmatch(r"\d{1,6}", word, re.ASCII) else 0
        numbered = [targets[place - 1].id] if 0 < place <= len(targets) else None
        known = numbered or ids.get(word.lower()) or values.get(_bare(word))
        if known:
            found += known
        else:
            faults.append(f"Line {number}: the order has no target “{word[:40]}”.")
    if faults:
        raise Invalid(_bounded([FieldError(pointer, fault) for fault in faults], pointer))
    if not found:
        raise _refused(pointer, "List the targets, one a line: the number, the id or the value.")
    return list(dict.fromkeys(found))


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    if cell.startswith("'"):
        # No regular expression: a cell may be megabytes of apostrophes.
        behind = cell.lstrip("'")
        if behind.startswith(_BREAKS) or behind.lstrip().startswith(_FORMULA):
            cell = cell[1:]
    return cell.strip()


def _bare(text: str) -> str:
    """A value as it is compared: no apostrophe in front, no difference of case or spaces."""
    return " ".join(text.strip().lstrip("'").casefold().split())


def _rows(text: str, pointer: str | None) -> Iterator[tuple[int, list[str]]]:
    """The lines that hold anything, each with the number of the line it begins in."""
    hint = re.match(r"\"?sep=.\"?(\r\n|\r|\n)", text, re.IGNORECASE)
    above = 1 if hint else 0
    text = text[hint.end() :] if hint else text
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=lambda d: sum(_name(c) in COLUMNS for c in first.split(d)))
    csv.field_size_limit(LARGEST)
    reader = csv.reader(_LINE_ENDS.split(text), delimiter=delimiter, strict=True)
    begins = above + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = above + reader.line_num + 1
    except csv.Error:
        raise _refused(
            _place(pointer, begins),
            f"Line {begins}: a quotation mark is not closed, or not doubled inside a cell.",
        ) from None


def _header(cells: list[str], pointer: str | None) -> list[str]:
    names = [_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    twice = [name for name in COLUMNS if names.count(name) > 1]
    faults = [(name, f"the column {name} stands there twice.") for name in twice]
    if "outcome" not in names:
        faults.append(
            ("outcome", "the column outcome is missing. The first line names the columns.")
        )
    if "id" not in names and "number" not in names:
        faults.append(("id", "a column id or number must say which target a line is about."))
    if faults:
        raise Invalid(
            [FieldError(_place(pointer, 1, name), f"Line 1: {text}") for name, text in faults]
        )
    return names


def _name(cell: str) -> str:
    return _plain(cell.strip().strip('"')).lower()


def _bounded(faults: Sequence[FieldError], pointer: str | None) -> list[FieldError]:
    more = len(faults) - MOST_FAULTS
    rest = [FieldError(_place(pointer), f"And {more} more lines.")] if more > 0 else []
    return [*faults[:MOST_FAULTS], *rest]


def _place(pointer: str | None, line: int = 0, column: str = "") -> str:
    if pointer is not None:
        return pointer
    return "".join(f"/{part}" for part in (line, column) if part)


def _refused(pointer: str | None, detail: str) -> Invalid:
    return Invalid([FieldError(_place(pointer), detail)])
