"""The outbox: notices on their way out, at least once, under a stable key.

Sending has three phases: ``claim`` (and commit), ``still_wanted`` and the sending itself with
no transaction open, then ``confirm`` or ``put_off`` under the fence that the claim gave. Whoever
was overtaken by another worker changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    TextClause,
    Update,
    and_,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import SERVED, OrderState
from liaison.domain.vocabulary import Channel, Urgency
from liaison.models import Contact, DeliveryAttempt, Message, Order
from liaison.models.base import insert_once, new_id
from liaison.models.work import MessageState, Wanted

LEASE = timedelta(seconds=45)
"""Longer than one batch can take: a message takes at most 20 s."""

STRAY_LEASE = 2 * LEASE
"""A lease that ends later than this was given by a clock that was wrong, and holds nothing.

Not a single lease: two workers ask for the time one after the other, and whoever asked first may
look at what the second has just claimed.
"""

URGENT_DELAYS = tuple(timedelta(seconds=s) for s in (5, 15, 45, 120))
DELAYS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000))

URGENT_LONGEST, LONGEST = timedelta(minutes=5), timedelta(hours=12)
"""No notice waits longer for its next try, whatever the other side asks for."""

LONGEST_ANSWER = 500
"""Characters of what the other side said that are kept of each try."""

UNSENT = text("message.state IN ('queued', 'sending')")
"""As text: only so may SQLite use the index of unsent messages.

A bound value is unknown when it plans, and a literal column comes out as ``(…) = 1``.
"""


@dataclass(frozen=True)
class Notice:
    """What a notice says: which letter, with what, for how long it makes sense."""

    letter: str
    wanted: Wanted
    key: str
    params: dict[str, Any]


@dataclass(frozen=True)
class Claimed:
    """A message in a worker's hands; ``fence`` proves the claim."""

    id: UUID
    fence: int
    idem: str
    channel: Channel
    address: str
    letter: str
    params: dict[str, Any]
    created_at: datetime
    sealed_link: str | None = None
    attempts: int = 1
    endpoint_id: UUID | None = None


@dataclass(frozen=True)
class Tried:
    """What came of one try: how long it took, what the other side said."""

    took: timedelta
    status: int | None
    answer: str


def queue(session: Session, order: Order, contact: Contact, notice: Notice, now: datetime) -> bool:
    """Puts one notice to one contact into the outbox; whether it was not there already.

    Nothing goes to an address that was never verified: it may be anybody's.
    """
    if contact.email_verified_at is None:
        return False
    params = {
        "ref": order.name,
        "urgency": order.urgency.value,
        "provider": order.provider.name,
        "authority": order.authority.name,
        "name": contact.name,
        "test": order.test,
        **notice.params,
    }
    return insert_once(
        session,
        Message,
        {
            "id": new_id(),
            "idem": f"{order.id}:{notice.key}:{contact.id}:{Channel.EMAIL.value}",
            "order_id": order.id,
            "contact_id": contact.id,
            "channel": Channel.EMAIL,
            "address": contact.email,
            "letter": notice.letter,
            "params": params,
            "wanted": notice.wanted,
            "urgent": order.urgency is Urgency.EMERGENCY,
            "state": MessageState.QUEUED,
            "created_at": now,
            "next_at": now,
            "fence": 0,
            "attempts": 0,
        },
    )


def queue_letter(
    session: Session,
    address: str,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
    *,
    sealed_link: str | None = None,
    order: Order | None = None,
    wanted: Wanted = Wanted.ALWAYS,
) -> bool:
    """Puts a letter to an address into the outbox; ``key`` names its reason.

    About somebody's access, or about an ``order``: then it is taken back with its reason
    (``wanted``), and as urgent as the order.
    ``sealed_link`` is a link, or a code, that opens a door to whoever reads it: it is forgotten
    once the letter is on its way.
    """
    return insert_once(
        session,
        Message,
        {
            "id": new_id(),
            "idem": letter_idem(address, key),
            "order_id": order.id if order else None,
            "contact_id": None,
            "channel": Channel.EMAIL,
            "address": address,
            "letter": letter,
            "params": dict(params),
            "sealed_link": sealed_link,
            "wanted": wanted,
            "urgent": order is None or order.urgency is Urgency.EMERGENCY,
            "state": MessageState.QUEUED,
            "created_at": now,
            "next_at": now,
            "fence": 0,
            "attempts": 0,
        },
    )


def letter_idem(address: str, key: str) -> str:
    """The key under which a letter of ``queue_letter`` is found again."""
    return f"access:{key}:{address}:{Channel.EMAIL.value}"


def cancel(session: Session, order: Order, *wanted: Wanted) -> None:
    """Takes unsent notices back whose reason is gone."""
    session.execute(
        update(Message)
        .where(
            Message.order_id == order.id,
            Message.wanted.in_(wanted),
            Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        )
        .values(state=MessageState.CANCELLED, sealed_link=None)
        .execution_options(synchronize_session=False)
    )


HELD_BY_A_PAUSE = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
"""What is not sent while a question stops the order's clock."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether any message is due: asked before a writing transaction is begun for it."""
    return session.execute(select(Message.id).where(*_due(now)).limit(1)).first() is not None


def _due(now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """What is to be sent now: its time has come, or its time is one that cannot be.

    A first try is due at once, whatever the clock of whoever queued it said. A time or a lease
    further ahead than any that is ever given comes from a clock that was set back since.
    """
    return (
        UNSENT,
        or_(
            Message.attempts == 0,
            Message.next_at <= now,
            and_(Message.urgent, Message.next_at > now + URGENT_LONGEST),
            Message.next_at > now + LONGEST,
        ),
        or_(
            Message.lease_until.is_(None),
            Message.lease_until <= now,
            Message.lease_until > now + STRAY_LEASE,
        ),
        or_(Message.wanted.not_in(HELD_BY_A_PAUSE), ~_clock_stopped()),
    )


def _clock_stopped() -> ColumnElement[bool]:
    stopped = select(Order.id).where(
        Order.id == Message.order_id, Order.clock_stopped_at.is_not(None)
    )
    return stopped.correlate(Message).exists()


def claim(session: Session, now: datetime, limit: int = 2) -> list[Claimed]:
    """Claims messages that are due, or whose worker let its lease run out."""
    due = session.scalars(
        select(Message)
        .where(*_due(now))
        # What is urgent does not queue behind a slow mail server's backlog of routine.
        .order_by(Message.urgent.desc(), Message.next_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=Message)
        .execution_options(populate_existing=True)
    ).all()
    for message in due:
        message.state = MessageState.SENDING
        message.fence += 1
        message.attempts += 1
        message.lease_until = now + LEASE
    session.flush()
    return [_claimed(message) for message in due]


def _claimed(m: Message) -> Claimed:
    return Claimed(
        m.id,
        m.fence,
        m.idem,
        m.channel,
        m.address,
        m.letter,
        m.params,
        m.created_at,
        m.sealed_link,
        m.attempts,
        m.endpoint_id,
    )


WANTED_IN: dict[Wanted, Sequence[OrderState]] = {
    Wanted.UNTIL_ACKNOWLEDGED: (OrderState.ISSUED,),
    Wanted.UNTIL_PRESERVED: (OrderState.ISSUED, OrderState.ACKNOWLEDGED),
    Wanted.UNTIL_AUTHORISED: (OrderState.SUBMITTED,),
    # A verb takes them back; what was withdrawn needs nobody behind it.
    Wanted.UNTIL_RATIFIED: tuple(s for s in SERVED if s is not OrderState.WITHDRAWN),
    # Taken back by the second person who vouches, or with the order's end.
    Wanted.UNTIL_VOUCHED: tuple(OrderState),
    # A date that nears, an MLA request that was announced: from the acknowledgement on.
    Wanted.WHILE_KEPT: (OrderState.ACKNOWLEDGED, OrderState.PRESERVED),
    Wanted.UNTIL_DISPOSED: (OrderState.RELEASED, OrderState.EXPIRED),
    # Taken back by the answer, or by a withdrawal.
    Wanted.UNTIL_ANSWERED: tuple(OrderState),
    Wanted.ALWAYS: tuple(OrderState),
}


def still_wanted(session: Session, claimed: Claimed) -> bool:
    """Looks again, just before sending: is the claim ours, and is there still a reason?"""
    row = session.execute(
        select(Message.state, Message.fence, Message.wanted, Order.state)
        .outerjoin(Order, Order.id == Message.order_id)
        .where(Message.id == claimed.id)
    ).one()
    state, fence, wanted, order_state = row
    ours = state is MessageState.SENDING and fence == claimed.fence
    return ours and (order_state is None or order_state in WANTED_IN[wanted])


def drop(session: Session, claimed: Claimed) -> bool:
    """Cancels a claimed message that is wanted no longer."""
    values = {"state": MessageState.CANCELLED, "sealed_link": None}
    return _under_fence(session, claimed, values, MessageState.SENDING)


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
    return _under_fence(session, claimed, values, MessageState.SENDING, MessageState.CANCELLED)


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
    # The order first, as every verb does: a failure writes to it, and the two must not
    # wait for each other.
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
    delays = URGENT_DELAYS if message.urgent else DELAYS
    if permanent or message.attempts > len(delays):
        message.state, message.sealed_link = MessageState.FAILED, None
        return message
    delay = delays[message.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    message.state = MessageState.QUEUED
    longest = URGENT_LONGEST if message.urgent else LONGEST
    message.next_at = now + min(max(delay, retry_after or timedelta(0)), longest)
    return None


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


def _under_fence(
    session: Session, claimed: Claimed, values: dict[str, Any], *states: MessageState
) -> bool:
    step: Update = (
        update(Message)
        .where(
            Message.id == claimed.id,
            Message.fence == claimed.fence,
            Message.state.in_(states),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(step)
    return isinstance(result, CursorResult) and result.rowcount == 1
