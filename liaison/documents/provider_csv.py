"""Providers as CSV, out and in: what was written is read again as the same.

Lists stand in one cell with ``;`` between; a ``;`` or backslash inside an entry has a backslash
before it. Cells a spreadsheet would take for a formula begin with an apostrophe, and are read with
it or without. docs/register.md describes the format for those who fill it in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from liaison.documents import csv_file
from liaison.domain.register_entry import ProviderEntry, plain
from liaison.errors import FieldError, Invalid

LISTS = ("domains", "as_numbers", "address_ranges", "phone_prefixes", "services", "languages")
TEXTS = ("name", "legal_name", "country", "time_zone", "status")
COLUMNS = ("id", *TEXTS, *LISTS)
NEEDED = ("name", "country", "time_zone")
"""Without these columns no provider can be told."""

MOST_ROWS = 20_000
LARGEST = 10 * 1024 * 1024
"""Bytes."""

_DELIMITERS = (",", ";", "\t")
_AS_UTF8 = "Save it as “CSV UTF-8” and send that file."


@dataclass(frozen=True)
class Row:
    """One row; ``number`` is the spreadsheet's (the header's is 1 unless lines stand above it).

    ``cells`` by column, without the neutralising apostrophe. ``fault`` says why none can be told.
    """

    number: int
    cells: dict[str, str]
    fault: str = ""

    def texts(self, column: str) -> list[str]:
        """The entries of a list."""
        return _split(self.cells.get(column, ""))


def write(providers: Iterable[tuple[str, ProviderEntry]]) -> Iterator[str]:
    """The file, line by line; each provider with its id."""
    yield from csv_file.lines([COLUMNS])
    for id_, entry in providers:
        data = plain(entry)
        data["as_numbers"] = [f"AS{number}" for number in entry.as_numbers]
        cells = [id_, *(data[name] for name in TEXTS), *(_joined(data[name]) for name in LISTS)]
        yield from csv_file.lines([[_marked(cell) for cell in cells]])


def read(content: bytes) -> list[Row]:
    """The rows that hold anything; ``Invalid`` at ``/file`` where it is no such file."""
    if len(content) > LARGEST:
        raise _refused(f"A file has at most {LARGEST // 1024 // 1024} MB. Send it in parts.")
    lines, above = _without_hint(_text(content))
    delimiter = _delimiter(lines)
    found: list[Row] = []
    columns: list[str] = []
    for number, cells in enumerate(_records(lines, delimiter, above), above + 1):
        if not any(cell.strip() for cell in cells):
            continue
        if not columns:
            columns = _header(cells)
            continue
        if len(found) == MOST_ROWS:
            raise _refused(f"A file has at most {MOST_ROWS:,} rows. Send it in parts.")
        found.append(_row(number, columns, cells))
    if not columns:
        raise _refused("The file is empty. Its first row names the columns: " + ", ".join(COLUMNS))
    if not found:
        raise _refused("The file has a header and no row below it.")
    return found


def _marked(text: str) -> str:
    """A text that itself begins with an apostrophe before a formula gets one more."""
    bare = text.lstrip("'")
    return f"'{text}" if bare != text and csv_file.cell(bare) != bare else text


def _unmarked(text: str) -> str:
    bare = text.lstrip("'")
    return text[1:] if bare != text and csv_file.cell(bare) != bare else text


def _joined(entries: Iterable[str]) -> str:
    return ";".join(re.sub(r"([\\;])", r"\\\1", entry) for entry in entries)


def _split(cell: str) -> list[str]:
    found, at = [""], 0
    while at < len(cell):
        if cell[at] == "\\" and cell[at + 1 : at + 2] in ("\\", ";"):
            at += 1
            found[-1] += cell[at]
        elif cell[at] == ";":
            found.append("")
        else:
            found[-1] += cell[at]
        at += 1
    return [entry.strip(" ") for entry in found if entry.strip()]


def _text(content: bytes) -> str:
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise _refused(f"This is a spreadsheet, not CSV. {_AS_UTF8}")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    if not wide and b"\x00" in content[:1000]:
        raise _refused(f"This is no text, or UTF-16 without a mark at its beginning. {_AS_UTF8}")
    try:
        return content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _refused(
            f"Line {line} holds a character that is not UTF-8: other letters than a to z would "
            f"be read wrongly. {_AS_UTF8}"
        ) from None


def _without_hint(text: str) -> tuple[str, int]:
    """The text without the line ``sep=;`` that some programs put first, and how many that were."""
    found = re.match(r"\"?sep=.\"?(\r\n|\r|\n)", text, re.IGNORECASE)
    return (text[found.end() :], 1) if found else (text, 0)


def _delimiter(text: str) -> str:
    """What stands between the names of the first row: a comma, a semicolon, or a tabulator."""
    first = text.lstrip("\r\n").partition("\n")[0].partition("\r")[0]

    def known(delimiter: str) -> int:
        return sum(_name(cell) in COLUMNS for cell in first.split(delimiter))

    return max(_DELIMITERS, key=known)


def _records(text: str, delimiter: str, above: int) -> Iterator[list[str]]:
    # Not more than the file, and not the 128 kB of the module's own: a cell may hold 2,000 ranges.
    csv.field_size_limit(LARGEST)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = above
    try:
        for number, cells in enumerate(reader, above + 1):  # noqa: B007 - told by the fault
            yield cells
    except csv.Error:
        raise _refused(
            f"Below row {number} a quotation mark is not closed, or stands inside a cell without "
            "being doubled. Correct it there; what follows cannot be read."
        ) from None


def _header(cells: list[str]) -> list[str]:
    names = [_name(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    faults = [
        f"“{name[:40]}” is no column. Known are: {', '.join(COLUMNS)}."
        for name in names
        if name not in COLUMNS
    ]
    faults += [f"The column {n} stands there twice." for n in COLUMNS if names.count(n) > 1]
    faults += [f"The column {name} is missing." for name in NEEDED if name not in names]
    if faults:
        raise Invalid([FieldError("/file", f"First row: {fault}") for fault in faults[:20]])
    return names


def _name(cell: str) -> str:
    return _unmarked(cell.strip().strip('"')).strip().lower()


def _row(number: int, columns: list[str], cells: list[str]) -> Row:
    while len(cells) > len(columns) and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) != len(columns):
        return Row(
            number,
            {},
            f"The row has {len(cells)} cells and the first row {len(columns)}. "
            "A delimiter inside a cell needs quotation marks around the cell.",
        )
    return Row(number, {c: _unmarked(t) for c, t in zip(columns, cells, strict=True)})


def _refused(detail: str) -> Invalid:
    return Invalid([FieldError("/file", detail)])
