"""Targets pasted as lines or as CSV: every fault is named by its line, and it is all or nothing.

A line is one identifier, or several columns in the order of ``COLUMNS`` with tabs, semicolons or
commas between. Where the first line names the columns, they stand in any order. What a line leaves
out comes from what was given for all lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from liaison.domain import targets
from liaison.domain.draft_targets import MOST_TARGETS, read_targets
from liaison.domain.reading import Faults, Reader, unstorable
from liaison.domain.vocabulary import DataCategory, TargetType
from liaison.errors import FieldError, Invalid

COLUMNS = ("value", "port", "protocol", "from", "to", "data", "relation", "service", "type")
"""The columns of a line, in this order where no header says another."""

LONGEST = 1_000_000
"""Characters that can be pasted at once."""

MOST_FAULTS = 50
"""Faults that are named; of more only the number is told."""

POINTER = "/paste"

_ALIASES = {"identifier": "value", "target": "value", "categories": "data", "kind": "type"}
_ALIASES |= {"period from": "from", "period to": "to", "start": "from", "end": "to"}
_DELIMITERS = ("\t", ";", ",")
_GROUPS = re.compile(r"[\s,;|+/]+")

Moment = Callable[[str], str]
"""A typed moment as RFC 3339; ``ValueError`` says what is missing."""


@dataclass(frozen=True)
class Common:
    """What counts for every line that does not say it itself."""

    kind: str = ""
    start: str = ""
    end: str = ""
    data: tuple[str, ...] = ()
    relation: str = ""
    service: str = ""


@dataclass(frozen=True)
class Pasted:
    """One target as it was pasted; moments stand as they were typed."""

    line: int
    type: str
    value: str
    port: str
    protocol: str
    start: str
    end: str
    data: tuple[str, ...]
    relation: str
    service: str


@dataclass(frozen=True)
class Paste:
    """What was pasted; ``repeated`` are lines that said the same as one before them."""

    targets: tuple[Pasted, ...]
    repeated: tuple[int, ...]


def read(text: str, common: Common, moment: Moment, now: datetime) -> Paste:
    """Reads what was pasted; ``Invalid`` names each line that cannot be taken, and takes none."""
    faults: list[tuple[int, str]] = []
    found: dict[tuple[object, ...], Pasted] = {}
    repeated = []
    for line, cells in _rows(text, faults):
        target = _target(line, cells, common)
        said = list(_wrong(target, moment, now))
        faults += [(line, detail) for detail in said]
        same = _key(target)
        if not said and same in found:
            repeated.append(line)
        found.setdefault(same, target)
    if faults:
        raise Invalid(_told(faults))
    if not found:
        raise Invalid([FieldError(POINTER, "Paste at least one line with an identifier.")])
    return Paste(tuple(found.values()), tuple(repeated))


def _key(target: Pasted) -> tuple[object, ...]:
    """What two lines must share to say the same: everything but their place."""
    return tuple(value for name, value in vars(target).items() if name != "line")


def kind_of(text: str) -> TargetType | None:
    """The kind of an identifier; None where a person must say it.

    Fifteen digits whose check digit fits are a handset's (IMEI); others are a SIM card's (IMSI)
    where they begin with a country of the network plan and not as most handsets do (35).
    """
    digits = re.sub(r"[\s/.-]", "", text)
    if re.fullmatch(r"[0-9]{14,16}", digits) and "." not in text.strip("."):
        return _of_digits(digits)
    if re.fullmatch(r"[0-9]+", digits) and "." not in text:
        return None
    kind = targets.guess(text)
    return None if kind is TargetType.OTHER else kind


def _of_digits(digits: str) -> TargetType | None:
    try:
        targets.parse(TargetType.IMEI, digits)
    except ValueError:
        is_network = "2" <= digits[0] <= "7" and not digits.startswith("35")
        return TargetType.IMSI if is_network else None
    return TargetType.IMEI


def _told(faults: list[tuple[int, str]]) -> list[FieldError]:
    told = [
        FieldError(POINTER, f"Line {line}: {detail}" if line else detail)
        for line, detail in faults[:MOST_FAULTS]
    ]
    more = len(faults) - MOST_FAULTS
    if more > 0:
        told.append(FieldError(POINTER, f"And {more} more faults in later lines."))
    return told


# Lines and columns


def _rows(text: str, faults: list[tuple[int, str]]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each line that holds anything, as its columns by name."""
    if len(text) > LONGEST:
        faults.append((0, f"Paste at most {LONGEST} characters at once; there are {len(text)}."))
        return
    numbered = _filled(text)
    if len(numbered) > MOST_TARGETS + 1:
        said = f"There are {len(numbered)} lines; an order has at most {MOST_TARGETS} targets."
        faults.append((0, said))
        return
    header = _header(numbered[0], faults) if numbered else None
    if faults:
        return
    for line, whole in numbered[1:] if header else numbered:
        delimiter = header[0] if header else _delimiter(whole)
        names = header[1] if header else COLUMNS
        cells = _cells(line, whole, delimiter, faults)
        if cells is None:
            continue
        if any(cells[len(names) :]):
            count = len(cells)
            faults.append((line, f"There are {count} columns; at most {len(names)} are known."))
            continue
        yield line, dict(zip(names, cells, strict=False))


def _filled(text: str) -> list[tuple[int, str]]:
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _delimiter(line: str) -> str:
    return next((mark for mark in _DELIMITERS if mark in line), "\t")


def _cells(
    line: int, whole: str, delimiter: str, faults: list[tuple[int, str]]
) -> list[str] | None:
    if unstorable(whole):
        faults.append((line, "Remove the NUL character or broken character."))
        return None
    try:
        (cells,) = csv.reader([whole], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        faults.append((line, "A quotation mark is not closed, or stands in the middle of a text."))
        return None
    return [_bare(cell) for cell in cells]


def _bare(cell: str) -> str:
    """A cell without the apostrophe by which spreadsheets are kept from reckoning."""
    cell = cell.strip()
    return cell[1:] if re.match(r"'[=+\-@]", cell) else cell


def _header(
    first: tuple[int, str], faults: list[tuple[int, str]]
) -> tuple[str, tuple[str, ...]] | None:
    """The columns that the first line names; None where it names none."""
    line, whole = first
    delimiter = _delimiter(whole)
    cells = [cell.strip().strip('"').casefold() for cell in whole.split(delimiter)]
    names = [_ALIASES.get(cell, cell) for cell in cells]
    if "value" not in names:
        return None
    known = ", ".join(COLUMNS)
    for name, cell in zip(names, cells, strict=True):
        if name not in COLUMNS:
            faults.append((line, f"There is no column “{cell}”. Known are: {known}."))
    if len(set(names)) < len(names):
        faults.append((line, "A column is named twice."))
    return delimiter, tuple(names)


# One target


def _target(line: int, cells: Mapping[str, str], common: Common) -> Pasted:
    value = cells.get("value", "")
    data = tuple(_category(word) for word in _GROUPS.split(cells.get("data", "")) if word)
    kind = _kind(cells.get("type", "")) or common.kind or (kind_of(value) or "")
    service = common.service if kind == TargetType.ACCOUNT else ""
    return Pasted(
        line=line,
        type=str(kind.value if isinstance(kind, TargetType) else kind),
        value=value,
        port=cells.get("port", ""),
        protocol=cells.get("protocol", "").lower(),
        start=cells.get("from", "") or common.start.strip(),
        end=cells.get("to", "") or common.end.strip(),
        data=data or common.data,
        relation=cells.get("relation", "") or common.relation,
        service=cells.get("service", "") or service,
    )


def _kind(word: str) -> str:
    """A kind by its word or its label; any other word stays, to be named as wrong."""
    folded = word.casefold()
    for kind in TargetType:
        if folded in (kind.value, kind.value.replace("_", " "), kind.label.casefold()):
            return kind.value
    return word


def _category(word: str) -> str:
    return word.casefold()


def _wrong(target: Pasted, moment: Moment, now: datetime) -> Iterator[str]:
    """What is wrong with a line, each in a sentence."""
    if not target.value:
        yield "The identifier is missing; it is the first column."
        return
    if not target.type:
        yield (
            f"What “{_cut(target.value)}” is cannot be told from it: name its kind in the line's "
            "last column, or choose a kind for all lines."
        )
        return
    given, said = _as_json(target, moment)
    yield from said.values()
    faults = Faults()
    read_targets(Reader({"targets": [given]}, "", faults), now)
    for fault in faults.found:
        name = fault.pointer.split("/")[3] if fault.pointer.count("/") > 2 else "value"
        if name not in said:
            yield _in_words(name, fault.detail, target)


def _as_json(target: Pasted, moment: Moment) -> tuple[dict[str, object], dict[str, str]]:
    """The target as an order's JSON has it, and what is wrong with its moments."""
    said = {}
    given: dict[str, object] = {
        "type": target.type,
        "value": target.value,
        "data": list(target.data),
        "relation": target.relation,
    }
    for name, typed in (("from", target.start), ("to", target.end)):
        try:
            given[name] = moment(typed) if typed else None
        except ValueError as fault:
            said[name] = f"{name}: {fault}"
    for name, text in (("protocol", target.protocol), ("service", target.service)):
        if text:
            given[name] = text
    if target.port:
        digits = re.fullmatch(r"[0-9]{1,9}", target.port)
        given["port"] = int(target.port) if digits else target.port
    return given, said


_MISSING = {
    "from": "from: Say when the period begins, in the line or for all lines.",
    "to": "to: Say when the period ends, in the line or for all lines.",
    "data": "data: Choose at least one category of data, in the line or for all lines.",
    "relation": "relation: Say how it relates to the offence, in the line or for all lines.",
}


def _in_words(name: str, detail: str, target: Pasted) -> str:
    given = {"from": target.start, "to": target.end, "data": target.data}
    given["relation"] = target.relation
    if name in _MISSING and not given[name]:
        return _MISSING[name]
    if name == "data":
        return f"data: Choose from: {', '.join(category.value for category in DataCategory)}."
    if name in ("port", "protocol") and target.type == TargetType.URL.value:
        detail += " A web address with a comma or semicolon in it stands in quotation marks."
    return detail if name == "value" else f"{name}: {detail}"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
