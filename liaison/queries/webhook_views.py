"""A webhook and its deliveries as the endpoint gives them back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from liaison.clock import rfc3339
from liaison.models import DeliveryAttempt, Message, WebhookEndpoint
from liaison.models.work import MessageState


def webhook_view(row: WebhookEndpoint, now: datetime) -> dict[str, Any]:
    """A webhook without its secret."""
    overlaps = row.old_secret_until is not None and row.old_secret_until > now
    return {
        "id": str(row.id),
        "version": row.version,
        "url": row.url,
        "description": row.description,
        "events": row.events,
        "state": row.state.value,
        "created_at": rfc3339(row.created_at),
        "created_by": row.created_by,
        "changed_at": rfc3339(row.changed_at),
        "last_ok_at": _moment(row.last_ok_at),
        "failing_since": _moment(row.failing_since),
        "disabled_at": _moment(row.disabled_at),
        "disabled_why": row.disabled_why,
        "older_secret_until": _moment(row.old_secret_until) if overlaps else None,
    }


def delivery_view(message: Message) -> dict[str, Any]:
    """One delivery with its tries, oldest first."""
    params = message.params
    waits = message.state is MessageState.QUEUED
    return {
        "id": str(message.id),
        "type": params["type"],
        "seq": params["seq"],
        "event": params["id"],
        "order": {"id": params["order"], "ref": params["ref"]} if params["order"] else None,
        "again": ":replay:" in message.idem,
        "state": message.state.value,
        "created_at": rfc3339(message.created_at),
        "next_at": rfc3339(message.next_at) if waits else None,
        "attempts": [_try_view(row) for row in message.tries],
    }


def _try_view(row: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": rfc3339(row.at),
        "took_ms": row.took_ms,
        "ok": row.ok,
        "status": row.status,
        "answer": row.answer,
    }


def _moment(at: datetime | None) -> str | None:
    return rfc3339(at) if at is not None else None
