"""A draft order: what a contact point writes, before any provider is told.

The fields are those of the Council of Europe's templates T-CY(2018)10 and 11 and of the Budapest
Convention art. 29(2). The same rules read a file, a form and a program's request; field names
are those of the JSON format, faults name their place by JSON pointer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from liaison.domain import addresses
from liaison.domain.draft_targets import TargetDraft, read_targets
from liaison.domain.reading import Faults, Reader
from liaison.domain.vocabulary import Instrument, OrderStatus, OriginKind, Urgency
from liaison.errors import Invalid

FOREIGN_DAYS = 60
"""Days; a foreign request is kept for at least so long (Budapest Convention art. 29(7))."""

MOST_DAYS = 3650


@dataclass(frozen=True)
class OrderDraft:
    """A draft that breaks no rule. Whether the memorandum allows it is asked at issue."""

    provider: str
    urgency: Urgency
    status: OrderStatus
    origin_kind: OriginKind
    origin: dict[str, Any]
    issuing_officer: dict[str, Any]
    confirmation_contact: dict[str, Any]
    investigating_authority: dict[str, Any]
    prosecution: dict[str, Any] | None
    legal_basis: list[dict[str, Any]]
    offence: str
    facts: str
    necessity: str
    custodian: str | None
    targets: tuple[TargetDraft, ...]
    duration_days: int
    confidential_until: date | None
    no_user_notice: bool
    partial_disclosure: bool
    mla_intended: bool
    mla_expected_by: date | None
    emergency_ground: str | None


def parse_draft(data: object, now: datetime) -> OrderDraft:
    """Reads a draft; ``Invalid`` names every fault at once."""
    faults = Faults()
    reader = Reader(data, "", faults)
    fields = _fields(reader, now)
    reader.done()
    if faults.found:
        raise Invalid(faults.found)
    return OrderDraft(**fields)


def _fields(r: Reader, now: datetime) -> dict[str, Any]:
    urgency = r.term("urgency", Urgency)
    status = r.term("status", OrderStatus, OrderStatus.NEW)
    kind, origin = _origin(r, status)
    intended, expected_by = _mla(r)
    return {
        "provider": r.text("provider", needed="Choose the provider that holds the data."),
        "urgency": urgency,
        "status": status,
        "origin_kind": kind,
        "origin": origin,
        "issuing_officer": _officer(r),
        "confirmation_contact": _contact(r),
        "investigating_authority": _case(
            r.child(
                "investigating_authority", needed="Name the investigating authority and its case."
            )
        ),
        "prosecution": _case(r.child("prosecution")) or None,
        "legal_basis": _legal_basis(r),
        "offence": r.text("offence", needed="Name the offence (art. 29(2)(b)).", longest=2000),
        "facts": r.text("facts", needed="Summarise the facts (art. 29(2)(b)).", longest=20000),
        "necessity": r.text(
            "necessity", needed="Say why the data must be kept (art. 29(2)(e)).", longest=5000
        ),
        "custodian": r.text("custodian"),
        "targets": read_targets(r, now),
        "duration_days": _duration(r, kind),
        "confidential_until": r.day("confidential_until"),
        "no_user_notice": r.flag("no_user_notice"),
        "partial_disclosure": r.flag("partial_disclosure"),
        "mla_intended": intended,
        "mla_expected_by": expected_by,
        "emergency_ground": _ground(r, urgency),
    }


def _origin(r: Reader, status: OrderStatus | None) -> tuple[OriginKind | None, dict[str, Any]]:
    o = r.child("origin", needed="Say whether the request is domestic or foreign.")
    if o is None:
        return None, {}
    kind = o.term("kind", OriginKind)
    names = ("party", "authority", "reference")
    hints = (
        "Enter the Party's country code, two letters like NL.",
        "Name the authority that asks (art. 29(2)(a)).",
        "Enter the asking authority's reference.",
    )
    foreign = kind is OriginKind.FOREIGN
    origin = {
        name: o.text(name, needed=hint if foreign else "", longest=300)
        for name, hint in zip(names, hints, strict=True)
    }
    party = origin["party"]
    if party and not (len(party) == 2 and party.isascii() and party.isalpha()):
        o.fault("party", hints[0])
    if kind is OriginKind.DOMESTIC:
        for name in names:
            if origin[name]:
                o.fault(name, "A domestic request has none: leave it out, or choose foreign.")
    previous = _previous(o)
    if status not in (None, OrderStatus.NEW) and not previous:
        o.fault("previous", "A follow-up names what it follows: date and reference.")
    o.done()
    found = {k: v for k, v in origin.items() if v}
    if party:
        found["party"] = party.upper()
    return kind, {**found, **({"previous": previous} if previous else {})}


def _previous(o: Reader) -> list[dict[str, Any]]:
    found = []
    for p in o.children("previous"):
        day = p.day("date", needed="Enter the date of the earlier request.")
        reference = p.text("reference", needed="Enter the earlier reference.", longest=300)
        p.done()
        found.append({"date": day.isoformat() if day else None, "reference": reference})
    return found


def _officer(r: Reader) -> dict[str, Any]:
    """Sections 2-6 of T-CY(2018)11; what is left out is filled in from the register."""
    o = r.child("issuing_officer")
    if o is None:
        return {}
    names = ("name", "address", "office_hours", "time_zone", "preferred_answer")
    found = {name: o.text(name, longest=500) for name in names}
    found |= {name: _phone(o, name) for name in ("phone", "cell")}
    found["email"] = _email(o)
    o.done()
    return {k: v for k, v in found.items() if v}


def _contact(r: Reader) -> dict[str, Any]:
    c = r.child("confirmation_contact", needed="Say whom the provider calls to confirm the order.")
    if c is None:
        return {}
    found = {
        "name": c.text("name", needed="Name the person or the desk.", longest=300),
        "function": c.text("function", longest=300),
        "phone": _phone(c, "phone", needed=True),
        "cell": _phone(c, "cell"),
        "email": _email(c, needed=True),
    }
    c.done()
    return {k: v for k, v in found.items() if v}


def _phone(r: Reader, name: str, *, needed: bool = False) -> str | None:
    hint = "Enter the number in international form, like +37410000100." if needed else ""
    text = r.text(name, needed=hint, longest=60)
    if text is None:
        return None
    try:
        return addresses.phone_number(text)
    except ValueError as error:
        r.fault(name, str(error))
        return None


def _email(r: Reader, *, needed: bool = False) -> str | None:
    text = r.text("email", needed="Enter an institutional address." if needed else "", longest=320)
    if text is None:
        return None
    try:
        return addresses.institutional_email(text)
    except ValueError as error:
        r.fault("email", str(error))
        return None


def _case(r: Reader | None) -> dict[str, Any]:
    if r is None:
        return {}
    found = {
        "name": r.text("name", needed="Name the authority.", longest=500),
        "case_number": r.text("case_number", needed="Enter its case number.", longest=200),
    }
    r.done()
    return found


def _legal_basis(r: Reader) -> list[dict[str, Any]]:
    found = []
    for b in r.children("legal_basis", needed="Name the legal basis.", most=20):
        instrument = b.term("instrument", Instrument)
        articles = b.items("articles", needed="Name at least one article.", most=50)
        for index, article in enumerate(articles):
            _article(b, index, article)
        b.done()
        found.append({"instrument": instrument and instrument.value, "articles": articles})
    return found


def _article(b: Reader, index: int, article: object) -> None:
    # Read by the same rules as any other text, under the article's own pointer.
    one = Reader({str(index): article}, b.at("articles"), b.faults)
    one.text(str(index), needed="Name the article.", longest=200)


def _duration(r: Reader, kind: OriginKind | None) -> int | None:
    days = r.number("duration_days", 1, MOST_DAYS, needed="Enter for how many days.")
    if days is not None and kind is OriginKind.FOREIGN and days < FOREIGN_DAYS:
        r.fault(
            "duration_days",
            f"A foreign request is kept for at least {FOREIGN_DAYS} days "
            "(Budapest Convention art. 29(7)).",
        )
    return days


def _mla(r: Reader) -> tuple[bool, date | None]:
    m = r.child("mla", needed="Say whether an MLA request will follow (art. 29(2)(f)).")
    if m is None:
        return False, None
    if m.get("intended") is None:
        m.fault("intended", "Say whether an MLA request will follow: true or false.")
    intended = m.flag("intended")
    hint = "Say by when the MLA request is expected." if intended else ""
    expected_by = m.day("expected_by", needed=hint)
    if expected_by and not intended and m.data.get("intended") is False:
        m.fault("expected_by", "No MLA request is intended: leave the date out.")
    m.done()
    return intended, expected_by


def _ground(r: Reader, urgency: Urgency | None) -> str | None:
    emergency = urgency is Urgency.EMERGENCY
    hint = "State the significant and imminent risk to the life or safety of a person."
    ground = r.text("emergency_ground", needed=hint if emergency else "", longest=5000)
    if ground and urgency not in (None, Urgency.EMERGENCY):
        r.fault(
            "emergency_ground",
            "Only an emergency has this ground: choose emergency, or leave the ground out.",
        )
    return ground if emergency else None
