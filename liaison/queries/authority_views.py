"""An order as its own contact point's programs see it, from the first line on."""

from __future__ import annotations

from typing import Any

from liaison.clock import rfc3339
from liaison.models import Order
from liaison.queries.views import documents_view, order_view


def authority_order_view(order: Order) -> dict[str, Any]:
    """The order as its provider sees it, and what only the contact point knows beside."""
    return {
        **order_view(order),
        "documents": documents_view(order, "/authority"),
        "created_at": rfc3339(order.created_at),
        "in_charge": order.officer.name if order.officer else None,
        "submitted_at": rfc3339(order.submitted_at) if order.submitted_at else None,
        "returned_note": order.returned_note,
        "fetched_at": rfc3339(order.fetched_at) if order.fetched_at else None,
    }
