"""Timers: what falls due. Firing is database work only, so nothing is lost and nothing doubled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, cast, select, text, update
from sqlalchemy.orm import Session, load_only
from sqlalchemy.orm.attributes import set_committed_value

from liaison.models import Authority, Order, Provider, Timer
from liaison.models.base import insert_missing, new_id, rows_of
from liaison.models.deeds import Deed, bare
from liaison.models.hints import TIMERS, hint, unhint
from liaison.models.work import TimerKind, TimerState
from liaison.services import party_names, terms_in_hand

Handler = Callable[[Session, Timer, Order, datetime], None]

FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=5)

STUCK_AFTER = 2
"""So many failures, and a timer counts as stuck: once may be a lock or a lost connection."""

CALLS_PEOPLE = (
    TimerKind.LADDER,
    TimerKind.PAUSE_END,
    TimerKind.CALL_AGAIN,
    TimerKind.DOUBT,
    TimerKind.RATIFICATION,
    TimerKind.ANSWER,
)
"""Timers for which people are waited for: where one is stuck, ours are told at once.

Of any other ``liaison check`` tells.
"""

WAITING = text("timer.state = 'waiting'")
"""As text: only so may SQLite use the index of waiting timers.

A bound value is unknown when it plans, and a literal column comes out as ``(…) = 1``.
"""


def plan(
    session: Session,
    order: Order,
    kind: TimerKind,
    name: str,
    due_at: datetime,
    payload: dict[str, Any],
) -> None:
    """Sets a timer; the same one is set once, however often it is planned."""
    hint(session, TIMERS)
    insert_missing(
        session,
        Timer,
        {
            "id": new_id(),
            "kind": kind,
            "key": f"{order.id}:{kind}:{name}",
            "order_id": order.id,
            "due_at": due_at,
            "state": TimerState.WAITING,
            "attempts": 0,
            "payload": payload,
        },
    )


def cancel(session: Session, order: Order, kind: TimerKind, now: datetime) -> None:
    """Takes an order's waiting timers of one kind back."""
    session.execute(
        update(Timer)
        .where(Timer.order_id == order.id, Timer.kind == kind, Timer.state == TimerState.WAITING)
        .values(state=TimerState.CANCELLED, done_at=now)
        .execution_options(synchronize_session=False)
    )


_ANY_DUE = select(Timer.id).where(WAITING, Timer.due_at <= bindparam("now")).limit(1)


def is_due(session: Session, now: datetime) -> bool:
    """Whether any timer is due: asked before a writing transaction is begun for it."""
    return session.execute(_ANY_DUE, {"now": now}).first() is not None


_OF_A_LADDER = (
    load_only(
        Order.version,
        Order.ref,
        Order.state,
        Order.authority_id,
        Order.provider_id,
        Order.urgency,
        Order.test,
        Order.issued_at,
        Order.acknowledge_by,
        Order.acknowledged_at,
        Order.preserve_by,
        Order.clock_stopped_at,
        Order.clock_stopped_for,
        Order.clock_stopped_before,
        Order.ladder_closed_at,
        Order.ladder_paused_at,
    ),
)
"""What a rung reads of an order; anything else is read when it is asked for."""

_NEXT_DUE = (
    select(Timer, Order, Provider.name, Authority.name, cast(Order.terms, Text))
    .join(Timer.order)
    .join(Order.provider)
    .join(Order.authority)
    .options(*_OF_A_LADDER)
    .where(WAITING, Timer.due_at <= bindparam("now"))
    .order_by(Timer.due_at, Timer.id)
    .limit(1)
    .with_for_update(skip_locked=True, of=(Order, Timer))
    .execution_options(populate_existing=True)
)


def claim(session: Session, now: datetime) -> Timer | None:
    """The timer that has been due longest, locked together with its order, both as they are now.

    Whatever another transaction holds is passed over. Nobody waits for an order with a timer in
    hand: an acknowledgement locks them the other way round, and the two would stop each other.
    """
    row = session.execute(_NEXT_DUE, {"now": now}).one_or_none()
    if row is None:
        return None
    timer, order, provider, authority, terms = row
    set_committed_value(timer, "order", order)
    party_names.note(order, provider, authority)
    if terms is not None:
        terms_in_hand.note(order, terms)
    return timer


_FIRED = Deed(
    update(rows_of(Timer))
    .where(Timer.id == bindparam("timer"))
    .values(state=TimerState.FIRED, done_at=bindparam("now"))
)


def fire(session: Session, timer: Timer, handler: Handler, now: datetime) -> None:
    """Fires a claimed timer: its order was read anew with it, and the handler decides.

    No other worker is woken for the timers it sets: whoever fires looks again at once.
    """
    _FIRED.on(bare(session), {"timer": timer.id, "now": now})
    set_committed_value(timer, "state", TimerState.FIRED)
    set_committed_value(timer, "done_at", now)
    if timer.kind is not TimerKind.LADDER:
        session.refresh(timer.order)  # whole
    handler(session, timer, timer.order, now)
    unhint(session, TIMERS)


def put_off(session: Session, timer_id: UUID, error: str, now: datetime) -> bool:
    """A timer that failed comes again, later each time; it is shown and never dropped.

    Whether one that calls people is stuck by now: then our own must be told.
    """
    timer = session.scalars(
        select(Timer)
        .where(Timer.id == timer_id, WAITING)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if timer is None:
        return False
    timer.attempts += 1
    timer.last_error = error[:500]
    timer.due_at = now + _delay(timer.attempts)
    return timer.kind in CALLS_PEOPLE and timer.attempts >= STUCK_AFTER


def failed_at(timer: Timer) -> datetime:
    """When a timer that was put off failed last."""
    return timer.due_at - _delay(timer.attempts)


def _delay(attempts: int) -> timedelta:
    doublings: int = 2 ** min(attempts - 1, 10)
    return min(FIRST_DELAY * doublings, LONGEST_DELAY)
