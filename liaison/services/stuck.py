"""A ladder or a clock that cannot move: whatever fails in it, our people learn and act by hand."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Function
from liaison.models import Order, Timer
from liaison.models.work import TimerKind, TimerState, Wanted
from liaison.queries import registry
from liaison.services import call_tasks, outbox, timers

WHY = "The ladder could not move: act by hand."
_CLOCKS = {
    TimerKind.PAUSE_END: "the ladder that was paused does not go on",
    TimerKind.CALL_AGAIN: "a call that reached nobody is not opened again",
    TimerKind.RATIFICATION: "nobody is called to ratify the emergency",
    TimerKind.ANSWER: "nobody is told that a question waits for an answer",
    TimerKind.DOUBT: "nobody is called although the provider doubts the order",
}
"""What does not happen while the timer of our own people stands still."""
TELL_AGAIN = 12
"""After so many more failures all are told again: about every hour."""

_WANTED = {
    OrderState.ISSUED: Wanted.UNTIL_ACKNOWLEDGED,
    OrderState.ACKNOWLEDGED: Wanted.UNTIL_PRESERVED,
}
_WANTED_BY = {
    TimerKind.RATIFICATION: Wanted.UNTIL_RATIFIED,
    TimerKind.ANSWER: Wanted.UNTIL_ANSWERED,
    TimerKind.DOUBT: Wanted.UNTIL_VOUCHED,
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
    is_ladder = timer.kind in (TimerKind.LADDER, TimerKind.PAUSE_END, TimerKind.CALL_AGAIN)
    wanted = _WANTED.get(order.state) if is_ladder else _WANTED_BY.get(timer.kind)
    if timer.state is not TimerState.WAITING or wanted is None:
        return 0
    key = f"timer:{timer.id}:{max(timer.attempts - timers.STUCK_AFTER, 0) // TELL_AGAIN}"
    what = _CLOCKS.get(timer.kind)
    why = f"The portal failed, and {what}: act by hand." if what else WHY
    letter, params = ("clock_failed", {"what": what}) if what else ("timer_failed", {})
    notice = outbox.Notice(letter, wanted, key, params)
    people = registry.contacts(session, order, now, Function.DUTY_OFFICER, Function.SUPERVISOR)
    for contact in people:
        outbox.queue(session, order, contact, notice, now)
        call_tasks.open_task(session, order, contact, why, key, wanted, now)
    return len(people)
