"""An order's targets as lines of the file that its provider fills in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from liaison.clock import rfc3339
from liaison.models import Order
from liaison.queries.reports import found_in


def rows(order: Order) -> Iterator[Mapping[str, str]]:
    """One line a target, in the order's order, with what was reported of it so far."""
    report = order.report
    found = found_in(report)
    for place, target in enumerate(order.targets, 1):
        row = {
            "number": str(place),
            "id": str(target.id),
            "type": target.type.value,
            "value": target.value,
            "port": str(target.port or ""),
            "protocol": target.protocol or "",
            "from": rfc3339(target.start),
            "to": rfc3339(target.end),
            "data": " ".join(target.data),
        }
        said = found.get(target.id)
        if report is not None and said is not None:
            own = said.until if said.until != report.until else None
            row["outcome"] = said.outcome.value
            row["until"] = _typed(own) if own else ""
            row["note"] = said.note or ""
        yield row


def _typed(moment: datetime) -> str:
    """``2027-02-21 12:00:00.25``, UTC: as people type it, no zeros that say nothing."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
    return text.rstrip("0") if moment.microsecond else text
