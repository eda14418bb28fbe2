"""The client for a provider's program: needs httpx, and nothing else of Liaison.

    from liaison.client import Client

    with Client("https://liaison.example", key) as client:
        for entry in client.stream(kept):
            if entry.type == "order.issued" and entry.order:
                client.acknowledge(entry.order.id, idempotency_key=f"ack-{entry.id}")
            kept = entry.place

``liaison-poll`` does the same from a shell: docs/client.md.
"""

from liaison.client.chain import Chain
from liaison.client.client import Client
from liaison.client.errors import (
    ClientError,
    Fault,
    FieldFault,
    HistoryBroken,
    Problem,
    Unreachable,
    Unreadable,
)
from liaison.client.following import Follower
from liaison.client.patience import Time
from liaison.client.shapes import Entry, Head, Identity, Order, OrderName, Page

__all__ = [
    "Chain",
    "Client",
    "ClientError",
    "Entry",
    "Fault",
    "FieldFault",
    "Follower",
    "Head",
    "HistoryBroken",
    "Identity",
    "Order",
    "OrderName",
    "Page",
    "Problem",
    "Time",
    "Unreachable",
    "Unreadable",
]
