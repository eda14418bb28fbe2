"""The views of the queue: which orders each holds, in which stretches of the queue they stand.

A stretch is read along one index, from its beginning, and no further than a page needs: what is
stored beside it makes no difference. Ranks and times are reckoned by the database
(``models/orders.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, UnaryExpression, Uuid, and_, literal, tuple_

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Term
from liaison.models import Order
from liaison.models.base import UTCDateTime

SOON = timedelta(days=14)
"""How near its end a preservation is listed as expiring."""


class View(Term):
    """Which orders are shown; the value stands in the address.

    Drills stand among all open and all closed ones, to be found and answered like any order, and
    in a view of their own; one that was answered has nothing to be kept, and is no open work. The
    views that are counted hold real orders only. An order that has ended with a question open is
    open until it is answered.
    """

    OPEN = "open", "All open"
    EMERGENCIES = "emergencies", "Emergencies running"
    OVERDUE = "overdue", "Overdue"
    TODAY = "today", "Due today"
    QUESTIONS = "questions", "Questions to answer"
    EXPIRING = "expiring", "Expire in 14 days"
    US = "us", "Waiting for us"
    PROVIDER = "provider", "Waiting for the provider"
    SUBMITTED = "submitted", "To authorise"
    NOT_RATIFIED = "not-ratified", "Not ratified"
    DRAFTS = "drafts", "Drafts"
    DISPOSAL = "disposal", "Disposal open"
    DRILLS = "drills", "Drills"
    CLOSED = "closed", "Closed"
    ALL = "all", "All"


COUNTED = (View.EMERGENCIES, View.OVERDUE, View.TODAY, View.QUESTIONS, View.EXPIRING)
"""The views whose numbers stand above the queue."""

OWN_ONLY = (View.SUBMITTED, View.DRAFTS)
"""Views of what no provider knows of."""

EMERGENCY, OPEN, ASKED, DRILL, SUBMITTED, DRAFT, EXPIRES, KEPT, ENDED = range(9)
"""The ranks, as ``models/orders.py`` reckons them."""


@dataclass(frozen=True)
class Stretch:
    """Orders that stand one after the other in the queue. ``newest_first`` runs it backwards."""

    ranks: tuple[int, int]
    """The first and the last."""
    conditions: tuple[ColumnElement[bool], ...] = ()
    newest_first: bool = False

    def where(self) -> ColumnElement[bool]:
        """What an order of this stretch meets."""
        first, last = self.ranks
        rank = Order.queue_rank
        place = (rank == first,) if first == last else (rank >= first, rank <= last)
        return and_(*place, *self.conditions)

    def order(self) -> tuple[UnaryExpression[Any], ...]:
        """How it is read along its index."""
        columns = (Order.queue_rank, Order.queue_at, Order.id)
        return tuple(c.desc() if self.newest_first else c.asc() for c in columns)

    def after(self, place: tuple[int, datetime, UUID]) -> ColumnElement[bool]:
        """What stands behind an order's place in it."""
        here = tuple_(Order.queue_rank, Order.queue_at, Order.id)
        rank, at, id_ = place
        there = tuple_(literal(rank, Integer()), literal(at, UTCDateTime()), literal(id_, Uuid()))
        return here < there if self.newest_first else here > there


def stretches(view: View, now: datetime, *, provider: bool) -> Sequence[Stretch]:
    """Where the orders of a view stand, in the order in which they are shown.

    “Today” ends at midnight UTC; a clock that an open question has stopped is neither late nor
    due. ``provider``: what is not served is skipped, there may be much of it.
    """
    if view in _WORK:
        return _WORK[view](now)
    if provider and view is View.US:
        view = View.PROVIDER
    if view in _WAITING:
        return _everywhere(_WAITING[view], provider=provider)
    closed = Stretch((ENDED, ENDED), newest_first=True)
    return {
        View.OPEN: _open(provider=provider),
        View.SUBMITTED: (Stretch((SUBMITTED, SUBMITTED)),),
        View.DRAFTS: (Stretch((DRAFT, DRAFT)),),
        View.DRILLS: _everywhere((Order.test.is_(True),), provider=provider),
        View.CLOSED: (closed,),
        View.ALL: (*_everything_open(provider=provider), closed),
    }[view]


REAL = Order.test.is_not(True)
"""No drill. Said so that no index is chosen for it: nearly all orders are real."""

_REAL = (EMERGENCY, OPEN)
"""The ranks of real orders that the provider still owes an answer to."""


def _overdue(now: datetime) -> Sequence[Stretch]:
    late = (Order.queue_at < now, Order.clock_stopped_at.is_(None))
    return [Stretch((rank, rank), late) for rank in _REAL]


def _today(now: datetime) -> Sequence[Stretch]:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    due = (Order.queue_at >= now, Order.queue_at < midnight, Order.clock_stopped_at.is_(None))
    return [Stretch((rank, rank), due) for rank in _REAL]


def _expiring(now: datetime) -> Sequence[Stretch]:
    return [Stretch((EXPIRES, EXPIRES), (Order.queue_at < now + SOON,))]


_WORK = {
    View.EMERGENCIES: lambda _now: [Stretch((EMERGENCY, EMERGENCY))],
    View.OVERDUE: _overdue,
    View.TODAY: _today,
    View.EXPIRING: _expiring,
}

_OURS = Order.waits_contact_point == 1
_THEIRS = Order.waits_provider == 1

_WAITING: dict[View, tuple[ColumnElement[bool], ...]] = {
    View.QUESTIONS: (_OURS, Order.question_open_since.is_not(None), REAL),
    View.US: (_OURS,),
    View.PROVIDER: (_THEIRS,),
    View.NOT_RATIFIED: (
        _OURS,
        Order.ratify_by.is_not(None),
        Order.ratified_at.is_(None),
        Order.state != OrderState.WITHDRAWN,
    ),
    View.DISPOSAL: (
        _THEIRS,
        Order.state.in_([OrderState.RELEASED, OrderState.EXPIRED]),
        Order.disposal_wanted.is_(True),
    ),
}
"""Whatever waits for somebody is not much, and has an index."""


def _everywhere(
    conditions: tuple[ColumnElement[bool], ...], *, provider: bool
) -> Sequence[Stretch]:
    if not provider:
        return [Stretch((EMERGENCY, ENDED), conditions)]
    return [
        Stretch((EMERGENCY, DRILL), conditions),
        Stretch((EXPIRES, ENDED), conditions),
    ]


def _open(*, provider: bool) -> Sequence[Stretch]:
    # What was answered in a drill has nothing to be kept: it stands among the last of these.
    kept = Stretch((KEPT, KEPT), (REAL,))
    if provider:
        return [Stretch((EMERGENCY, DRILL)), Stretch((EXPIRES, EXPIRES)), kept]
    return [Stretch((EMERGENCY, EXPIRES)), kept]


def _everything_open(*, provider: bool) -> Sequence[Stretch]:
    if provider:
        return [Stretch((EMERGENCY, DRILL)), Stretch((EXPIRES, KEPT))]
    return [Stretch((EMERGENCY, KEPT))]
