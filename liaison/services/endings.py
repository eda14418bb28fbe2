"""What ends with an order: whatever was planned for its life is taken back in the same act."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from liaison.models import Doubt, Extension, Order
from liaison.models.work import TimerKind, Wanted
from liaison.queries import doubting
from liaison.services import call_tasks, doubt_alarms, escalation, outbox, pauses, timers

_OF_ITS_LIFE = (
    TimerKind.LADDER,
    TimerKind.PAUSE_END,
    TimerKind.CALL_AGAIN,
    TimerKind.EXPIRY,
    TimerKind.EXPIRY_NEARS,
    TimerKind.PROMISE,
    TimerKind.DOUBT,
)
"""A question still has to be answered, and an emergency to be ratified, after the end."""

_WANTED = (
    Wanted.UNTIL_ACKNOWLEDGED,
    Wanted.UNTIL_PRESERVED,
    Wanted.WHILE_KEPT,
    Wanted.UNTIL_VOUCHED,
    Wanted.UNTIL_AUTHORISED,
)


def end(session: Session, order: Order, now: datetime) -> None:
    """The order has just ended (declined, withdrawn, released, expired): nothing of it climbs.

    An open doubt and an open wish for an extension end with it; a stopped clock stands no longer.
    That it ended doubted is told to our own people, whoever ended it.
    """
    order.ended_at = now
    was_doubted = order.doubt_open_since is not None
    pauses.settle(order, now)
    escalation.lift_pause(session, order, now)
    order.doubt_open_since = order.extension_asked_at = None
    session.flush()
    for kind in _OF_ITS_LIFE:
        timers.cancel(session, order, kind, now)
    outbox.cancel(session, order, *_WANTED)
    call_tasks.cancel(session, order, *_WANTED)
    if was_doubted and (doubt := doubting.doubt_of(session, order)) is not None:
        doubt_alarms.tell_end(session, order, doubt, now)
    session.execute(
        update(Doubt)
        .where(Doubt.order_id == order.id, Doubt.vouched_at.is_(None), Doubt.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Extension)
        .where(
            Extension.order_id == order.id,
            Extension.confirmed_at.is_(None),
            Extension.dropped_at.is_(None),
        )
        .values(dropped_at=now)
        .execution_options(synchronize_session=False)
    )
