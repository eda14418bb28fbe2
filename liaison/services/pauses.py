"""A question stops the clock of a routine order, where the memorandum's term says so.

``acknowledge_by`` and ``preserve_by`` are the deadlines as they stand: when the clock goes on,
both move by the pause, in whole seconds, and ``clock_stopped_for`` adds the pauses up. Meanwhile
nobody is called: the ladder's timers, notices and calls are held, and go on where they were.
The term is one of the memorandum, not of law, and speaks of routine orders only. A deadline that
has passed stays passed; and question after question cannot keep one from ever passing (``spent``).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Urgency
from liaison.models import Message, Order
from liaison.models.work import MessageState, TimerKind
from liaison.services import escalation, timers
from liaison.services.reasons import HELD_BY_A_PAUSE


def stop(session: Session, order: Order, now: datetime) -> None:
    """Stops the clock, where the term says so and one runs; a second question stops nothing.

    Nor does one that comes when the deadline has passed: nobody who is late silences the ladder.
    """
    waits = runs(order, now) and order.clock_stopped_at is None
    if waits and stops(order) and not spent(order):
        order.clock_stopped_at = now
        hold(session, order)


def runs(order: Order, now: datetime) -> bool:
    """Whether there is a clock that a question could stop: a deadline that has not passed."""
    due = order.acknowledge_by if order.state is OrderState.ISSUED else order.preserve_by
    return order.state.is_open and due is not None and now <= due


def stops(order: Order) -> bool:
    """Whether a question in time stops this order's clock; never in an emergency."""
    return order.urgency is Urgency.ROUTINE and escalation.terms_of(order).clock_stops


def spent(order: Order) -> bool:
    """Whether questions have stopped the clock for as long, in all, as the time to preserve.

    After that none stops it any more. A question that waits meanwhile does not count: it is the
    contact point that has not answered.
    """
    whole = escalation.terms_of(order).clocks[order.urgency].preserve
    return timedelta(seconds=order.clock_stopped_for) >= whole


def hold(session: Session, order: Order) -> None:
    """Puts the ladder's timers aside while the clock is stopped; nothing where it runs."""
    if order.clock_stopped_at is not None:
        timers.cancel(session, order, TimerKind.LADDER, order.clock_stopped_at)


def settle(order: Order, now: datetime) -> timedelta:
    """The clock stands no longer: both deadlines move by the pause, which is given back."""
    if order.clock_stopped_at is None:
        return timedelta(0)
    seconds = _seconds(now - order.clock_stopped_at)
    pause = timedelta(seconds=seconds)
    assert order.acknowledge_by is not None
    assert order.preserve_by is not None
    order.acknowledge_by += pause
    order.preserve_by += pause
    order.clock_stopped_for += seconds
    order.clock_stopped_at = None
    return pause


def note_acknowledged(order: Order, now: datetime) -> None:
    """What was stopped before the acknowledgement counts for the time after it no more."""
    order.clock_stopped_before = order.clock_stopped_for
    if order.clock_stopped_at is not None:
        order.clock_stopped_before += _seconds(now - order.clock_stopped_at)


def resume(session: Session, order: Order, now: datetime) -> None:
    """The question is answered: the clock goes on, and with it whatever was held."""
    if order.clock_stopped_at is None:
        return
    pause = settle(order, now)
    session.flush()
    _move_notices(session, order, pause)
    climb = escalation.running_climb(order)
    if climb is not None and escalation.is_climbing(order):
        # What was held comes when it would have come, and the pause; unless a person holds it.
        escalation.wake(session, order, climb, now)


def _move_notices(session: Session, order: Order, pause: timedelta) -> None:
    """A notice that was held names the deadline as it is now."""
    waiting = session.execute(
        select(Message.id, Message.params).where(
            Message.order_id == order.id,
            Message.wanted.in_(HELD_BY_A_PAUSE),
            Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        )
    ).all()
    for id_, params in waiting:
        if "due" not in params:
            continue
        due = datetime.fromisoformat(params["due"]) + pause
        session.execute(
            update(Message)
            .where(Message.id == id_)
            .values(params={**params, "due": due.isoformat()})
            .execution_options(synchronize_session=False)
        )


def _seconds(pause: timedelta) -> int:
    return max(pause // timedelta(seconds=1), 0)
