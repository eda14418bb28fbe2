"""Orders for which nothing is planned although something must come: the auditor's questions.

The work is proportional to the orders that are open, and to those whose preservation ends soon;
both are found by an index, authority by authority.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from liaison.domain.keeping import NAG_DAYS
from liaison.domain.lifecycle import OrderState
from liaison.models import Authority, Order, Timer
from liaison.models.work import TimerKind
from liaison.services import timers

OPEN = (OrderState.ISSUED, OrderState.ACKNOWLEDGED)

ENDS_SOON = timedelta(days=max(NAG_DAYS) + 1)
"""Before that nothing is due of an expiry: one that is missing is found in time."""

LATE = timedelta(minutes=1)
"""A worker that is about to end a pause has so long to do it."""

KEPT = 6
"""The queue's rank of what is kept until a day and has no MLA request recorded (``Order``)."""


def without_step(session: Session) -> list[UUID]:
    """Open orders whose ladder nobody has closed or holds, and of which no step waits."""
    return _of_each(
        session,
        lambda authority: select(Order.id).where(
            Order.authority_id == authority, Order.state.in_(OPEN), *climbs()
        ),
    )


def climbs() -> tuple[ColumnElement[bool], ...]:
    """A ladder that should move, and has no timer to move it."""
    return (
        Order.ladder_closed_at.is_(None),
        Order.ladder_paused_at.is_(None),
        Order.clock_stopped_at.is_(None),
        ~_waits(TimerKind.LADDER),
    )


def pauses_that_last(session: Session, now: datetime) -> list[UUID]:
    """Open orders whose ladder is still held though the pause is over, and nothing ends it."""
    return _of_each(
        session,
        lambda authority: select(Order.id).where(
            Order.authority_id == authority, Order.state.in_(OPEN), *lasts(now)
        ),
    )


def lasts(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """A pause that should have ended a while ago, and has no timer to end it."""
    return (
        Order.ladder_closed_at.is_(None),
        Order.ladder_paused_until <= now - LATE,
        ~_waits(TimerKind.PAUSE_END),
    )


def without_expiry(session: Session, now: datetime) -> list[UUID]:
    """Preserved orders whose data may be deleted soon, or already, and no expiry is planned."""
    return _of_each(
        session,
        lambda authority: select(Order.id).where(
            Order.authority_id == authority,
            Order.queue_rank == KEPT,
            Order.queue_at <= now + ENDS_SOON,
            *expires(),
        ),
    )


def expires() -> tuple[ColumnElement[bool], ...]:
    """What is kept until a day, of which nobody would be told that it has come."""
    return (
        Order.state == OrderState.PRESERVED,
        Order.preserved_until.is_not(None),
        Order.mla_recorded_at.is_(None),
        Order.test.is_(False),
        ~_waits(TimerKind.EXPIRY),
    )


def _waits(kind: TimerKind) -> ColumnElement[bool]:
    waiting = select(Timer.id).where(Timer.order_id == Order.id, Timer.kind == kind, timers.WAITING)
    return waiting.correlate(Order).exists()


def _of_each(session: Session, ask: Callable[[UUID], Select[UUID]]) -> list[UUID]:
    authorities = session.scalars(select(Authority.id).order_by(Authority.id)).all()
    return [id_ for authority in authorities for id_ in session.scalars(ask(authority))]
