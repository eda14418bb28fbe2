"""One POST to the gateway that the settings name: 20 seconds in all, no redirect, no proxy.

The address is the operator's own choice, so it is not held against the ranges that a provider's
webhook may not lead to: a gateway often stands in our own network.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from liaison.delivery.base import DeliveryError
from liaison.delivery.exchange import STEP, Answer, Exchange, Request
from liaison.domain.gateway import Gateway
from liaison.domain.reach import Target

FOR_NOW = frozenset({408, 425, 429})
"""Of the 4xx those that say "not yet"; the others say no for ever (RFC 9110, RFC 8470)."""


def post(
    gateway: Gateway,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    longest: float,
) -> Answer:
    """The answer of a 2xx, else ``DeliveryError``.

    4xx are for ever but 408, 425 and 429; ``Retry-After`` is kept, in seconds or as a date.
    """
    target = Target("https" if gateway.secure else "http", gateway.host, gateway.port, path)
    request = Request(target, {"User-Agent": "Liaison", **headers}, body)
    answer = Exchange(request, _connect, ssl.create_default_context).within(longest)
    if 200 <= answer.status < 300:
        return answer
    raise DeliveryError(
        f"{answer.status} {answer.start}".strip(),
        permanent=400 <= answer.status < 500 and answer.status not in FOR_NOW,
        retry_after=_retry_after((answer.headers.get("retry-after") or "").strip(), now),
        status=answer.status,
    )


def reference(answer: Answer, name: str) -> str:
    """The other side's own id: without one nobody could ask it what became of the message."""
    try:
        found = json.loads(answer.body)[name]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    if not isinstance(found, str | int) or not str(found).strip():
        raise DeliveryError(f"{answer.status} without “{name}”: {answer.start}")
    return str(found).strip()[:200]


def _connect(target: Target) -> socket.socket:
    return socket.create_connection((target.host, target.port), STEP)


def _retry_after(value: str, now: datetime) -> timedelta | None:
    if value.isascii() and value.isdigit() and len(value) < 8:
        return timedelta(seconds=int(value))
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta(0))
