"""Letters that came back: found by their number alone, believed only where the addressee fits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK
from liaison.domain.bounce import Returned
from liaison.domain.vocabulary import Channel
from liaison.models import DeliveryAttempt, Message, Order
from liaison.models.base import new_id
from liaison.models.work import MessageState
from liaison.services import reasons, tries, undelivered

MOST_NOTED = 30
"""Tries and reports kept of one letter: whoever repeats a report does not fill the record."""


class Verdict(StrEnum):
    """What became of a report."""

    FAILED = "a letter came back; people are told"
    NOTED = "noted; nothing else changes"
    KNOWN = "known already"
    STRANGE = "not about a letter of ours"
    CANARY = "a canary came back"


def take(session: Session, returned: Returned, now: datetime) -> Verdict:
    """Takes one report in; the same a second time changes nothing.

    It counts against the letter that left last. One that waits for another try, or was taken
    back, stays as it is. Nothing that was answered is unanswered by it: a notice that nobody
    wants any more is dealt with at once, and only stands in the record.
    """
    message, order = _held(session, returned)
    if message is None:
        return Verdict.STRANGE
    if message.bounced_at is not None:
        return Verdict.KNOWN
    told = f"{'Came back' if returned.final else 'Delayed'}: {returned.said}".strip()
    new = _note(session, message, told, now)
    if not returned.final or message.state is not MessageState.SENT:
        return Verdict.NOTED if new else Verdict.KNOWN
    message.state, message.bounced_at, message.last_error = MessageState.FAILED, now, told
    if order is not None and not reasons.is_wanted(message.wanted, order.state):
        message.settled_at, message.settled_by = now, CLOCK.name
    session.flush()
    undelivered.tell(session, message, now)
    return Verdict.FAILED


def _held(session: Session, returned: Returned) -> tuple[Message | None, Order | None]:
    """The letter and its order; the order is locked first, as in every verb."""
    number = returned.number
    order = session.scalars(
        select(Order)
        .join(Message, Message.order_id == Order.id)
        .where(Message.id == number)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).one_or_none()
    message = session.scalars(
        select(Message)
        .where(Message.id == number, Message.channel == Channel.EMAIL)
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if message is None or not returned.is_about(message.address):
        return None, None
    return message, order


def _note(session: Session, message: Message, told: str, now: datetime) -> bool:
    """Into the record of tries; whether it was new."""
    said = told[: tries.LONGEST_ANSWER]
    noted = select(DeliveryAttempt.id).where(DeliveryAttempt.message_id == message.id)
    known = session.scalar(noted.where(DeliveryAttempt.answer == said).limit(1))
    many = session.scalar(select(func.count()).select_from(noted.subquery())) or 0
    if known is not None or many >= MOST_NOTED:
        return False
    session.execute(
        insert(DeliveryAttempt).values(
            id=new_id(),
            message_id=message.id,
            number=message.attempts,
            at=now,
            took_ms=0,
            ok=False,
            status=None,
            answer=said,
        )
    )
    return True
