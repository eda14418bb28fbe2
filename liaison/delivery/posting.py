"""One POST to the gateway that the settings name: 20 seconds in all, no redirect, no proxy.

The address is the operator's own choice, so it is not held against the ranges that a provider's
webhook may not lead to: a gateway often stands in our own network.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from datetime import datetime
from time import monotonic

from liaison.delivery.attempt import connect, one_line
from liaison.delivery.base import DeliveryError
from liaison.delivery.exchange import Answer, Exchange, Request
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
    until = monotonic() + longest
    exchange = Exchange(
        request, lambda to: connect(to.host, to.port, until), ssl.create_default_context
    )
    answer = exchange.within(longest)
    if answer.is_taken:
        return answer
    is_final = 400 <= answer.status < 500 and answer.status not in FOR_NOW
    raise answer.refusal(answer.wait(now), permanent=is_final)


def reference(answer: Answer, name: str) -> str:
    """The other side's own id, on one line: ``DeliveryError`` without one that can be kept.

    Without it nobody could ask what became of the message, though the other side took it.
    """
    try:
        found = json.loads(answer.body)[name]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = None
    # No database keeps half a pair of surrogates, and PostgreSQL no NUL.
    kept = one_line(str(found))[:200] if isinstance(found, str | int) else ""
    if not kept:
        raise DeliveryError(f"{answer.status} without “{name}”: {answer.start}")
    return kept
