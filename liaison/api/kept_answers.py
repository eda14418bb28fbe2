"""What is kept of an answer to a request with an ``Idempotency-Key``, and the answer made of it.

An act is answered with the whole order. Of that only what moves is kept: what was served never
changes, reports and messages are only ever added, so that their numbers say which stood there.
Else each message would keep all those before it once more.
"""

from __future__ import annotations

import json
from typing import Any

from liaison.api import answering
from liaison.models import Order
from liaison.queries.views import message_view, order_content, report_view


def fold(order: Order, view: dict[str, Any]) -> str:
    """What must be kept to answer with this view of the order again."""
    served = order_content(order)
    moving = {k: v for k, v in view.items() if k not in served or v != served[k]}
    return answering.text(
        moving | {"preservation": len(order.reports), "thread": len(order.thread)}
    )


def unfold(order: Order, kept: str) -> str:
    """The answer as it was given; what was erased since is not in it any more."""
    then: dict[str, Any] = json.loads(kept)
    if "id" in then:
        return kept  # from before only that was kept which moves
    reports, messages = order.reports[: then["preservation"]], order.thread[: then["thread"]]
    then["preservation"] = report_view(reports[-1]) if reports else None
    then["thread"] = [message_view(message) for message in messages]
    return answering.text(order_content(order) | then)
