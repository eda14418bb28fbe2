"""How long is left: the panel at the head of an order's page, with its line of rungs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import FollowUpKind, Urgency
from liaison.models import Order
from liaison.portal.orders.timeline import Line, line
from liaison.queries.ladder import LadderView
from liaison.queries.queue import due_at, is_overdue
from liaison.services import pauses


@dataclass(frozen=True)
class Deadline:
    """The panel. ``calm`` is without red: red means an emergency or lateness, nothing else."""

    title: str
    due: datetime | None
    calm: bool
    late: bool
    line: Line | None
    left: timedelta | None = None
    """What is left once a stopped clock goes on; None where it runs, or had run out."""
    before: datetime | None = None
    """The date that was promised, where it counts no more: what was asked for is not decided."""


def deadline(order: Order, view: LadderView, now: datetime, *, provider: bool = False) -> Deadline:
    """The clock that runs for an order; ``provider``: as its provider sees the line of rungs."""
    due = due_at(order)
    if order.clock_stopped_at is not None and order.state.is_open and due is not None:
        left = due - order.clock_stopped_at
        left_over = left if left > timedelta(0) else None
        return Deadline("Clock stopped", None, calm=True, late=False, line=None, left=left_over)
    if order.state is OrderState.PRESERVED and order.mla_recorded_at is not None:
        title = f"No end date: kept until {awaited(order)} is decided"
        return Deadline(title, None, calm=True, late=False, line=None, before=due)
    late = is_overdue(order, now)
    title = f"Overdue {clock_word(order)}" if late else _TITLES[order.state]
    emergency = order.urgency is Urgency.EMERGENCY and not order.test
    burning = order.state is OrderState.ISSUED and emergency
    return Deadline(
        title=title,
        due=due,
        calm=not (burning or late),
        late=late,
        line=line(order, view, due, now, provider) if order.state.is_open and due else None,
    )


def awaited(order: Order) -> str:
    """What was sent, and decides how long the data are kept: ``the MLA request``."""
    kinds = {followed.kind for followed in order.follow_ups}
    if kinds == {FollowUpKind.PRODUCTION}:
        return "the production order"
    return "the MLA request"


_TITLES = {
    OrderState.DRAFT: "Not issued yet",
    OrderState.SUBMITTED: "Waiting for authorisation",
    OrderState.ISSUED: "Left to acknowledge",
    OrderState.ACKNOWLEDGED: "Left to preserve",
    OrderState.PRESERVED: "Kept for another",
    OrderState.DECLINED: "Declined",
    OrderState.WITHDRAWN: "Withdrawn",
    OrderState.RELEASED: "Released",
    OrderState.EXPIRED: "Expired",
    OrderState.DISPOSED: "Disposed of",
}


def clocks_meanwhile(order: Order, now: datetime) -> str:
    """What a question does to the clock that runs; empty where none does."""
    if not order.state.is_open:
        return ""
    if pauses.stops(order) and not pauses.runs(order, now):
        return "The time has passed: a question does not stop the clock any more."
    if pauses.stops(order) and pauses.spent(order):
        return (
            "Questions have stopped the clock for as long as the time to preserve: "
            "another one does not stop it any more."
        )
    if pauses.stops(order):
        return "A question stops the clock until it is answered: a term of the memorandum."
    return "The clocks go on while you wait for an answer."


def clock_word(order: Order) -> str:
    """What the running clock waits for, as it is spoken."""
    return {OrderState.ISSUED: "to acknowledge", OrderState.ACKNOWLEDGED: "to preserve"}.get(
        order.state, ""
    )
