"""What is sent to a provider's webhooks, for the reference: one knock for each type of entry."""

from __future__ import annotations

from typing import Any

from liaison.api import headers
from liaison.api.shapes import ID, TIME
from liaison.domain.stream_events import PING, STREAM_EVENTS
from liaison.services import webhooks
from liaison.signatures import HEADERS

_ANSWERS = {
    "2XX": "Taken. Answer at once, then do the work.",
    "3XX": "A failure: redirects are not followed.",
    "410": "The webhook is disabled at once; its administrators are written to.",
    "429": "Later: the next try waits as long as `Retry-After` says, within our own limits.",
    "503": "Later: the next try waits as long as `Retry-After` says, within our own limits.",
    "default": "A failure: it is tried again for about a day. Your stream has it all the while.",
}


def knocks() -> dict[str, Any]:
    """The document's ``webhooks``, by type of entry; the test event last."""
    meanings = {**STREAM_EVENTS, PING: "The test event: nothing happened"}
    return {type_: {"post": _knock(type_, meaning)} for type_, meaning in meanings.items()}


def _knock(type_: str, meaning: str) -> dict[str, Any]:
    return {
        "operationId": f"told:{type_}",
        "tags": ["Webhooks"],
        "summary": meaning,
        "description": (
            f"{meaning}. Signed as in Standard Webhooks 1.0: prove the signature over the body's "
            "bytes as they came, note `webhook-id`, answer 2xx within 20 seconds, then fetch."
        ),
        "parameters": [headers.sendable(name, needed=True) for name in HEADERS],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/WebhookBody"},
                    "example": _example(type_),
                }
            },
        },
        "responses": {status: {"description": text} for status, text in _ANSWERS.items()},
    }


def _example(type_: str) -> dict[str, Any]:
    of_order = type_ != PING
    params = {
        "type": type_,
        "seq": 42 if of_order else 0,
        "id": ID,
        "at": TIME,
        "order": "019abc00-0000-7000-8000-000000000005" if of_order else None,
        "ref": "EM-2026-0412",
    }
    return webhooks.body(params, "https://liaison.example")
