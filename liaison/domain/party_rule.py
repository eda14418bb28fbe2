"""What a Party's law says of preservation, as an administrator enters it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from phonenumbers import SUPPORTED_REGIONS

from liaison.domain.reading import Faults, Reader
from liaison.errors import Invalid

LONGEST_DAYS, MOST_EXTENSIONS, MOST_COUNTRIES = 3650, 99, 250
"""Days; times; codes."""


@dataclass(frozen=True)
class RuleEntry:
    """A rule that was read. No countries: it holds for any Party. None: the law names no days."""

    name: str
    countries: tuple[str, ...]
    retention: str
    first_days: int | None
    extension_days: int | None
    extensions: int | None
    note: str
    source: str
    review_on: date


def read_rule(data: object, today: date) -> RuleEntry:
    """``Invalid`` with every fault. The review lies ahead: a rule is never stale from the start."""
    faults = Faults()
    r = Reader(data, "", faults)
    name = r.text("name", needed="Enter a name, like the country or the instrument.", longest=200)
    countries = _countries(r)
    retention = r.text("retention")
    first = r.number("first_days", 1, LONGEST_DAYS)
    each = r.number("extension_days", 1, LONGEST_DAYS)
    times = r.number("extensions", 0, MOST_EXTENSIONS)
    if times and each is None:
        r.fault("extension_days", "Enter the days of an extension, or leave their number empty.")
    note = r.text("note")
    source = r.text("source", needed="Enter the law and its article: a rule without is hearsay.")
    review_on = r.day("review_on", needed="Enter the day by which the rule is to be read again.")
    if review_on is not None and review_on <= today:
        r.fault("review_on", "Enter a day after today.")
    r.done()
    if faults.found:
        raise Invalid(faults.found)
    assert name is not None
    assert source is not None
    assert review_on is not None
    return RuleEntry(
        name=name.strip(),
        countries=countries,
        retention=(retention or "").strip(),
        first_days=first,
        extension_days=each,
        extensions=times,
        note=(note or "").strip(),
        source=source.strip(),
        review_on=review_on,
    )


def _countries(r: Reader) -> tuple[str, ...]:
    """ISO 3166-1 codes, each once, in order."""
    found = set()
    for given in r.items("countries", most=MOST_COUNTRIES):
        code = given.strip().upper() if isinstance(given, str) else ""
        if code in SUPPORTED_REGIONS:
            found.add(code)
        else:
            r.fault(
                "countries",
                f"“{str(given)[:20]}” is no country code. Enter two letters each, like NL, RO.",
            )
    return tuple(sorted(found))
