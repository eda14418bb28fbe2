"""An order as outsiders see it: the JSON of the endpoint, and the content that is fingerprinted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from liaison.clock import rfc3339
from liaison.models import Order, OrderTarget, Report


def order_content(order: Order) -> dict[str, Any]:
    """What was served: nothing in it changes after issue, so its fingerprint proves it."""
    return {
        "id": str(order.id),
        "ref": order.ref,
        "urgency": order.urgency.value,
        "status": order.status.value,
        "origin": {"kind": order.origin_kind.value, **order.origin},
        "issued_at": _time(order.issued_at),
        "acknowledge_by": _time(order.acknowledge_by),
        "preserve_by": _time(order.preserve_by),
        "authority": {
            "name": order.authority.name,
            "officer": order.issuing_officer,
            "contact": order.confirmation_contact,
        },
        "investigating_authority": order.investigating_authority,
        "prosecution": order.prosecution,
        "provider": {"id": str(order.provider_id), "name": order.provider.name},
        "legal_basis": order.legal_basis,
        "memorandum": order.memorandum
        and {"ref": order.memorandum.reference, "version": order.memorandum.version},
        "offence": order.offence,
        "facts": order.facts,
        "necessity": order.necessity,
        "custodian": order.custodian,
        "targets": [target_view(target) for target in order.targets],
        "duration_days": order.duration_days,
        "confidential_until": _day(order.confidential_until),
        "no_user_notice": order.no_user_notice,
        "partial_disclosure": order.partial_disclosure,
        "mla": {"intended": order.mla_intended, "expected_by": _day(order.mla_expected_by)},
        "emergency_ground": order.emergency_ground,
        # Only where it is so: what was served before there were drills keeps its fingerprint.
        **({"test": True} if order.test else {}),
    }


def order_view(order: Order) -> dict[str, Any]:
    """The order as its provider sees it now."""
    return {
        **order_content(order),
        "test": order.test,
        "version": order.version,
        "state": order.state.value,
        "ratified": None,
        "acknowledged_at": _time(order.acknowledged_at),
        "reference": order.provider_reference,
        "preservation": order.report and report_view(order.report),
        "refusal": order.refusal,
        "withdrawal": order.withdrawal,
        "thread": [
            {
                "id": str(m.id),
                "at": rfc3339(m.at),
                "side": m.side,
                "author": m.author,
                "text": m.text,
            }
            for m in order.thread
        ],
        "documents": {"jws": None, "pdf": None, "sha256": order.sha256},
    }


def target_view(target: OrderTarget) -> dict[str, Any]:
    """One target, times in UTC."""
    return {
        "id": str(target.id),
        "type": target.type.value,
        "value": target.value,
        "entered": target.entered,
        "port": target.port,
        "protocol": target.protocol,
        "service": target.service,
        "from": rfc3339(target.start),
        "to": rfc3339(target.end),
        "data": target.data,
        "relation": target.relation,
    }


def report_view(report: Report) -> dict[str, Any]:
    """A preservation report."""
    return {
        "outcome": report.outcome.value,
        "reported_at": rfc3339(report.reported_at),
        "preserved_at": rfc3339(report.preserved_at),
        "until": _time(report.until),
        "reference": report.reference,
        "sha256": report.sha256,
        "risk": report.risk,
        "note": report.note,
        "targets": [
            {
                "id": str(t.target_id),
                "outcome": t.outcome.value,
                "until": _time(t.until),
                "note": t.note,
            }
            for t in sorted(report.targets, key=lambda t: t.target_id)
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
