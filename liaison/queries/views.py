"""An order as outsiders see it: the JSON of the endpoint, and the content that is fingerprinted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from liaison.clock import rfc3339
from liaison.domain.attachments import shown
from liaison.models import Attachment, Order, OrderTarget, Report, Route, ThreadMessage
from liaison.queries.doubting import open_doubt
from liaison.queries.extension_limits import confirmed, open_wish


def order_content(order: Order) -> dict[str, Any]:
    """What was served: nothing in it changes after issue, so its fingerprint proves it."""
    return {
        "id": str(order.id),
        "ref": order.ref,
        "urgency": order.urgency.value,
        "status": order.status.value,
        "origin": {"kind": order.origin_kind.value, **order.origin},
        "issued_at": _time(order.issued_at),
        "acknowledge_by": _as_served(order, order.acknowledge_by),
        "preserve_by": _as_served(order, order.preserve_by),
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
        # As they stand now: a question may have stopped the clock.
        "acknowledge_by": _time(order.acknowledge_by),
        "preserve_by": _time(order.preserve_by),
        "clock_stopped_since": _time(order.clock_stopped_at),
        "answer_by": _time(order.answer_by),
        "test": order.test,
        "version": order.version,
        "state": order.state.value,
        "ratified": None if order.ratify_by is None else order.ratified_at is not None,
        "ratify_by": _time(order.ratify_by),
        "acknowledged_at": _time(order.acknowledged_at),
        "reference": order.provider_reference,
        "preservation": order.report and report_view(order.report),
        **_after(order),
        "refusal": order.refusal,
        "routes": [route_view(route) for route in order.routes],
        "withdrawal": order.withdrawal,
        "doubt": _doubt(order),
        "thread": [message_view(message) for message in order.thread],
        "documents": documents_view(order),
    }


def documents_view(order: Order, door: str = "") -> dict[str, str | None]:
    """Where the signed order and its PDF are, from the portal's own address on.

    ``door``: ``/authority`` for a contact point's programs.
    """
    at = f"/api/v1{door}/orders/{order.id}/order" if order.sha256 else None
    return {"jws": at and f"{at}.jws", "pdf": at and f"{at}.pdf", "sha256": order.sha256}


def _doubt(order: Order) -> dict[str, Any] | None:
    """The doubt that is open: since when, why, and how many people have vouched so far."""
    doubt = open_doubt(order)
    if doubt is None:
        return None
    return {"since": rfc3339(doubt.at), "reason": doubt.reason, "vouches": len(doubt.vouches)}


def _after(order: Order) -> dict[str, Any]:
    """What follows a preservation: until when it is promised by now, and what became of it."""
    asked = open_wish(order)
    return {
        "preserved_until": _time(order.preserved_until),
        "kept_until_decided": order.mla_recorded_at is not None,
        "extension": asked
        and {
            "asked_at": rfc3339(asked.asked_at),
            "until": rfc3339(asked.until),
            "reason": asked.reason,
        },
        "extensions": [
            {
                "asked_at": rfc3339(e.asked_at),
                "asked_until": rfc3339(e.until),
                "confirmed_at": _time(e.confirmed_at),
                "until": _time(e.confirmed_until),
            }
            for e in confirmed(order)
        ],
        "follow_ups": [
            {
                "kind": f.kind.value,
                "reference": f.reference,
                "sent_on": f.sent_on.isoformat(),
                "recorded_at": rfc3339(f.recorded_at),
                "note": f.note,
            }
            for f in order.follow_ups
        ],
        "ended_at": _time(order.ended_at),
        "release_note": order.release_note,
        "disposal_wanted": order.disposal_wanted,
        "disposal": order.disposal and {"confirmed_at": _time(order.disposed_at), **order.disposal},
    }


def message_view(message: ThreadMessage) -> dict[str, Any]:
    """One message of the thread, with its files."""
    return {
        "id": str(message.id),
        "at": rfc3339(message.at),
        "side": message.side,
        "author": message.author,
        "text": message.text,
        "attachments": [attachment_view(file) for file in message.attachments],
    }


def attachment_view(file: Attachment) -> dict[str, Any]:
    """A file of the thread, without its content; its name without what turns or hides a line."""
    return {
        "id": str(file.id),
        "name": shown(file.name),
        "media_type": file.media_type,
        "size": file.size,
        "sha256": file.sha256,
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


def route_view(route: Route) -> dict[str, Any]:
    """Another provider as it was named; whether the register knows it is not told."""
    return {
        "at": rfc3339(route.at),
        "provider": route.named,
        "path": route.path,
        "target": str(route.target_id) if route.target_id else None,
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


def _as_served(order: Order, deadline: datetime | None) -> str | None:
    """Without what questions have stopped the clock for."""
    stopped = timedelta(seconds=order.clock_stopped_for or 0)
    return _time(deadline - stopped) if deadline else None


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
