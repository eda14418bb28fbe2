"""The views of the queue: which orders each holds, and which of them needs a person first."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, case, or_

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Term, Urgency
from liaison.models import Order

SOON = timedelta(days=14)
"""How near its end a preservation is listed as expiring."""


class View(Term):
    """Which orders are shown; the value stands in the address.

    Drills stand among all open and all closed ones, to be found and answered like any order, and
    in a view of their own; one that was answered has nothing to be kept, and is no open work. The
    views that are counted hold real orders only.
    """

    OPEN = "open", "All open"
    EMERGENCIES = "emergencies", "Emergencies running"
    OVERDUE = "overdue", "Overdue"
    TODAY = "today", "Due today"
    QUESTIONS = "questions", "Questions to answer"
    EXPIRING = "expiring", "Expire in 14 days"
    DRAFTS = "drafts", "Drafts"
    DRILLS = "drills", "Drills"
    CLOSED = "closed", "Closed"
    ALL = "all", "All"


COUNTED = (View.EMERGENCIES, View.OVERDUE, View.TODAY, View.QUESTIONS, View.EXPIRING)
"""The views whose numbers stand above the queue."""


def open_() -> ColumnElement[bool]:
    """The provider still owes an answer."""
    return Order.state.in_([s for s in OrderState if s.is_open])


def real() -> ColumnElement[bool]:
    """No drill."""
    return Order.test.is_(False)


def emergency() -> ColumnElement[bool]:
    """A running emergency; never a drill."""
    return and_(open_(), real(), Order.urgency == Urgency.EMERGENCY)


def due() -> ColumnElement[datetime]:
    """The clock that runs, or the day the preservation ends; ``queue.due_at`` in SQL."""
    return case(
        (Order.state == OrderState.ISSUED, Order.acknowledge_by),
        (Order.state == OrderState.ACKNOWLEDGED, Order.preserve_by),
        else_=Order.preserved_until,
    )


def conditions(now: datetime) -> dict[View, ColumnElement[bool]]:
    """What each view holds; “today” ends at midnight UTC."""
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    question = Order.question_open_since.is_not(None)
    draft = Order.state == OrderState.DRAFT
    kept = Order.state == OrderState.PRESERVED
    closed = (OrderState.DECLINED, OrderState.WITHDRAWN, OrderState.EXPIRED)
    return {
        View.OPEN: or_(open_(), and_(kept, real()), draft, question),
        View.EMERGENCIES: emergency(),
        View.OVERDUE: and_(open_(), real(), due() < now),
        View.TODAY: and_(open_(), real(), due() >= now, due() < midnight),
        View.QUESTIONS: and_(question, real()),
        View.EXPIRING: and_(kept, real(), Order.preserved_until < now + SOON),
        View.DRAFTS: draft,
        View.DRILLS: Order.test.is_(True),
        View.CLOSED: Order.state.in_(closed),
        View.ALL: Order.id.is_not(None),
    }


def rank(now: datetime) -> ColumnElement[int]:
    """What needs a person first has the smallest number; a late drill waits behind real orders."""
    return case(
        (emergency(), 0),
        (and_(open_(), real(), due() < now), 1),
        (or_(open_(), Order.question_open_since.is_not(None)), 2),
        (Order.state == OrderState.DRAFT, 3),
        (Order.state == OrderState.PRESERVED, 4),
        else_=5,
    )
