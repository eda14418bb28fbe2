"""The rows of an order's delivery record: a program's many events are told together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from liaison.queries.deliveries import Delivery, Stand

_TO_BE_SEEN = (Stand.LATE, Stand.BOUNCED, Stand.FAILED)
"""What somebody may have to act on: each has a row of its own until it is dealt with."""


def folded(found: Iterable[Delivery]) -> list[list[Delivery]]:
    """The deliveries in their order, one a row; those to one endpoint in the row of the first.

    A program gets every event of an order: of twenty-two rows ten were its own.
    """
    rows: list[list[Delivery]] = []
    programs: dict[UUID, list[Delivery]] = {}
    for one in found:
        endpoint = one.message.endpoint_id
        open_ = one.stand in _TO_BE_SEEN and one.message.settled_at is None
        if endpoint is None or open_:
            rows.append([one])
        elif endpoint in programs:
            programs[endpoint].append(one)
        else:
            programs[endpoint] = [one]
            rows.append(programs[endpoint])
    return rows


def counted(row: list[Delivery]) -> str:
    """``6 events: 1 queued, 5 sent``."""
    stands = Counter(one.stand for one in row)
    told = ", ".join(f"{stands[s]} {s.label.lower()}" for s in Stand if stands[s])
    return f"{len(row)} events: {told}"
