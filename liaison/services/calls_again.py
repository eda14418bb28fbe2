"""A call that brought nothing is opened again while the provider's answer is still waited for.

After no answer, a voicemail, or words that no acknowledgement followed, a timer opens it anew. A
wrong number is not called again: the next one who has a number is, at once. Whoever acknowledges,
ends the order or closes the ladder takes the timer back. A drill calls everybody once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK
from liaison.domain.vocabulary import CallOutcome, Urgency
from liaison.models import CallTask, Contact, Order, Timer
from liaison.models.contact_rows import AnyContact
from liaison.models.hints import TIMERS, hint
from liaison.models.work import CallState, TimerKind, TimerState, Wanted
from liaison.services import call_tasks, ledger, reasons, timers

AFTER_SILENCE = {
    Urgency.EMERGENCY: timedelta(minutes=5),
    Urgency.URGENT: timedelta(minutes=30),
    Urgency.ROUTINE: timedelta(hours=4),
}
"""When somebody who was not reached is called again; this portal's own times."""

AFTER_WORDS = {
    Urgency.EMERGENCY: timedelta(minutes=15),
    Urgency.URGENT: timedelta(hours=1),
    Urgency.ROUTINE: timedelta(days=1),
}
"""The same for somebody who was told, and has not acknowledged since."""

IN_A_ROW = 20
"""Calls of one order that are opened again. After them a call stays open when it is logged:
somebody still has to call, and one line says so as well as a hundred."""

SINCE = {
    CallOutcome.NO_ANSWER: "Nobody answered the last call.",
    CallOutcome.VOICEMAIL: "The last call left a message, and nothing has come of it.",
    CallOutcome.REACHED: "They were reached, and nothing has come of it.",
    CallOutcome.WRONG_NUMBER: "The number called before is wrong.",
}
"""How the reason of a call that is opened again begins."""


def plan(session: Session, order: Order, task: CallTask, now: datetime) -> None:
    """A call was logged and acknowledged nothing: sees to it that somebody calls again."""
    if not _waits(order, task):
        return
    wrong = task.outcome is CallOutcome.WRONG_NUMBER
    if _so_far(session, order) >= IN_A_ROW:
        task.state = CallState.OPEN
    elif wrong and not _has_anyone(session, order, task.contact, now):
        task.state = CallState.OPEN  # nobody else has a number: a doubtful line before none
    elif wrong and not _is_held(order, now):
        _open(session, order, task, now)
    else:
        _arm(session, order, task, now)


def fall_due(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """Opens the call again; does nothing where the reason is gone."""
    task = session.get_one(CallTask, UUID(timer.payload["call"]))
    if not _waits(order, task):
        return
    if _is_held(order, now) or not call_tasks.whom(session, order, task.contact, now):
        _arm(session, order, task, now)
    elif _open(session, order, task, now):
        told = {"contact": task.contact.name, "after": task.outcome}
        ledger.record(session, now, ledger.own(order, "order.call_reopened", CLOCK, told))


def wake(session: Session, order: Order, closed_at: datetime) -> None:
    """The ladder is opened again: the calls that its closing took back come when they would have.

    Whether there is still a reason is looked at when they fall due.
    """
    session.execute(
        update(Timer)
        .where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.CALL_AGAIN,
            Timer.state == TimerState.CANCELLED,
            Timer.done_at == closed_at,
        )
        .values(state=TimerState.WAITING, done_at=None, attempts=0, last_error=None)
        .execution_options(synchronize_session=False)
    )
    hint(session, TIMERS)


def _waits(order: Order, task: CallTask) -> bool:
    """Whether the order still waits for what the call was about, and nobody has taken over."""
    if order.test or order.ladder_closed_at is not None or not order.state.is_open:
        return False
    # A colleague who was reached knows, and can acknowledge nothing.
    if task.outcome is CallOutcome.REACHED and task.contact.provider_id is None:
        return False
    wanted = _wanted(order, task)
    return wanted in call_tasks.BY_LENGTH and order.state in reasons.WANTED_IN[wanted]


def _wanted(order: Order, task: CallTask) -> Wanted:
    """For how long the next call makes sense: what had to be read out was, to whom was reached."""
    if task.wanted is Wanted.ALWAYS and task.outcome is CallOutcome.REACHED:
        issued = order.acknowledged_at is None
        return Wanted.UNTIL_ACKNOWLEDGED if issued else Wanted.UNTIL_PRESERVED
    return task.wanted


def _is_held(order: Order, now: datetime) -> bool:
    """A question stops the clock, or a person holds the ladder: nobody is called meanwhile."""
    until = order.ladder_paused_until if order.ladder_paused_at is not None else None
    return order.clock_stopped_at is not None or (until is not None and now < until)


def _arm(session: Session, order: Order, task: CallTask, now: datetime) -> None:
    spans = AFTER_WORDS if task.outcome is CallOutcome.REACHED else AFTER_SILENCE
    due = now + spans[order.urgency]
    name, payload = f"{task.id}:{int(due.timestamp())}", {"call": str(task.id)}
    timers.plan(session, order, TimerKind.CALL_AGAIN, name, due, payload)


def _open(session: Session, order: Order, task: CallTask, now: datetime) -> bool:
    """Opens the next call; whether there was none yet."""
    assert task.outcome is not None
    rest = task.why
    for since in SINCE.values():
        rest = rest.removeprefix(f"{since} ")
    why = f"{SINCE[task.outcome]} {rest}"[: call_tasks.LONGEST_WHY]
    key, wanted = f"again:{task.id}", _wanted(order, task)
    opened = False
    for contact in call_tasks.whom(session, order, task.contact, now):
        if not _is_called_since(session, order, contact, task):
            opened |= call_tasks.open_task(
                session, order, contact, why, key, wanted, now, follows=task
            )
    return opened


def _has_anyone(session: Session, order: Order, contact: Contact, now: datetime) -> bool:
    """Whether anybody has a number that is theirs."""
    people = call_tasks.whom(session, order, contact, now)
    return any(call_tasks.can_be_called(one, now) for one in people)


def _is_called_since(session: Session, order: Order, contact: AnyContact, task: CallTask) -> bool:
    """Whether the contact has had a later call, by the ladder: what comes of it is its own."""
    later = exists().where(
        CallTask.order_id == order.id,
        CallTask.contact_id == contact.id,
        CallTask.id != task.id,
        CallTask.opened_at >= (task.logged_at or task.opened_at),
        CallTask.wanted.in_(call_tasks.BY_LENGTH),
        CallTask.state != CallState.CANCELLED,
    )
    return bool(session.scalar(select(later)))


def _so_far(session: Session, order: Order) -> int:
    again = select(func.count()).where(
        CallTask.order_id == order.id, CallTask.follows_id.is_not(None)
    )
    return session.scalar(again) or 0
