"""Between the draft form and the order as JSON, both ways; and what a new form is filled with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from liaison.domain import targets
from liaison.domain.target_paste import Pasted
from liaison.domain.vocabulary import DataCategory, Instrument, OrderStatus, OriginKind, Urgency
from liaison.models import Authority, Order, OrderTarget
from liaison.portal.orders import moments

DAYS_WITHOUT_TERM = 90
"""Days; Budapest Convention art. 16(2). Used where no memorandum in force says otherwise."""

CONFIDENTIAL_DAYS = 90

NECESSITY = (
    "The provider may overwrite or delete these data in the ordinary course; "
    "no other record of them is known."
)
USUAL_BASIS = {"instrument": Instrument.BUDAPEST.value, "articles": "16"}
"""Expedited preservation of stored data; for a foreign request article 29."""

RELATION = "Used in the offence described in the facts."


def prefilled(
    authority: Authority, officer: str, now: datetime, urgency: Urgency
) -> dict[str, Any]:
    """A new form: everything that is known before anything is typed."""
    return {
        "urgency": urgency.value,
        "status": OrderStatus.NEW.value,
        "origin": {"kind": OriginKind.DOMESTIC.value, "previous": [{}]},
        "confirmation_contact": {
            "name": officer,
            "function": "24/7 contact point",
            "phone": authority.phone,
            "email": authority.email,
        },
        "investigating_authority": {"name": authority.name},
        "legal_basis": [USUAL_BASIS],
        "necessity": NECESSITY,
        "targets": [new_target(now)],
        "paste": new_paste(now),
        "confidential_until": (now + timedelta(days=CONFIDENTIAL_DAYS)).date().isoformat(),
        "no_user_notice": True,
    }


def new_target(now: datetime) -> dict[str, Any]:
    """A target nobody has typed yet."""
    return {
        "type": "",
        "start_zone": "UTC",
        "end": moments.as_typed(now.replace(microsecond=0), 0),
        "end_zone": "UTC",
        "categories": [DataCategory.SUBSCRIBER.value, DataCategory.TRAFFIC.value],
        "relation": RELATION,
    }


def new_paste(now: datetime) -> dict[str, Any]:
    """What counts for pasted lines, before anything is typed."""
    one = new_target(now)
    return {
        "kind": "",
        "end": one["end"],
        "zone": "UTC",
        "categories": one["categories"],
        "relation": one["relation"],
    }


def of_paste(target: Pasted, zone: str) -> dict[str, Any]:
    """A pasted target as a row of the form."""
    return {
        "value": target.value,
        "type": target.type,
        "start": target.start,
        "start_zone": zone,
        "end": target.end,
        "end_zone": zone,
        "port": target.port,
        "protocol": target.protocol,
        "service": target.service,
        "categories": list(target.data),
        "relation": target.relation,
    }


def copied(order: Order, usual: Mapping[str, Any], today: date) -> dict[str, Any]:
    """An earlier order as a new form.

    Its targets stay; days that have passed, the emergency's ground and the officer do not: each is
    another one's now.
    """
    data = of_order(order)
    for name in ("version", "emergency_ground", "issuing_officer"):
        del data[name]
    if order.confidential_until is None or order.confidential_until <= today:
        data["confidential_until"] = usual["confidential_until"]
    expected = order.mla_expected_by
    if expected is None or expected <= today:
        data["mla"] = {"intended": order.mla_intended}
    return {**usual, **data, "copied_from": str(order.id)}


def of_order(order: Order) -> dict[str, Any]:
    """A stored draft as the form shows it."""
    origin = dict(order.origin)
    return {
        "version": str(order.version),
        "provider": order.provider.name,
        "urgency": order.urgency.value,
        "status": order.status.value,
        "origin": {
            **origin,
            "kind": order.origin_kind.value,
            "previous": origin.get("previous") or [{}],
        },
        "confirmation_contact": order.confirmation_contact,
        "issuing_officer": order.issuing_officer,
        "investigating_authority": order.investigating_authority,
        "prosecution": order.prosecution or {},
        "legal_basis": [
            {"instrument": b["instrument"], "articles": _joined(b["articles"])}
            for b in order.legal_basis
        ],
        "offence": order.offence,
        "facts": order.facts,
        "necessity": order.necessity,
        "custodian": order.custodian,
        "targets": [_of_target(target, order.authority.time_zone) for target in order.targets],
        "duration_days": str(order.duration_days),
        "confidential_until": order.confidential_until and order.confidential_until.isoformat(),
        "no_user_notice": order.no_user_notice,
        "partial_disclosure": order.partial_disclosure,
        "mla": {
            "intended": order.mla_intended,
            "expected_by": order.mla_expected_by and order.mla_expected_by.isoformat(),
        },
        "emergency_ground": order.emergency_ground,
    }


def _of_target(target: OrderTarget, zone: str) -> dict[str, Any]:
    start, start_zone = moments.for_form(target.start, target.start_offset, zone)
    end, end_zone = moments.for_form(target.end, target.end_offset, zone)
    return {
        "value": target.entered,
        "type": target.type.value,
        "start": start,
        "start_zone": start_zone,
        "end": end,
        "end_zone": end_zone,
        "port": str(target.port) if target.port is not None else "",
        "protocol": target.protocol or "",
        "service": target.service,
        "categories": target.data,
        "relation": target.relation,
    }


def to_json(form: Mapping[str, Any], default_days: int) -> dict[str, Any]:
    """What the form holds, in the JSON format; what cannot be read goes on as it was typed,
    so that ``parse_draft`` names it."""
    data = {name: form[name] for name in _PLAIN}
    data |= {name: _filled(form[name]) for name in _GROUPS}
    data["origin"] = _origin(form["origin"])
    data["prosecution"] = _filled(form["prosecution"]) or None
    data["issuing_officer"] = _filled(form["issuing_officer"]) or None
    data["legal_basis"] = _legal_basis(form["legal_basis"], form["origin"]["kind"])
    data["targets"] = [_target(t) for t in form["targets"]]
    days = form["duration_days"]
    data["duration_days"] = number(days) if days else default_days
    data["mla"] = _filled(form["mla"])
    return data


_PLAIN = (
    "provider",
    "urgency",
    "status",
    "offence",
    "facts",
    "necessity",
    "custodian",
    "confidential_until",
    "no_user_notice",
    "partial_disclosure",
    "emergency_ground",
)
_GROUPS = ("confirmation_contact", "investigating_authority")


def number(text: str) -> int | str | None:
    """A typed whole number; anything else stays as it is, to be named as wrong."""
    text = text.strip()
    if not text:
        return None
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _filled(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if value not in (None, "")}


def _origin(group: Mapping[str, Any]) -> dict[str, Any]:
    previous = [_filled(row) for row in group["previous"]]
    # Only rows at the end are dropped: the place of the others is what a fault names.
    while previous and not previous[-1]:
        previous.pop()
    return {**_filled({**group, "previous": None}), **({"previous": previous} if previous else {})}


def _legal_basis(rows: list[dict[str, Any]], kind: str | None) -> list[dict[str, Any]]:
    """As chosen; the prefilled article 16 becomes 29 where another Party asks."""
    if kind == OriginKind.FOREIGN.value and rows == [USUAL_BASIS]:
        rows = [{**USUAL_BASIS, "articles": "29"}]
    return [
        {"instrument": row["instrument"], "articles": _split(row["articles"] or "")} for row in rows
    ]


def _target(form: Mapping[str, Any]) -> dict[str, Any]:
    value = form["value"] or ""
    kind = form["type"] or targets.guess(value).value
    return {
        **_filled({"service": form["service"], "protocol": form["protocol"]}),
        "type": kind,
        "value": value,
        "port": number(form["port"] or ""),
        "from": _moment(form["start"], form["start_zone"]),
        "to": _moment(form["end"], form["end_zone"]),
        "data": form["categories"] or [],
        "relation": form["relation"],
    }


def _moment(text: str | None, zone: str | None) -> str | None:
    if not text or not text.strip():
        return None
    try:
        return moments.to_rfc3339(text, zone or "UTC")
    except ValueError:
        return text


def _split(text: str) -> list[str]:
    mark = ";" if ";" in text else ","
    return [part.strip() for part in text.split(mark) if part.strip()]


def _joined(articles: list[str]) -> str:
    mark = "; " if any("," in article for article in articles) else ", "
    return mark.join(articles) + (";" if mark == "; " and len(articles) == 1 else "")
