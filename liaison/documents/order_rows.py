"""What an order says, in words: label and text by section, and a row for each target.

Made of the content that is signed and of nothing else, so that paper and signature agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from liaison.documents.glyphs import Shown
from liaison.domain.vocabulary import (
    DataCategory,
    Instrument,
    OrderStatus,
    OriginKind,
    TargetType,
    Term,
    Urgency,
)

Content = Mapping[str, Any]
Row = tuple[str, str]


def sections(content: Content, shown: Shown) -> list[dict[str, Any]]:
    """``{"title", "rows": [{"label", "lines"}]}``; rows that say nothing are left out."""
    parts = {
        "The order": _order(content),
        "Why, and for whom": _why(content),
        "Who asks": _who(content),
    }
    return [
        {
            "title": title,
            "rows": [{"label": label, "lines": shown.lines(said)} for label, said in rows if said],
        }
        for title, rows in parts.items()
    ]


def targets(content: Content, shown: Shown) -> list[dict[str, Any]]:
    """Each target: ``kind``, ``value``, ``beside``, ``period``, ``data``, ``relation``."""
    return [
        {
            "kind": _label(TargetType, t["type"]),
            "value": shown.lines(t["value"]),
            "beside": shown.lines(_beside(t)) if _beside(t) else [],
            "period": shown.lines(f"{_moment(t['from'])} to\n{_moment(t['to'])}"),
            "data": shown.lines(", ".join(_label(DataCategory, each) for each in t["data"])),
            "relation": shown.lines(t["relation"] or ""),
        }
        for t in content["targets"]
    ]


def _order(c: Content) -> Iterator[Row]:
    yield "From", c["authority"]["name"]
    yield "To", c["provider"]["name"]
    yield "Urgency", _label(Urgency, c["urgency"])
    yield "Issued", _moment(c["issued_at"])
    yield "Acknowledge by", f"{_moment(c['acknowledge_by'])} (a term of the memorandum)"
    yield "Preserve by", f"{_moment(c['preserve_by'])} (a term of the memorandum)"
    days = c["duration_days"]
    yield "Keep for", "1 day" if days == 1 else f"{days} days"
    if c["memorandum"]:
        yield "Memorandum", f"{c['memorandum']['ref']}, version {c['memorandum']['version']}"
    yield "Id", c["id"]


def _why(c: Content) -> Iterator[Row]:
    yield "Offence", c["offence"]
    yield "Facts", c["facts"]
    yield "Necessity", c["necessity"]
    yield "Emergency ground", c["emergency_ground"] or ""
    yield "Confidentiality", _confidential(c)
    yield "Custodian or system", c["custodian"] or ""
    yield "Other providers", _others(c)
    yield "MLA request", _mla(c["mla"])
    bases = (
        f"{_label(Instrument, basis['instrument'])}, "
        f"{'article' if len(basis['articles']) == 1 else 'articles'} {', '.join(basis['articles'])}"
        for basis in c["legal_basis"]
    )
    yield "Legal basis", ";\n".join(bases)


def _who(c: Content) -> Iterator[Row]:
    yield "Origin", _origin(c["origin"])
    earlier = (
        f"\n{e.get('reference')} of {e.get('date')}" for e in c["origin"].get("previous") or ()
    )
    yield "Status", _label(OrderStatus, c["status"]) + "".join(earlier)
    yield "Investigated by", _case(c["investigating_authority"])
    yield "Prosecution", _case(c["prosecution"])
    yield "To confirm the order", _person(c["authority"]["contact"])
    yield "Person in charge", _person(c["authority"]["officer"])


def _confidential(c: Content) -> str:
    until = c["confidential_until"]
    first = f"Confidential until {until}. " if until else ""
    return first + (
        "The user must not be told." if c["no_user_notice"] else "The user may be told."
    )


def _others(c: Content) -> str:
    if c["partial_disclosure"]:
        return "To be named where they took part in the transmission (arts 17, 30)."
    return "Partial disclosure is not asked for."


def _mla(mla: Content) -> str:
    if not mla["intended"]:
        return "Not intended."
    return (
        f"Will follow, expected by {mla['expected_by']}." if mla["expected_by"] else "Will follow."
    )


def _origin(origin: Content) -> str:
    kind = _label(OriginKind, origin["kind"])
    if not origin.get("party"):
        return kind
    return (
        f"{kind}: {origin['party']}, {origin.get('authority')}, reference {origin.get('reference')}"
    )


def _case(case: Content | None) -> str:
    return f"{case.get('name')}, case {case.get('case_number')}" if case else ""


PERSON = ("name", "function", "phone", "cell", "email", "address", "office_hours", "time_zone")
"""What is said of a person, in this order."""


def _person(person: Content | None) -> str:
    known = person or {}
    first = [str(known[name]) for name in PERSON if known.get(name)]
    answer = known.get("preferred_answer")
    return "\n".join([*first, *([f"Answer: {answer}"] if answer else [])])


def _beside(t: Content) -> str:
    parts = [
        f"port {t['port']}" if t["port"] else "",
        t["protocol"] or "",
        t["service"] or "",
        f"as typed: {t['entered']}" if t["entered"] != t["value"] else "",
    ]
    return ", ".join(part for part in parts if part)


def _label(kind: type[Term], value: object) -> str:
    """The label of a word of a closed list; the word itself where the list has changed."""
    try:
        return kind(str(value)).label
    except ValueError:
        return str(value)


def _moment(text: str | None) -> str:
    return datetime.fromisoformat(text).strftime("%-d %B %Y, %H:%M:%S UTC") if text else ""
