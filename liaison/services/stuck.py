"""A ladder that cannot move: whatever fails in it, our people learn of it and act by hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Function
from liaison.models import Order, Timer
from liaison.models.work import TimerState, Wanted
from liaison.queries import registry
from liaison.services import call_tasks, outbox, timers

WHY = "The ladder could not move: act by hand."
TELL_AGAIN = 12
"""After so many more failures all are told again: about every hour."""

_WANTED = {
    OrderState.ISSUED: Wanted.UNTIL_ACKNOWLEDGED,
    OrderState.ACKNOWLEDGED: Wanted.UNTIL_PRESERVED,
}


def tell(session: Session, timer_id: UUID, now: datetime) -> int:
    """Opens a call to our duty officer and supervisor and writes to them; how many they are.

    Nothing of the timer's payload or the order's terms is read: they may be what fails.
    """
    # The order first, as every verb does; then the timer as it stands under that lock.
    order = session.scalars(
        select(Order)
        .join(Timer, Timer.order_id == Order.id)
        .where(Timer.id == timer_id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).one()
    timer = session.get_one(Timer, timer_id, populate_existing=True)
    wanted = _WANTED.get(order.state)
    if timer.state is not TimerState.WAITING or wanted is None:
        return 0
    key = f"timer:{timer.id}:{max(timer.attempts - timers.STUCK_AFTER, 0) // TELL_AGAIN}"
    people = registry.contacts(session, order, now, Function.DUTY_OFFICER, Function.SUPERVISOR)
    for contact in people:
        outbox.queue(session, order, contact, outbox.Notice("timer_failed", wanted, key, {}), now)
        call_tasks.open_task(session, order, contact, WHY, key, wanted, now)
    return len(people)
