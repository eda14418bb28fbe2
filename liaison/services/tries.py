"""What came of a try to send: taken, or put off until the retries are used up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel
from liaison.models import DeliveryAttempt, Message, Order
from liaison.models.base import new_id
from liaison.models.work import MessageState
from liaison.services.claims import Claimed, change
from liaison.services.due_messages import LONGEST, URGENT_LONGEST

URGENT_DELAYS = tuple(timedelta(seconds=s) for s in (5, 15, 45, 120))
DELAYS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000))

URGENT_WEBHOOK_DELAYS = (*URGENT_DELAYS, *DELAYS[1:])
"""A program that was away is told all the same when it is back: nobody is woken by it."""

LONGEST_ANSWER = 500
"""Characters of what the other side said that are kept of each try."""


@dataclass(frozen=True)
class Tried:
    """What came of one try: how long it took, what the other side said."""

    took: timedelta
    status: int | None
    answer: str


def confirm(
    session: Session, claimed: Claimed, provider_ref: str, now: datetime, tried: Tried
) -> bool:
    """Notes that the other side took the message; False where another worker took over.

    A message that was cancelled while it was being sent has arrived all the same: that is noted.
    """
    _note_try(session, claimed, now, tried, ok=True)
    values = {
        "state": MessageState.SENT,
        "sent_at": now,
        "provider_ref": provider_ref[:200],
        "lease_until": None,
        "last_error": None,
        "sealed_link": None,
    }
    return change(session, claimed, values, MessageState.SENDING, MessageState.CANCELLED)


def put_off(
    session: Session,
    claimed: Claimed,
    error: str,
    now: datetime,
    tried: Tried,
    *,
    permanent: bool = False,
    retry_after: timedelta | None = None,
) -> Message | None:
    """Notes a failure. Gives back the message when its retries are used up, else None."""
    _note_try(session, claimed, now, tried, ok=False)
    if claimed.endpoint_id is None:
        # The order first, as every verb does: a failure writes to it, and the two must not
        # wait for each other. A webhook's does not; whoever puts it off holds its endpoint
        # by now, and perhaps a stream, and must wait for no order.
        session.execute(
            select(Order.id)
            .join(Message, Message.order_id == Order.id)
            .where(Message.id == claimed.id)
            .with_for_update(of=Order)
        )
    message = session.scalars(
        select(Message)
        .where(Message.id == claimed.id)
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one()
    if message.fence != claimed.fence or message.state is not MessageState.SENDING:
        return None
    message.last_error = error[:500]
    message.lease_until = None
    delays = _delays(message)
    if permanent or message.attempts > len(delays):
        message.state, message.sealed_link = MessageState.FAILED, None
        return message
    delay = delays[message.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    message.state = MessageState.QUEUED
    longest = URGENT_LONGEST if message.urgent else LONGEST
    message.next_at = now + max(delay, min(retry_after or timedelta(0), longest))
    return None


def _delays(message: Message) -> tuple[timedelta, ...]:
    if not message.urgent:
        return DELAYS
    return URGENT_WEBHOOK_DELAYS if message.channel is Channel.WEBHOOK else URGENT_DELAYS


def _note_try(session: Session, claimed: Claimed, now: datetime, tried: Tried, *, ok: bool) -> None:
    """One row a try, whoever holds the message by now: it was made all the same."""
    session.execute(
        insert(DeliveryAttempt).values(
            id=new_id(),
            message_id=claimed.id,
            number=claimed.attempts,
            at=now,
            took_ms=tried.took // timedelta(milliseconds=1),
            ok=ok,
            status=tried.status,
            answer=tried.answer[:LONGEST_ANSWER],
        )
    )
