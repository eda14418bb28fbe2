"""The types of entry that can stand in a provider's stream, in the order of an order's life."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STREAM_EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "order.issued": "An order was served",
        "order.fetched": "A program fetched it for the first time",
        "order.escalated": "The ladder called somebody",
        "order.acknowledged": "Receipt was acknowledged",
        "order.preserved": "Preservation was confirmed",
        "order.preservation_amended": "The report was amended",
        "order.declined": "The order was declined",
        "order.withdrawn": "The contact point withdrew it",
        "order.message": "A question or an answer in the thread",
        "order.doubted": "The provider doubts the order",
        "order.vouched": "The contact point vouched for it",
        "order.ratified": "A second person stands behind an emergency",
        "order.ratification_overdue": "Nobody has ratified in time",
        "order.extension_requested": "An extension was asked for",
        "order.extended": "The data are kept for longer",
        "order.mla_recorded": "What followed was recorded",
        "order.released": "The data may be deleted",
        "order.expired": "The period of preservation ended",
        "order.disposed": "Disposal was confirmed",
        "order.route_reported": "Another provider was found",
    }
)
PING = "ping"
"""What the test button sends; no entry of a stream."""
