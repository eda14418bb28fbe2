"""A memorandum as its two sides write it: names, dates and every term but the ladders."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from liaison.domain import spans, windows
from liaison.domain.ladder import Ladder
from liaison.domain.reading import Faults, Reader
from liaison.domain.terms import Clocks, Terms, Window
from liaison.domain.terms_words import span, window
from liaison.domain.vocabulary import DataCategory, Role, TargetType, Term, Urgency
from liaison.errors import Invalid

LONGEST_DAYS = 3650
"""Days an order may ask for at the most: ten years. Each memorandum sets its own within it."""
MOST_EXTENSIONS, MOST_DRILLS = 20, 52
LONGEST_REFERENCE = 60
MOST_WINDOWS, MOST_LANGUAGES = 21, 20

ISSUERS = (Role.OFFICER, Role.SUPERVISOR)
"""Who can issue at all; a memorandum names one of them or both."""

T = TypeVar("T", bound=Term)


@dataclass(frozen=True)
class Entry:
    """What was written, without a fault."""

    reference: str
    in_force_from: date
    in_force_to: date | None
    terms: Terms


def read(data: object, ladders: Mapping[Urgency, Ladder]) -> Entry:
    """The memorandum that was written; ``Invalid`` names every fault by its pointer.

    ``ladders`` are edited elsewhere and go in as they are. Times are texts (``1 h 30 min``),
    windows are lines (``Monday to Friday, 08:00 to 20:00``).
    """
    faults = Faults()
    reader = Reader(data, "", faults)
    reference = _reference(reader)
    first, last = _dates(reader)
    terms = _terms(reader, ladders)
    reader.done()
    if faults.found:
        raise Invalid(faults.found)
    assert reference is not None and first is not None and terms is not None
    return Entry(reference, first, last, terms)


def written(reference: str, first: date, last: date | None, terms: Terms) -> dict[str, Any]:
    """The same as data, as ``read`` takes it: what a form opens with."""
    return {
        "reference": reference,
        "in_force_from": first.isoformat(),
        "in_force_to": last.isoformat() if last else None,
        "clocks": {
            urgency.value: {
                "acknowledge": span(clocks.acknowledge),
                "preserve": span(clocks.preserve),
            }
            for urgency, clocks in terms.clocks.items()
        },
        "answer": span(terms.answer),
        "clock_stops": terms.clock_stops,
        "default_days": terms.default_days,
        "longest_days": terms.longest_days,
        "extensions": terms.extensions,
        "categories": sorted(category.value for category in terms.categories),
        "target_types": sorted(kind.value for kind in terms.target_types),
        "emergency_windows": [window(hours) for hours in terms.emergency_windows],
        "languages": list(terms.languages),
        "issuers": sorted(role.value for role in terms.issuers),
        "ratification": span(terms.ratification),
        "drills_a_year": terms.drills_a_year,
        "disposal_confirmation": terms.disposal_confirmation,
        "office_hours": [window(hours) for hours in terms.office_hours],
        "observes_holidays": terms.observes_holidays,
        "reply_acknowledges": terms.reply_acknowledges,
    }


def reference_fault(text: str | None) -> str | None:
    """What is wrong with a reference; None where nothing is."""
    if text is None or not re.fullmatch(r"[^\W_][\w /.()–-]*", text.strip()):
        return "Write letters, digits, spaces and - / . ( ) only, like MoU-12/2026."
    if len(text.strip()) > LONGEST_REFERENCE:
        return f"Write at most {LONGEST_REFERENCE} characters."
    return None


def _reference(reader: Reader) -> str | None:
    text = reader.text("reference", needed="Enter the memorandum's reference, like MoU-12/2026.")
    if text is None:
        return None
    if fault := reference_fault(text):
        reader.fault("reference", fault)
        return None
    return " ".join(text.split())


def _dates(reader: Reader) -> tuple[date | None, date | None]:
    first = reader.day("in_force_from", needed="Enter the first day in force.")
    last = reader.day("in_force_to")
    if first is not None and last is not None and last < first:
        detail = f"The last day must not be before the first, {first}. Empty: no end is agreed."
        reader.fault("in_force_to", detail)
    return first, last


def _terms(reader: Reader, ladders: Mapping[Urgency, Ladder]) -> Terms | None:
    before = len(reader.faults.found)
    clocks = _clocks(reader)
    answer = _span(reader, "answer")
    ratification = _span(reader, "ratification")
    longest = reader.number("longest_days", 1, LONGEST_DAYS, needed="Enter a number of days.")
    most = longest or LONGEST_DAYS
    default = reader.number("default_days", 1, LONGEST_DAYS, needed="Enter a number of days.")
    if default is not None and default > most:
        detail = f"Enter at most {most} days: no order may ask for longer."
        reader.fault("default_days", detail)
    extensions = reader.number("extensions", 0, MOST_EXTENSIONS, needed="Enter 0 for none.")
    drills = reader.number("drills_a_year", 0, MOST_DRILLS, needed="Enter 0 for none.")
    chosen = "Choose at least one: an order for anything else is refused."
    categories = _chosen(reader, "categories", DataCategory, chosen)
    types = _chosen(reader, "target_types", TargetType, chosen)
    issuers = _issuers(reader)
    emergencies, languages = _windows(reader, "emergency_windows"), _languages(reader)
    hours, holidays = _windows(reader, "office_hours"), reader.flag("observes_holidays")
    reply = reader.flag("reply_acknowledges")
    stops, disposal = reader.flag("clock_stops"), reader.flag("disposal_confirmation")
    if len(reader.faults.found) > before:
        return None
    assert answer is not None and ratification is not None and longest is not None
    assert default is not None and extensions is not None and drills is not None
    return Terms(
        clocks=clocks,
        ladders=dict(ladders),
        answer=answer,
        clock_stops=stops,
        default_days=default,
        longest_days=longest,
        extensions=extensions,
        categories=categories,
        target_types=types,
        emergency_windows=emergencies,
        languages=languages,
        issuers=issuers,
        ratification=ratification,
        drills_a_year=drills,
        disposal_confirmation=disposal,
        office_hours=hours,
        observes_holidays=holidays,
        reply_acknowledges=reply,
    )


def _clocks(reader: Reader) -> dict[Urgency, Clocks]:
    found = {}
    whole = reader.child("clocks", needed="Enter the times for each urgency.")
    for urgency in Urgency:
        needed = "Enter both times."
        pair = whole.child(urgency.value, needed=needed) if whole else None
        if pair is None:
            continue
        acknowledge, preserve = _span(pair, "acknowledge"), _span(pair, "preserve")
        pair.done()
        if acknowledge is None or preserve is None:
            continue
        if preserve < acknowledge:
            detail = "Both times count from issue: this must not be less than to acknowledge."
            pair.fault("preserve", detail)
        found[urgency] = Clocks(acknowledge, preserve)
    if whole is not None:
        whole.done()
    return found


def _span(reader: Reader, name: str) -> timedelta | None:
    text = reader.text(name, needed=spans.WANTED, longest=60)
    if text is None:
        return None
    try:
        found = spans.parse(text)
    except ValueError as fault:
        reader.fault(name, str(fault))
        return None
    if not found:
        reader.fault(name, "Enter a time longer than nothing.")
        return None
    return found


def _chosen(reader: Reader, name: str, kind: type[T], needed: str) -> frozenset[T]:
    items = reader.items(name, needed=needed, most=len(kind))
    known = (reader.one_of(name, item, kind) for item in items)
    return frozenset(item for item in known if item is not None)


def _issuers(reader: Reader) -> frozenset[Role]:
    found = _chosen(reader, "issuers", Role, "Choose who may issue.")
    if found - set(ISSUERS):
        names = " or ".join(role.label.lower() for role in ISSUERS)
        reader.fault("issuers", f"Choose {names}: nobody else issues orders.")
    return found


def _windows(reader: Reader, name: str) -> tuple[Window, ...]:
    found = []
    for index, line in enumerate(reader.items(name, most=MOST_WINDOWS)):
        try:
            found.append(windows.parse(line if isinstance(line, str) else ""))
        except ValueError as fault:
            reader.fault(name, f"Line {index + 1}: {fault}")
    return tuple(found)


def _languages(reader: Reader) -> tuple[str, ...]:
    needed = "Name at least one language, like en."
    found: list[str] = []
    for code in reader.items("languages", needed=needed, most=MOST_LANGUAGES):
        if not isinstance(code, str) or not re.fullmatch(r"[A-Za-z]{2,3}", code, re.ASCII):
            reader.fault("languages", "Write codes of two letters (ISO 639-1), like hy, en.")
            break
        found.append(code.lower())
    return _once(found)


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))
