"""Between the request's form, the request as JSON and the row; and on to an order's form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from liaison.domain import targets as identifiers
from liaison.domain.vocabulary import Instrument, OrderStatus, OriginKind, Urgency
from liaison.models import CounterpartRequest
from liaison.portal.orders import moments

USUAL_BASIS = {"instrument": Instrument.BUDAPEST.value, "articles": "29"}
_TEXTS = (
    "party",
    "reference",
    "requesting_authority",
    "language",
    "status",
    "urgency",
    "emergency_ground",
    "offence",
    "facts",
    "custodian",
    "necessity",
    "confidential_until",
)


def new_target() -> dict[str, Any]:
    """A target nobody has typed yet: what they did not say is left empty."""
    return {"start_zone": "UTC", "end_zone": "UTC"}


def new_form(now: datetime) -> dict[str, Any]:
    """A new form: it arrived just now, unless something else is typed."""
    return {
        "received_at": moments.as_typed(now.replace(second=0, microsecond=0), 0)[:16],
        "received_at_zone": "UTC",
        "language": "en",
        "urgency": Urgency.ROUTINE.value,
        "status": OrderStatus.NEW.value,
        "previous": [{}],
        "legal_basis": [USUAL_BASIS],
        "targets": [new_target()],
    }


def of_row(row: CounterpartRequest) -> dict[str, Any]:
    """A registered request as its form shows it."""
    said = {None: "", True: "yes", False: "no"}[row.mla_intended]
    return {
        **{name: getattr(row, name) for name in _TEXTS if name not in ("status", "urgency")},
        "version": str(row.version),
        "status": row.status.value,
        "urgency": row.urgency.value,
        "received_at": moments.as_typed(row.received_at, 0),
        "received_at_zone": "UTC",
        "contact": {
            "name": row.contact_name,
            "email": row.contact_email,
            "phone": row.contact_phone,
        },
        "previous": row.previous or [{}],
        "mla": {"intended": said, "expected_by": _iso(row.mla_expected_by)},
        "confidential_until": _iso(row.confidential_until),
        "duration_days": _text(row.duration_days),
        **_shared(row),
    }


def for_order(row: CounterpartRequest) -> dict[str, Any]:
    """What a request fills into the form of an order; the officer completes the rest."""
    intended = bool(row.mla_intended)
    given = {
        "request_id": str(row.id),
        "urgency": row.urgency.value,
        "emergency_ground": row.emergency_ground,
        "status": row.status.value,
        "origin": {
            "kind": OriginKind.FOREIGN.value,
            "party": row.party,
            "authority": row.requesting_authority,
            "reference": row.reference,
            "previous": row.previous or [{}],
        },
        "offence": row.offence,
        "facts": row.facts,
        "custodian": row.custodian,
        "necessity": row.necessity,
        "mla": {"intended": intended, "expected_by": _iso(row.mla_expected_by)},
        "confidential_until": _iso(row.confidential_until),
        "duration_days": _text(row.duration_days),
        **_shared(row),
    }
    if not row.legal_basis:
        given["legal_basis"] = [USUAL_BASIS]
    return {name: value for name, value in given.items() if value not in (None, "", {})}


def _shared(row: CounterpartRequest) -> dict[str, Any]:
    """What the two forms write alike."""
    return {
        "legal_basis": [
            {"instrument": b["instrument"], "articles": _joined(b["articles"])}
            for b in row.legal_basis
        ]
        or [{}],
        "investigating_authority": row.investigating_authority or {},
        "prosecution": row.prosecution or {},
        "targets": [_of_target(t) for t in row.targets] or [new_target()],
    }


def _joined(articles: list[str]) -> str:
    """With semicolons where a comma belongs to an article; the form splits at them first."""
    if not any("," in article for article in articles):
        return ", ".join(articles)
    return "; ".join(articles) + (";" if len(articles) == 1 else "")


def _of_target(target: Mapping[str, Any]) -> dict[str, Any]:
    """Moments stand as they were given, with their own offset."""
    return {
        **{name: target.get(name) or "" for name in ("value", "type", "protocol", "service")},
        "relation": target.get("relation") or "",
        "port": _text(target.get("port")),
        "start": target.get("from") or "",
        "start_zone": "UTC",
        "end": target.get("to") or "",
        "end_zone": "UTC",
        "categories": target.get("data") or [],
    }


def to_json(form: Mapping[str, Any]) -> dict[str, Any]:
    """What the form holds, for the reader; what cannot be read goes on as it was typed."""
    data: dict[str, Any] = {name: (form[name] or "").strip() or None for name in _TEXTS}
    data["received_at"] = _moment(form["received_at"], form["received_at_zone"])
    data["contact"] = _filled(form["contact"])
    data["previous"] = [row for row in map(_filled, form["previous"]) if row]
    data["legal_basis"] = [
        _basis(row) for row in form["legal_basis"] if _filled(row).get("articles")
    ]
    data["targets"] = [target for row in form["targets"] if (target := _target(row))]
    said = {"yes": True, "no": False}.get(form["mla"]["intended"] or "")
    data["mla"] = {"intended": said, "expected_by": form["mla"]["expected_by"] or None}
    data["investigating_authority"] = _filled(form["investigating_authority"]) or None
    data["prosecution"] = _filled(form["prosecution"]) or None
    data["duration_days"] = _number(form["duration_days"] or "")
    return data


def places(form: Mapping[str, Any], name: str) -> list[int]:
    """Which rows of the form the rows of the JSON come from: empty ones are left out."""
    is_there = {"targets": _target, "previous": _filled, "legal_basis": _articles}[name]
    return [index for index, row in enumerate(form[name]) if is_there(row)]


def _articles(row: Mapping[str, Any]) -> Any:
    return _filled(row).get("articles")


def _basis(row: Mapping[str, Any]) -> dict[str, Any]:
    text = row["articles"] or ""
    mark = ";" if ";" in text else ","
    parts = [part.strip() for part in text.split(mark)]
    return {"instrument": row["instrument"], "articles": [part for part in parts if part]}


def _target(row: Mapping[str, Any]) -> dict[str, Any]:
    """Empty where nothing was typed into the row; a kind is guessed only from a value."""
    given = {
        **{name: row[name] for name in ("value", "protocol", "service", "relation")},
        "type": row["type"],
        "port": _number(row["port"] or ""),
        "from": _moment(row["start"], row["start_zone"]),
        "to": _moment(row["end"], row["end_zone"]),
        "data": row["categories"],
    }
    found = _filled(given)
    if found.get("value") and "type" not in found:
        found["type"] = identifiers.guess(found["value"]).value
    return found


def _filled(group: Mapping[str, Any]) -> dict[str, Any]:
    texts = {k: v.strip() if isinstance(v, str) else v for k, v in group.items()}
    return {k: v for k, v in texts.items() if v not in (None, "", [])}


def _moment(text: str | None, zone: str | None) -> str | None:
    if not text or not text.strip():
        return None
    try:
        return moments.to_rfc3339(text, zone or "UTC")
    except ValueError:
        return text.strip()


def _number(text: str) -> int | str | None:
    text = text.strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _iso(value: Any) -> str | None:
    return value.isoformat() if value else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
