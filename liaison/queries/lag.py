"""Is the worker at work, and does it keep up? For ``/readyz``, the bar and ``liaison check``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, TextClause, and_, func, or_, select
from sqlalchemy.orm import Session

from liaison.models import Heartbeat, Message, Order, Timer
from liaison.services import canaries, outbox, reasons, timers

SILENT = timedelta(minutes=1)
"""After so long without a heartbeat no worker is at work."""
LATE = timedelta(minutes=2)
"""What is past due for longer shows that a worker which says it lives does not do its work."""
LISTED = 100
"""Orders named at most, of which something fails."""


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
    return session.scalar(select(func.max(Heartbeat.at)).where(_beats(now)))


def workers(session: Session, now: datetime) -> int:
    """How many workers are at work: one that died is not hidden by another's heartbeat."""
    return session.scalar(select(func.count()).select_from(Heartbeat).where(_beats(now))) or 0


def _beats(now: datetime) -> ColumnElement[bool]:
    return Heartbeat.at.between(now - SILENT, now + SILENT)


def lag(session: Session, now: datetime) -> Lag:
    """What waits for a worker, from the indexes of what is unfired and unsent.

    Not what a pause holds. Nor what goes to a provider's program: one that is slow has a queue of
    its own, and must not make ours look late.
    """
    timer = session.scalar(
        select(Timer.due_at)
        .where(timers.WAITING, Timer.due_at <= now)
        .order_by(Timer.due_at)
        .limit(1)
    )
    message = session.scalar(
        select(Message.next_at)
        .outerjoin(Order, Order.id == Message.order_id)
        .where(
            outbox.UNSENT,
            Message.next_at <= now,
            Message.endpoint_id.is_(None),
            Message.letter != canaries.LETTER,
            or_(Message.order_id.is_(None), and_(_is_wanted(), ~_is_held())),
        )
        .order_by(Message.next_at)
        .limit(1)
    )
    return Lag(now - timer if timer else None, now - message if message else None)


def stuck(session: Session, now: datetime) -> list[str]:
    """The orders of which a timer has failed again and again: it is tried on, so never late."""
    found = session.execute(
        select(Order.ref, Order.id)
        .join(Timer, Timer.order_id == Order.id)
        .where(*is_stuck(now))
        .order_by(Timer.due_at)
        .limit(LISTED)
    )
    return list(dict.fromkeys(ref or str(id_) for ref, id_ in found))


def is_stuck(now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Timers that fail again and again, found by when they are tried next: that is never far."""
    soon = now + timers.LONGEST_DELAY
    return (timers.WAITING, Timer.due_at <= soon, Timer.attempts >= timers.STUCK_AFTER)


def _is_wanted() -> ColumnElement[bool]:
    return or_(
        *(
            and_(Message.wanted == wanted, Order.state.in_(states))
            for wanted, states in reasons.WANTED_IN.items()
        )
    )


def _is_held() -> ColumnElement[bool]:
    stands = or_(
        Order.clock_stopped_at.is_not(None),
        Order.ladder_paused_at.is_not(None),
        Order.ladder_closed_at.is_not(None),
    )
    return and_(Message.wanted.in_(reasons.HELD_BY_A_PAUSE), stands)


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)} min"
