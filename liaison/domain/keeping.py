"""How long data are kept, who is told before that ends, and what follows: one plan, no clock.

The date is the provider's promise. Before it comes, the contact point is told, for what nobody
asked for in time is deleted. The intervals here are this portal's own; no law sets them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from liaison.domain.lifecycle import OrderState

NAG_DAYS = (14, 7, 2)
"""Days before the promised date on which the contact point is told; at the last the provider too,
and our supervisor."""

LAST_NAG = min(NAG_DAYS)

PROMISE_BEFORE = 7
"""Days before the day by which an MLA request was announced."""

PROMISE_HOUR = time(8)
"""On such a day, in the authority's time zone: a day has no hour of its own."""

REMIND_DISPOSAL = timedelta(days=14)
"""After the end the provider is reminded that it owes a confirmation of disposal."""

REPORT_DISPOSAL = timedelta(days=28)
"""After the end the contact point is told that none came."""


class Nag(StrEnum):
    """What is to be looked at; the words are those of the timers."""

    EXPIRY = "expiry"
    EXPIRY_NEARS = "expiry_nears"
    PROMISE = "promise"
    DISPOSAL = "disposal"


@dataclass(frozen=True)
class Kept:
    """What the plan of an order depends on, and nothing else."""

    state: OrderState
    test: bool = False
    until: datetime | None = None
    """The promised date; None where nothing is held, or nothing was promised yet."""
    nothing_held: bool = False
    mla_recorded: bool = False
    mla_expected_by: date | None = None
    """None where no MLA request was announced."""
    time_zone: str = "UTC"
    """Of the authority."""
    disposal_wanted: bool = False
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Planned:
    """One timer. ``payload`` names what it was planned for: it does nothing once that moved."""

    nag: Nag
    due_at: datetime
    payload: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def expected_timers(kept: Kept, now: datetime) -> list[Planned]:
    """The timers that must wait at this moment, by due time.

    Only what lies ahead; the expiry itself is always there while the order can expire. None for a
    drill, for no data are kept; none of a date once an MLA request or production order is recorded,
    for then the data stay until it is decided (Budapest Convention art. 29(7)).
    """
    found = [p for p in whole_plan(kept) if p.due_at > now or p.nag is Nag.EXPIRY]
    return sorted(found, key=lambda p: (p.due_at, p.nag))


def whole_plan(kept: Kept) -> list[Planned]:
    """The same with what lies behind: whatever of it still waits is late, not wrong."""
    if kept.test:
        return []
    if kept.state in (OrderState.RELEASED, OrderState.EXPIRED):
        return _disposal(kept)
    if kept.mla_recorded or kept.nothing_held:
        return []
    if kept.state is OrderState.ACKNOWLEDGED:
        return _promise(kept)
    if kept.state is OrderState.PRESERVED:
        return _expiry(kept) + _promise(kept)
    return []


def _expiry(kept: Kept) -> list[Planned]:
    if kept.until is None:
        return []
    until = kept.until
    told = until.astimezone(UTC).isoformat()
    nags = [
        Planned(Nag.EXPIRY_NEARS, until - timedelta(days=days), {"until": told, "days": days})
        for days in NAG_DAYS
    ]
    return [Planned(Nag.EXPIRY, until, {"until": told}), *nags]


def _promise(kept: Kept) -> list[Planned]:
    by = kept.mla_expected_by
    if by is None:
        return []
    days = ((-PROMISE_BEFORE, False), (1, True))
    return [
        Planned(
            Nag.PROMISE,
            _hour(by + timedelta(days=shift), kept.time_zone),
            {"by": by.isoformat(), "passed": passed},
        )
        for shift, passed in days
        if date.min + timedelta(days=30) < by < date.max - timedelta(days=30)
    ]


def _hour(day: date, zone: str) -> datetime:
    return datetime.combine(day, PROMISE_HOUR, ZoneInfo(zone)).astimezone(UTC)


def _disposal(kept: Kept) -> list[Planned]:
    if not kept.disposal_wanted or kept.nothing_held or kept.ended_at is None:
        return []
    return [
        Planned(Nag.DISPOSAL, kept.ended_at + REMIND_DISPOSAL, {"late": False}),
        Planned(Nag.DISPOSAL, kept.ended_at + REPORT_DISPOSAL, {"late": True}),
    ]
