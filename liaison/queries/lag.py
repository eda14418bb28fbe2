"""Is the worker at work, and does it keep up? For ``/readyz`` and ``liaison check``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from liaison.models import Heartbeat, Message, Order, Timer
from liaison.services import outbox, timers

SILENT = timedelta(minutes=1)
"""After so long without a heartbeat no worker is at work."""
LATE = timedelta(minutes=2)
"""What is past due for longer shows that a worker which says it lives does not do its work."""


@dataclass(frozen=True)
class Lag:
    """How long the oldest timer and the oldest notice are past due; None where none is."""

    oldest_timer: timedelta | None
    oldest_message: timedelta | None

    @property
    def fault(self) -> str:
        """What is late, in words without a ref; empty where nothing is."""
        late = {"timer": self.oldest_timer, "notice": self.oldest_message}
        return " and ".join(
            f"a {what} is {_minutes(span)} past due"
            for what, span in late.items()
            if span is not None and span > LATE
        )


def heartbeat(session: Session, now: datetime) -> datetime | None:
    """The newest heartbeat of the last minute; None where no worker is at work.

    One from further ahead was written by a clock that was wrong, and says nothing.
    """
    return session.scalar(
        select(func.max(Heartbeat.at)).where(Heartbeat.at.between(now - SILENT, now + SILENT))
    )


def lag(session: Session, now: datetime) -> Lag:
    """What waits for a worker, from the indexes of what is unfired and unsent."""
    timer = session.scalar(
        select(func.min(Timer.due_at)).where(timers.WAITING, Timer.due_at <= now)
    )
    message = session.scalar(
        select(func.min(Message.next_at))
        .join(Order, Order.id == Message.order_id)
        .where(outbox.UNSENT, Message.next_at <= now, _is_wanted())
    )
    return Lag(now - timer if timer else None, now - message if message else None)


def stuck(session: Session) -> list[str]:
    """The orders of which a timer has failed again and again: it is tried on, so never late."""
    found = session.execute(
        select(Order.ref, Order.id)
        .join(Timer, Timer.order_id == Order.id)
        .where(timers.WAITING, Timer.attempts >= timers.STUCK_AFTER)
        .order_by(Timer.due_at)
    )
    return list(dict.fromkeys(ref or str(id_) for ref, id_ in found))


def _is_wanted() -> ColumnElement[bool]:
    return or_(
        *(
            and_(Message.wanted == wanted, Order.state.in_(states))
            for wanted, states in outbox.WANTED_IN.items()
        )
    )


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"
