"""A counterpart's request as it is registered, and what it lacks of Budapest Convention art. 29(2).

Registering comes first and asks for little: who asks, under which reference, since when, and where
an answer goes. All else may be missing; it is listed, so that it can be asked for. Field names are
those of an order's JSON where both have the field; faults name their place by JSON pointer.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from phonenumbers import SUPPORTED_REGIONS

from liaison.domain import addresses
from liaison.domain.draft import FOREIGN_DAYS, MOST_DAYS
from liaison.domain.draft_targets import MOST_TARGETS, read_targets
from liaison.domain.reading import Faults, Reader
from liaison.domain.vocabulary import DataCategory, Instrument, OrderStatus, Term, Urgency
from liaison.errors import Invalid

LANGUAGES = {"en": "English", "fr": "French", "es": "Spanish", "ru": "Russian", "de": "German"}
"""In which there are letters; any other counterpart is written to in English."""

LETTERS = {
    "a": "The authority that seeks the preservation",
    "b": "The offence, and a brief summary of the facts",
    "c": "The data to be preserved, and how they relate to the offence",
    "d": "What identifies who holds the data, or where the system is",
    "e": "Why the preservation is necessary",
    "f": "That the Party intends to submit a request for mutual assistance",
}
"""What a request must state: Budapest Convention art. 29(2), by its letters."""


class LetterKind(Term):
    """What is written to a counterpart. Each is shown before it is sent."""

    RECEIPT = "receipt", "Receipt", "That the request arrived, and under which number it stands."
    MISSING = "missing", "What is missing", "Asks for what art. 29(2) wants and is not there."
    PROGRESS = "progress", "Progress", "Where the orders made from it stand."
    RESULT = "result", "Result", "What came of the orders; the request is closed with it."
    REFUSAL = "refusal", "Refusal", "That the request is refused, and on which ground."


LONGEST_REFERENCE = 300
MOST_PREVIOUS, MOST_BASES = 50, 20
TOO_LATE = timedelta(minutes=5)
"""How far another clock may be ahead of ours: nothing is received later than now."""


@dataclass(frozen=True)
class RequestEntry:
    """A request that breaks no rule of registering; None and empty lists are what it lacks."""

    party: str
    reference: str
    received_at: datetime
    requesting_authority: str | None
    contact_name: str | None
    contact_email: str
    contact_phone: str | None
    language: str
    status: OrderStatus
    previous: list[dict[str, Any]]
    urgency: Urgency
    emergency_ground: str | None
    legal_basis: list[dict[str, Any]]
    offence: str | None
    facts: str | None
    targets: list[dict[str, Any]]
    custodian: str | None
    necessity: str | None
    mla_intended: bool | None
    mla_expected_by: date | None
    investigating_authority: dict[str, Any] | None
    prosecution: dict[str, Any] | None
    confidential_until: date | None
    duration_days: int | None


class Stated(Protocol):
    """Whatever has what a request states: an entry, or a row."""

    @property
    def requesting_authority(self) -> Any:
        """a) who asks."""

    @property
    def offence(self) -> Any:
        """b) the offence."""

    @property
    def facts(self) -> Any:
        """b) what happened."""

    @property
    def targets(self) -> Any:
        """c) the data."""

    @property
    def custodian(self) -> Any:
        """d) who holds them."""

    @property
    def necessity(self) -> Any:
        """e) why they must be kept."""

    @property
    def mla_intended(self) -> Any:
        """f) whether an MLA request will follow."""


def fold(reference: str) -> str:
    """A reference as it is compared: case, width and white space make no difference."""
    return "".join(unicodedata.normalize("NFKC", reference).casefold().split())


def letter_language(language: str) -> str:
    """In which language letters to them are written."""
    return language if language in LANGUAGES else "en"


def read_request(data: object, now: datetime) -> RequestEntry:
    """Reads a request; ``Invalid`` names every fault at once."""
    faults = Faults()
    r = Reader(data, "", faults)
    urgency = r.term("urgency", Urgency, Urgency.ROUTINE)
    fields = {
        "party": _party(r),
        "reference": r.text(
            "reference", needed="Enter the reference they gave it.", longest=LONGEST_REFERENCE
        ),
        "received_at": _received(r, now),
        "requesting_authority": r.text("requesting_authority", longest=300),
        **_contact(r),
        "language": _language(r),
        "status": r.term("status", OrderStatus, OrderStatus.NEW),
        "previous": _previous(r),
        "urgency": urgency,
        "emergency_ground": _ground(r, urgency),
        "legal_basis": _legal_basis(r),
        "offence": r.text("offence", longest=2000),
        "facts": r.text("facts", longest=20000),
        "targets": [_target(t) for t in r.children("targets", most=MOST_TARGETS)],
        "custodian": r.text("custodian"),
        "necessity": r.text("necessity", longest=5000),
        **_mla(r),
        "investigating_authority": _case(r, "investigating_authority"),
        "prosecution": _case(r, "prosecution"),
        "confidential_until": r.day("confidential_until"),
        "duration_days": _duration(r),
    }
    r.done()
    if faults.found:
        raise Invalid(faults.found)
    return RequestEntry(**{name: _stripped(value) for name, value in fields.items()})


def missing(stated: Stated, now: datetime) -> list[tuple[str, str]]:
    """What art. 29(2) asks for and is not there: its letter, and a sentence that says what."""
    found = []
    if not stated.requesting_authority:
        found.append(("a", "It does not name the authority that seeks the preservation."))
    if not stated.offence:
        found.append(("b", "It does not name the offence."))
    if not stated.facts:
        found.append(("b", "It does not summarise the facts."))
    found += [("c", sentence) for sentence in _of_targets(stated.targets, now)]
    if not stated.custodian:
        found.append(("d", "It says nothing of who holds the data or where the system is."))
    if not stated.necessity:
        found.append(("e", "It does not say why the preservation is necessary."))
    if stated.mla_intended is None:
        found.append(("f", "It does not say whether a request for mutual assistance will follow."))
    elif not stated.mla_intended:
        found.append(("f", "It says that no request for mutual assistance is intended."))
    return found


def _of_targets(targets: list[Any], now: datetime) -> list[str]:
    """What an order's own reader would say of them, in the counting of people: from one on."""
    if not targets:
        return ["It names no data to be preserved."]
    faults = Faults()
    read_targets(Reader({"targets": targets}, "", faults), now)
    said = []
    for fault in faults.found:
        _, _, place = fault.pointer.partition("/targets/")
        index, _, name = place.partition("/")
        word = _WORDS.get(name, name)
        absent = name in _WORDS and not targets[int(index)].get(name)
        if name in ("from", "to") and not absent and fault.detail.startswith("Enter date"):
            said.append(f"Target {int(index) + 1}: the {word} has no time of day, or no zone.")
            continue
        said.append(
            f"Target {int(index) + 1}: the {word} {'are' if name == 'data' else 'is'} not stated."
            if absent
            else f"Target {int(index) + 1}, {word}: {fault.detail}"
        )
    return said


_WORDS = {
    "type": "kind",
    "value": "identifier",
    "from": "beginning of the period",
    "to": "end of the period",
    "data": "categories of data",
    "relation": "relation to the offence",
    "service": "service",
}


def _party(r: Reader) -> str | None:
    hint = "Enter the Party's country code, two letters like NL."
    party = r.text("party", needed=hint, longest=20)
    if party is None:
        return None
    code = party.strip().upper()
    if code not in SUPPORTED_REGIONS:
        r.fault("party", hint)
    return code


def _received(r: Reader, now: datetime) -> datetime | None:
    moment = r.moment("received_at", needed="Enter when it arrived, with its time zone.")
    if moment is None:
        return None
    if moment > now + TOO_LATE:
        r.fault("received_at", "This lies in the future: enter when it arrived.")
    elif moment.year < 2001:
        r.fault("received_at", "This is before the Convention: enter when it arrived.")
    return moment.astimezone(UTC)


def _contact(r: Reader) -> dict[str, Any]:
    c = r.child("contact", needed="Enter where the answer goes.")
    if c is None:
        return {"contact_name": None, "contact_email": None, "contact_phone": None}
    name = c.text("name", longest=300)
    email = _read(c, "email", addresses.institutional_email, "Enter an institutional address.")
    phone = _read(c, "phone", addresses.phone_number)
    c.done()
    return {"contact_name": name, "contact_email": email, "contact_phone": phone}


def _read(c: Reader, name: str, read: Any, needed: str = "") -> str | None:
    text = c.text(name, needed=needed, longest=320)
    if text is None:
        return None
    try:
        found: str = read(text)
    except ValueError as error:
        c.fault(name, str(error))
        return None
    return found


def _language(r: Reader) -> str | None:
    hint = "Enter the code of a language, two letters like fr (ISO 639-1)."
    text = r.text("language", needed=hint, longest=20)
    if text is None:
        return None
    code = text.strip().lower()
    if not (len(code) == 2 and code.isascii() and code.isalpha()):
        r.fault("language", hint)
    return code


def _previous(r: Reader) -> list[dict[str, Any]]:
    """Earlier requests; the date may not be known."""
    found = []
    for p in r.children("previous", most=MOST_PREVIOUS):
        day = p.day("date")
        reference = p.text(
            "reference", needed="Enter the earlier reference.", longest=LONGEST_REFERENCE
        )
        p.done()
        found.append({"date": day.isoformat() if day else None, "reference": reference})
    return found


def _ground(r: Reader, urgency: Urgency | None) -> str | None:
    """An emergency may be registered before its ground is known; an order needs it."""
    ground = r.text("emergency_ground", longest=5000)
    if ground and urgency not in (None, Urgency.EMERGENCY):
        detail = "Only an emergency has this ground: choose emergency, or leave the ground out."
        r.fault("emergency_ground", detail)
    return ground


def _legal_basis(r: Reader) -> list[dict[str, Any]]:
    found = []
    for b in r.children("legal_basis", most=MOST_BASES):
        instrument = b.term("instrument", Instrument)
        articles = [_listed(b, "articles", given) for given in b.items("articles", most=50)]
        b.done()
        found.append({"instrument": instrument and instrument.value, "articles": articles})
    return found


def _listed(r: Reader, name: str, given: object) -> str | None:
    """One text of a list, read by the rules of any other text."""
    return Reader({name: given}, r.pointer, r.faults).text(name, longest=200)


def _target(t: Reader) -> dict[str, Any]:
    """A target as it was given, in an order's field names; whether it is whole is asked later.

    What no order could hold (a list where a text belongs, a NUL) is a fault even here.
    """
    found: dict[str, Any] = {
        name: t.text(name, longest=2000)
        for name in ("type", "value", "protocol", "service", "from", "to", "relation")
    }
    port = t.get("port")
    # What was typed and is no number stays as it is, to be named as missing.
    found["port"] = (
        t.text("port", longest=20) if isinstance(port, str) else t.number("port", 0, 10**6)
    )
    found["data"] = [
        category.value
        for given in t.items("data", most=20)
        if (category := t.one_of("data", given, DataCategory)) is not None
    ]
    t.done()
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _mla(r: Reader) -> dict[str, Any]:
    m = r.child("mla")
    if m is None:
        return {"mla_intended": None, "mla_expected_by": None}
    intended = None if m.get("intended") is None else m.flag("intended")
    expected_by = m.day("expected_by")
    if expected_by and intended is False:
        m.fault("expected_by", "No MLA request is intended: leave the date out.")
    m.done()
    return {"mla_intended": intended, "mla_expected_by": expected_by}


def _case(r: Reader, name: str) -> dict[str, Any] | None:
    c = r.child(name)
    if c is None:
        return None
    found = {"name": c.text("name", longest=500), "case_number": c.text("case_number", longest=200)}
    c.done()
    return {key: value for key, value in found.items() if value} or None


def _duration(r: Reader) -> int | None:
    """Days. Whatever they ask for, the data are kept at least 60 days (art. 29(7))."""
    days = r.number("duration_days", 1, MOST_DAYS)
    if days is not None and days < FOREIGN_DAYS:
        r.fault(
            "duration_days",
            f"A foreign request is kept for at least {FOREIGN_DAYS} days "
            "(Budapest Convention art. 29(7)). Enter that, or leave it empty.",
        )
    return days


def _stripped(value: Any) -> Any:
    """Texts without white space around them; a text of nothing else is none."""
    return (value.strip() or None) if type(value) is str else value
